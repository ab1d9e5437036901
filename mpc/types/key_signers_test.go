package types

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Who has no identity signs as little as who has no share; who has neither is one.
func TestKeySigners(t *testing.T) {
	key := Key{Threshold: 2, Participants: []Operator{"a", "b", "c", "d"}}
	roster := func(revoked ...Operator) *Roster {
		all := map[Operator][]Identity{"x": {{Version: 1, Key: []byte("x")}}}
		for _, op := range key.Participants {
			all[op] = []Identity{{Version: 1, Key: []byte(op)}}
		}
		for _, op := range revoked {
			all[op][0].Revoked = true
		}
		return NewRoster(all)
	}
	require.Equal(t, 4, key.Signers(roster()))
	require.Equal(t, 2, key.Signers(roster("a", "c")))
	key.MissingShares = []Operator{"a", "d"}
	require.Equal(t, 2, key.Signers(roster()))
	require.Equal(t, 1, key.Signers(roster("a", "c")))
	require.Zero(t, key.Signers(nil))
	require.False(t, key.CanSign(roster()), "three are needed")
	key.MissingShares = key.MissingShares[:1]
	require.True(t, key.CanSign(roster()))
	require.False(t, key.CanSign(roster("b")))
}
