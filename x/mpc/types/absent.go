package types

import (
	"cmp"
	"slices"
	"strings"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// Suspect is one of the new committee of a reshare, and those of it that accuse it of
// anything.
type Suspect struct {
	Operator string
	Accusers []string
}

// Absent lists who is to be taken last after the reshare expired before all of its
// committee had a share: who is blamed of those that did not come, and where nobody is, the
// newcomers among them. Those who hold the key were there when they got it.
//
// Up to t of a committee may be dishonest, who say of others whatever they like. So came
// counts only those whose word on a session and its payload more than t of the committee
// gave, one of whom is honest and finished it; see Came. And nobody is blamed on the word of
// t or fewer. Who did not come and accuses one that did is spared the first time; again says
// that it is not: see quarrel.
func (r Reshare) Absent(came []string, suspects []Suspect, again bool) []Absentee {
	missed := slices.DeleteFunc(slices.Clone(suspects), func(s Suspect) bool { return slices.Contains(came, s.Operator) })
	blamed := slices.Concat(r.blame(missed), r.silent(came, suspects))
	absent := r.accused(blamed)
	if tooMany := len(absent) == 0 && len(blamed) > 0; again && !tooMany {
		absent = r.quarrel(absent, came, suspects)
	}
	if len(absent) > 0 {
		return absent
	}
	return r.newcomersOf(missed)
}

// Withheld lists who is to be taken last after the test of the new shares expired, of a
// committee of which each has one. Who attests costs nobody anything by it, and may still
// keep its part of the signature back. It is blamed as in Absent, on the word of more than
// t. A committee of t+1 has no more than t who could accuse one of it; since each of it
// was needed, its newcomers let others have their turn first, unblamed.
func (r Reshare) Withheld(suspects []Suspect) []Absentee {
	if absent := r.accused(r.blame(suspects)); len(absent) > 0 || len(r.Participants) > int(r.Threshold)+1 {
		return absent
	}
	return r.newcomersOf(suspects)
}

// accused are those who are blamed, each once and for what the most say; none if they are
// too many.
func (r Reshare) accused(blamed []Absentee) []Absentee {
	slices.SortFunc(blamed, func(a, b Absentee) int {
		return cmp.Or(strings.Compare(a.Operator, b.Operator), cmp.Compare(b.Words, a.Words))
	})
	blamed = slices.CompactFunc(blamed, func(a, b Absentee) bool { return a.Operator == b.Operator })
	if !r.spares(blamed) {
		return nil
	}
	return blamed
}

// accusedBy is an absentee of whom so many say so.
func accusedBy(operator string, words int) Absentee {
	return Absentee{Operator: operator, Accused: true, Words: uint32(words)}
}

// AccusedByItself is an absentee that did so for all to see: nobody else's word is needed.
func AccusedByItself(operator string) Absentee { return accusedBy(operator, mpctypes.MaxMembers) }

// ByItself reports whether it did so: of others fewer can say it.
func (a Absentee) ByItself() bool { return a.Words == mpctypes.MaxMembers }

// newcomersOf are the absentees of whom nobody is blamed: whoever did not hold the key.
func (r Reshare) newcomersOf(suspects []Suspect) (absent []Absentee) {
	for _, s := range suspects {
		if !r.held(s.Operator) {
			absent = append(absent, Absentee{Operator: s.Operator})
		}
	}
	return absent
}

// Came lists those of the new committee who attested the same session and payload as more
// than t of it did, ascending; said has who attested each. Whoever invents a session is
// alone with it.
func (r Reshare) Came(said map[string][]string) []string {
	var came []string
	for _, operators := range said {
		if len(operators) > int(r.Threshold) {
			came = append(came, operators...)
		}
	}
	slices.Sort(came)
	return slices.Compact(came)
}

func (r Reshare) held(operator string) bool {
	_, held := slices.BinarySearch(r.OldParticipants, operator)
	return held
}

// spares: enough who hold the key are not blamed, so that others are not put in the place
// of most of them on the word of a few.
func (r Reshare) spares(blamed []Absentee) bool {
	holders := 0
	for _, a := range blamed {
		if r.held(a.Operator) {
			holders++
		}
	}
	return holders <= max(len(r.OldParticipants)-int(r.Threshold)-1, 0)
}

// silent are those who did not come though more than t did, and who say nothing of these.
// Who accuses one that came may have been kept from a share by it: of the two one is to
// blame, and nobody can say which.
func (r Reshare) silent(came []string, suspects []Suspect) []Absentee {
	if len(came) == 0 {
		return nil
	}
	accuses := make(map[string]bool)
	for _, s := range suspects {
		if slices.Contains(came, s.Operator) {
			for _, accuser := range s.Accusers {
				accuses[accuser] = true
			}
		}
	}
	var silent []Absentee
	for _, s := range suspects {
		if !slices.Contains(came, s.Operator) && !accuses[s.Operator] {
			silent = append(silent, accusedBy(s.Operator, len(came)))
		}
	}
	return silent
}

// quarrel adds to those who are blamed whoever did not come and accuses one that did, and
// whom it accuses; of several, whom the most of those accuse. One of the two is to blame, and
// spared for ever it would keep every reshare from its end. So both go, as long as enough
// holders are spared, or if not both who did not come: an honest one pays with its seat for
// another's lie, and that with its own. Other keys do not go by it, as one says it of the
// other.
func (r Reshare) quarrel(blamed []Absentee, came []string, suspects []Suspect) []Absentee {
	missed := func(operator string) bool { return !slices.Contains(came, operator) }
	accuses := make(map[string]string)
	most := make(map[string]int)
	for _, s := range suspects {
		if missed(s.Operator) {
			continue
		}
		accusers := slices.DeleteFunc(slices.Clone(s.Accusers), func(a string) bool { return !missed(a) })
		for _, accuser := range accusers {
			if len(accusers) > most[accuser] {
				accuses[accuser], most[accuser] = s.Operator, len(accusers)
			}
		}
	}
	isBlamed := func(operator string) bool {
		return slices.ContainsFunc(blamed, func(a Absentee) bool { return a.Operator == operator })
	}
	for _, s := range suspects {
		other, quarrels := accuses[s.Operator]
		if !quarrels || isBlamed(s.Operator) {
			continue
		}
		one := append(slices.Clone(blamed), accusedBy(s.Operator, 1))
		both := one
		if !isBlamed(other) {
			both = append(slices.Clone(one), accusedBy(other, 1))
		}
		switch {
		case r.spares(both):
			blamed = both
		case r.spares(one):
			blamed = one
		}
	}
	slices.SortFunc(blamed, func(a, b Absentee) int { return strings.Compare(a.Operator, b.Operator) })
	return blamed
}

// blame picks whom to do without. Whoever keeps silent is accused by all who led an
// attempt; whoever lies accuses others alone. So the one that the most accuse goes first,
// of equals the one that accuses more itself, and its word counts no more; then the next,
// as long as more than t accuse it, and more than half as many as the first.
func (r Reshare) blame(suspects []Suspect) (blamed []Absentee) {
	gone := make(map[string]bool)
	for first := 0; ; {
		worst, votes := mostAccused(suspects, gone)
		if len(blamed) == 0 {
			first = votes
		}
		if votes <= int(r.Threshold) || 2*votes <= first {
			return blamed
		}
		blamed = append(blamed, accusedBy(worst, votes))
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
