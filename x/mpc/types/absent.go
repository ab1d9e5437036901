package types

import "slices"

// Suspect is one of the new committee of a reshare that attested no share by it, and
// those participants of the key that accuse it of anything.
type Suspect struct {
	Operator string
	Accusers []string
}

// Absent lists who is to be taken last after the reshare expired before all of its
// committee had a share: who is blamed of those that attested none, and where nobody is,
// the newcomers among them. Those who hold the key were there when they got it.
func (r Reshare) Absent(suspects []Suspect) []Absentee {
	var absent []Absentee
	for _, operator := range blame(suspects) {
		absent = append(absent, Absentee{Operator: operator, Accused: true})
	}
	if len(absent) > 0 {
		return absent
	}
	for _, s := range suspects {
		if _, held := slices.BinarySearch(r.OldParticipants, s.Operator); !held {
			absent = append(absent, Absentee{Operator: s.Operator})
		}
	}
	return absent
}

// blame picks whom to do without. Whoever keeps silent is accused by all who led an
// attempt; whoever lies accuses others alone. So the one that the most accuse goes first,
// of equals the one that accuses more itself, and its word counts no more; then the next,
// as long as more than half as many accuse it as the first.
func blame(suspects []Suspect) (blamed []string) {
	gone := make(map[string]bool)
	for first := 0; ; {
		worst, votes := mostAccused(suspects, gone)
		if len(blamed) == 0 {
			first = votes
		}
		if 2*votes <= first {
			return blamed
		}
		blamed = append(blamed, worst)
		gone[worst] = true
	}
}

// mostAccused finds who of those that are not gone has the most accusers among them, and
// how many.
func mostAccused(suspects []Suspect, gone map[string]bool) (worst string, votes int) {
	heard, said := make([]int, len(suspects)), make(map[string]int)
	for i, s := range suspects {
		for _, accuser := range s.Accusers {
			if !gone[s.Operator] && !gone[accuser] {
				heard[i]++
				said[accuser]++
			}
		}
	}
	for i, s := range suspects {
		if heard[i] > votes || heard[i] == votes && said[s.Operator] > said[worst] {
			worst, votes = s.Operator, heard[i]
		}
	}
	return worst, votes
}
