package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// However often more is offered, the hook of x/mpc has gas enough to note it; and of what was
// offered long ago the inclusion counts, too.
func TestManyAttempts(t *testing.T) {
	f, secret := newSettling(t)
	f.setParams(func(p *types.Params) {
		p.MaxFeePerGas, p.BumpPercent, p.BumpBlocks = types.MaxFee, types.MinBumpPercent, 1
	})
	id := f.accept(block(1, 1, 1))
	first := f.sign(id, secret)
	f.Events(&mpctypes.EventHookFailed{})
	for n := uint32(2); n <= 150; n++ {
		f.EndBlocks(f.Ctx.BlockHeight() + 1)
		require.NoError(t, f.bump(0, id))
		newest := f.sign(id, secret)
		require.Equal(t, types.ATTEMPT_STATUS_SIGNED, newest.Status, "attempt %d", n)
		require.Equal(t, n, newest.Number)
		require.Len(t, f.tx(id).Attempts, min(int(n), types.MaxAttempts))
	}
	require.Zero(t, f.Events(&mpctypes.EventHookFailed{}))
	kept := f.tx(id).Attempts
	require.EqualValues(t, 150-types.MaxAttempts+1, kept[0].Number)
	require.Less(t, 10*kept[0].FeePerGas, kept[types.MaxAttempts-1].FeePerGas)

	f.include(id, receipt(first.Hash, true))
	settled := f.tx(id)
	require.Equal(t, types.TRANSACTION_STATUS_SUCCEEDED, settled.Status)
	require.Equal(t, first.Hash, settled.Receipt.Hash)
	require.Equal(t, kept, settled.Attempts, "the one that was included is not among them")
}
