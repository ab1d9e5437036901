package types_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Wherever a chain that starts anew has its first block, what was decided before it is no
// undecided thing there, and a key ends after its decision.
func TestShiftedDecisionsAreDecided(t *testing.T) {
	f := chain.New(t, 3)
	secret := f.ReadyKey("k", 1)
	asked := f.KeySign("s", "k", "text")
	result := secret.Sign("s", asked.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	decided, err := f.Keeper.Key(f.Ctx, "k")
	require.NoError(t, err)
	signed, err := f.Keeper.Signature(f.Ctx, "s")
	require.NoError(t, err)
	for blocks := -decided.RetireHeight - 2; blocks <= 2; blocks++ {
		key, s := decided, signed
		key.Shift(blocks)
		require.NotZero(t, key.DecidedHeight, "shifted by %d", blocks)
		require.NotZero(t, key.RetireHeight, "shifted by %d", blocks)
		require.NoError(t, key.Validate())
		require.InDelta(t, decided.RetireHeight+blocks, key.RetireHeight, 1)
		s.Shift(blocks)
		require.NotZero(t, s.DecidedHeight, "shifted by %d", blocks)
	}
	adjacent := decided
	adjacent.DecidedHeight, adjacent.RetireHeight = 10, 11
	for blocks := int64(-13); blocks <= 0; blocks++ {
		key := adjacent
		key.Shift(blocks)
		require.NoError(t, key.Validate())
	}
	pending := types.Signature{Status: types.SIGNATURE_STATUS_PENDING}
	pending.Shift(5)
	require.Zero(t, pending.DecidedHeight)
}
