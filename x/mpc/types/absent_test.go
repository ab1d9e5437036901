package types_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// From who accuses whom follows who did not come to a reshare. Of the key are a to d, of
// whom d leaves; e and f are new.
func TestAbsent(t *testing.T) {
	for name, c := range map[string]struct {
		suspects []string // operator, then its accusers
		accused  string
		newcomer string
	}{
		"nobody says anything":            {suspects: []string{"a", "b", "c", "e", "f"}, newcomer: "ef"},
		"a newcomer attested":             {suspects: []string{"a", "b", "c", "f"}, newcomer: "f"},
		"one dead participant":            {suspects: []string{"a", "b", "cab", "e", "f"}, accused: "c"},
		"one dead newcomer":               {suspects: []string{"a", "b", "c", "eab", "f"}, accused: "e"},
		"two dead, one leads":             {suspects: []string{"a", "b", "ca", "ea", "f"}, accused: "ce"},
		"two dead, of one less was heard": {suspects: []string{"a", "b", "cabd", "eab", "f"}, accused: "ce"},
		"it accuses everybody":            {suspects: []string{"ac", "bc", "cab", "ec", "fc"}, accused: "c"},
		"it does, and one leads":          {suspects: []string{"ac", "bc", "ca", "ec"}, accused: "c"},
		"who left accuses everybody":      {suspects: []string{"ad", "bd", "cabd", "ed"}, accused: "c"},
		"two accuse each other":           {suspects: []string{"ab", "ba"}, accused: "a"},
		"nobody is left to accuse":        {suspects: nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := types.Reshare{OldParticipants: []string{"a", "b", "c", "d"}}
			var suspects []types.Suspect
			for _, s := range c.suspects {
				suspects = append(suspects, types.Suspect{Operator: s[:1], Accusers: strings.Split(s[1:], "")})
			}
			accused, newcomer := "", ""
			for _, a := range r.Absent(suspects) {
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
