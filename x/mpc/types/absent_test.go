package types_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// From who attested what and who accuses whom follows who did not come to a reshare. Of the
// key are a to d, of whom d leaves and three sign; e and f are new.
func TestAbsent(t *testing.T) {
	for name, c := range map[string]struct {
		attest   []string // the operators that attested one session
		accuse   []string // operator, then its accusers
		accused  string
		newcomer string
		again    bool
	}{
		"nobody says anything":                 {newcomer: "ef"},
		"all but a newcomer attested":          {attest: []string{"abcf"}, accused: "e"},
		"all but a participant attested":       {attest: []string{"abef"}, accused: "c"},
		"two of the participants did not":      {attest: []string{"aef"}, newcomer: ""},
		"a few attested":                       {attest: []string{"ab"}, newcomer: "ef"},
		"each another session":                 {attest: []string{"a", "b", "c", "e"}, newcomer: "ef"},
		"it attested what nobody did":          {attest: []string{"abef", "c"}, accused: "c"},
		"it attested alone, and accuses all":   {attest: []string{"c"}, accuse: []string{"ac", "bc", "ec", "fc"}, newcomer: "ef"},
		"two do":                               {attest: []string{"ce"}, accuse: []string{"ace", "bce", "fce"}, newcomer: "ef"},
		"one dead participant":                 {accuse: []string{"cabe"}, accused: "c"},
		"it is, and two saw it":                {accuse: []string{"cab"}, newcomer: "ef"},
		"one dead newcomer":                    {accuse: []string{"eabc"}, accused: "e"},
		"two dead":                             {accuse: []string{"cabf", "eabf"}, newcomer: "", accused: "ce"},
		"two dead, of one less was heard":      {accuse: []string{"cabef", "eabf"}, accused: "ce"},
		"it accuses everybody":                 {accuse: []string{"ac", "bc", "cabe", "ec", "fc"}, accused: "c"},
		"who is blamed accuses with two":       {accuse: []string{"acef", "cabef"}, accused: "c"},
		"all accuse two participants":          {accuse: []string{"abcef", "cabef"}, newcomer: "ef"},
		"more participants than may be":        {accuse: []string{"abef", "cbef"}, newcomer: "ef"},
		"it did not attest, and accuses who":   {attest: []string{"abef"}, accuse: []string{"ac"}, newcomer: ""},
		"it does so again":                     {attest: []string{"abef"}, accuse: []string{"ec"}, again: true, accused: "ce"},
		"it does, and accuses many":            {attest: []string{"abef"}, accuse: []string{"ac", "bc", "ec", "fc"}, again: true, accused: "c"},
		"a newcomer does":                      {attest: []string{"abcf"}, accuse: []string{"ae"}, again: true, accused: "ae"},
		"two do, of one":                       {attest: []string{"abf"}, accuse: []string{"ac", "fce"}, again: true, accused: "cef"},
		"it accuses a holder, not both may go": {attest: []string{"abef"}, accuse: []string{"ac"}, again: true, accused: "c"},
		"it accuses who did not come either":   {attest: []string{"abf"}, accuse: []string{"ec"}, again: true, accused: "ce"},
		"again, and nobody came":               {accuse: []string{"ac"}, again: true, newcomer: "ef"},
		"it did, and three accuse it":          {attest: []string{"abef"}, accuse: []string{"ac", "cabe"}, accused: "c"},
		"who attested is accused from earlier": {attest: []string{"abef"}, accuse: []string{"abef"}, accused: "c"},
	} {
		t.Run(name, func(t *testing.T) {
			r := types.Reshare{
				OldParticipants: []string{"a", "b", "c", "d"}, Participants: []string{"a", "b", "c", "e", "f"}, Threshold: 2,
			}
			said := make(map[string][]string)
			for i, who := range c.attest {
				said[string(rune('0'+i))] = strings.Split(who, "")
			}
			var suspects []types.Suspect
			for _, operator := range r.Participants {
				s := types.Suspect{Operator: operator}
				for _, a := range c.accuse {
					if a[:1] == operator {
						s.Accusers = strings.Split(a[1:], "")
					}
				}
				suspects = append(suspects, s)
			}
			accused, newcomer := absentees(r.Absent(r.Came(said), suspects, c.again))
			require.Equal(t, c.accused, accused)
			require.Equal(t, c.newcomer, newcomer)
		})
	}
}

