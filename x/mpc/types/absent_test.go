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
			accused, newcomer := "", ""
			for _, a := range r.Absent(r.Came(said), suspects) {
				if a.Accused {
					accused += a.Operator
				} else {
					newcomer += a.Operator
				}
			}
			require.Equal(t, c.accused, accused)
			require.Equal(t, c.newcomer, newcomer)
		})
	}
}
