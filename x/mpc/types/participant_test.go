package types_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestCurrentBetween: which identities a request may have pinned in which blocks. In the
// block of a change it may be either.
func TestCurrentBetween(t *testing.T) {
	p := types.Participant{Operator: "op", Identities: []types.Identity{
		{Version: 1, RegisteredHeight: 10},                    // rotated
		{Version: 2, RegisteredHeight: 20, RevokedHeight: 30}, // revoked
		{Version: 3, RegisteredHeight: 40, RevokedHeight: 60}, // rotated, and revoked with the next one
		{Version: 4, RegisteredHeight: 50, RevokedHeight: 60},
		{Version: 5, RegisteredHeight: 70},
	}}
	for version, in := range map[uint32][2]int64{1: {10, 20}, 2: {20, 30}, 3: {40, 50}, 4: {50, 60}, 5: {70, 1000}} {
		for height := range int64(1001) {
			_, ok := p.CurrentBetween(version, height, height)
			require.Equal(t, in[0] <= height && height <= in[1], ok, "version %d at %d", version, height)
		}
		_, ok := p.CurrentBetween(version, 0, in[0]-1)
		require.False(t, ok)
		_, ok = p.CurrentBetween(version, 0, 2000)
		require.True(t, ok)
	}
	for _, version := range []uint32{0, 6} {
		_, ok := p.CurrentBetween(version, 0, 2000)
		require.False(t, ok)
	}
	var until []int64
	for _, id := range p.ToEngine() {
		until = append(until, id.Until)
	}
	require.Equal(t, []int64{20, 30, 50, 60, 0}, until)
}