// absentees are the names of those who are accused, and of the others.
func absentees(all []types.Absentee) (accused, others string) {
	for _, a := range all {
		if a.Accused {
			accused += a.Operator
		} else {
			others += a.Operator
		}
	}
	return accused, others
}

// From who accuses whom follows who kept the test of new shares from the signature, though
// all attested.
func TestWithheld(t *testing.T) {
	for name, c := range map[string]struct {
		committee string
		accuse    []string // operator, then its accusers
		accused   string
		newcomer  string
	}{
		"nobody says anything":             {committee: "abcef"},
		"three accuse a newcomer":          {committee: "abcef", accuse: []string{"eabc"}, accused: "e"},
		"three accuse a participant":       {committee: "abcef", accuse: []string{"cabe"}, accused: "c"},
		"two do":                           {committee: "abcef", accuse: []string{"eab"}},
		"more participants than may be":    {committee: "abcef", accuse: []string{"abef", "cbef"}},
		"everybody is needed":              {committee: "abe", newcomer: "e"},
		"everybody is, and two accuse it":  {committee: "abe", accuse: []string{"eab"}, newcomer: "e"},
		"everybody is, and it accuses all": {committee: "abe", accuse: []string{"ae", "be"}, newcomer: "e"},
		"everybody is, and nobody is new":  {committee: "abc", accuse: []string{"cab"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := types.Reshare{OldParticipants: []string{"a", "b", "c", "d"}, Participants: strings.Split(c.committee, ""), Threshold: 2}
			suspects := make([]types.Suspect, len(r.Participants))
			for i, operator := range r.Participants {
				suspects[i].Operator = operator
				for _, a := range c.accuse {
					if a[:1] == operator {
						suspects[i].Accusers = strings.Split(a[1:], "")
					}
				}
			}
			accused, newcomer := absentees(r.Withheld(suspects))
			require.Equal(t, c.accused, accused)
			require.Equal(t, c.newcomer, newcomer)
		})
	}
}

// A key goes by what another one found out of somebody else than its participants, if more
// than t said so, and until it is over.
func TestHeed(t *testing.T) {
	own := types.Absentee{Operator: "d", UntilHeight: 100}
	accused := types.Absentee{Operator: "d", UntilHeight: 100, Accused: true, Words: 3}
	for name, c := range map[string]struct {
		own  []types.Absentee
		a    types.Absentee
		want []types.Absentee
	}{
		"a stranger":    {nil, accused, []types.Absentee{accused}},
		"a participant": {nil, types.Absentee{Operator: "b", UntilHeight: 100, Accused: true, Words: 3}, nil},
		"t say so":      {nil, types.Absentee{Operator: "d", UntilHeight: 100, Accused: true, Words: 2}, nil},
		"it is over":    {nil, types.Absentee{Operator: "d", UntilHeight: 10, Accused: true, Words: 3}, nil},
		"unblamed here": {[]types.Absentee{own}, accused, []types.Absentee{accused}},
		"blamed here as well": {
			[]types.Absentee{{Operator: "d", UntilHeight: 50, Accused: true, Words: 4}}, accused,
			[]types.Absentee{{Operator: "d", UntilHeight: 50, Accused: true, Words: 4}},
		},
		"in its place": {
			[]types.Absentee{{Operator: "c", UntilHeight: 50}, {Operator: "e", UntilHeight: 50}}, accused,
			[]types.Absentee{{Operator: "c", UntilHeight: 50}, accused, {Operator: "e", UntilHeight: 50}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := types.Key{Participants: []string{"a", "b"}, Threshold: 2, Absentees: c.own}
			k.Heed(c.a, 10)
			require.Equal(t, c.want, k.Absentees)
		})
	}
}

func TestJoinedAbsentees(t *testing.T) {
	a := types.Absentee{Operator: "a", UntilHeight: 100, Accused: true, Words: 3}
	b := types.Absentee{Operator: "a", UntilHeight: 50, Accused: true, Words: 5}
	require.Equal(t, b, a.Joined(b, 10), "five said so until 50, and three only until 100")
	require.Equal(t, b, b.Joined(a, 10))
	longer := a
	longer.UntilHeight = 120
	require.Equal(t, longer, a.Joined(longer, 10))
	require.Equal(t, longer, longer.Joined(a, 10))
	require.Equal(t, a, a.Joined(b, 50), "that one is over")
	require.Equal(t, a, a.Joined(types.Absentee{}, 10))
}
