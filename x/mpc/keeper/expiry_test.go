package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// unlimited takes the limits of open requests away.
func unlimited(p *types.Params) {
	p.MaxPending, p.MaxPendingPerRequester = types.MaxPendingLimit, types.MaxPendingLimit
}

// More than a block's worth of requests expire at the same height: the rest
// follows in the next block, in the order of the index.
func TestExpiriesOfABlockAreBounded(t *testing.T) {
	const rest = 3
	f := chain.New(t, 3)
	setParams(t, f, unlimited)
	f.ReadyKey("k", 1)
	for i := range keeper.MaxExpiriesPerBlock + rest {
		f.KeySign(fmt.Sprintf("s-%03d", i), "k", "text")
	}
	f.EndBlocks(301)
	f.Events(&types.EventSignFailed{})

	f.EndBlocks(302)
	require.Equal(t, keeper.MaxExpiriesPerBlock, f.Events(&types.EventSignFailed{}))
	for i := range rest {
		requireSignature(t, f, fmt.Sprintf("s-%03d", i), types.SIGNATURE_STATUS_ERROR, "expired")
		requireSignature(t, f, fmt.Sprintf("s-%03d", keeper.MaxExpiriesPerBlock+i), types.SIGNATURE_STATUS_PENDING, "")
	}
	f.EndBlocks(303)
	require.Equal(t, rest, f.Events(&types.EventSignFailed{}))
	f.EndBlocks(304)
	require.Zero(t, f.Events(&types.EventSignFailed{}))
}

func TestBurialsOfABlockAreBounded(t *testing.T) {
	const rest = 2
	f := chain.New(t, 3)
	setParams(t, f, unlimited)
	for i := range keeper.MaxBurialsPerBlock + rest {
		id := fmt.Sprintf("k-%03d", i)
		f.KeyGen(id, 1)
		_, err := f.Msg.KeyDelete(f.Ctx, &types.MsgKeyDelete{Requester: f.Requester, KeyId: id})
		require.NoError(t, err)
	}
	f.EndBlocks(101)
	f.Events(&types.EventKeyDeleted{})

	f.EndBlocks(102)
	require.Equal(t, keeper.MaxBurialsPerBlock, f.Events(&types.EventKeyDeleted{}))
	f.EndBlocks(103)
	require.Equal(t, rest, f.Events(&types.EventKeyDeleted{}))
}

// A panic at one entry, here of a gas meter, leaves the entry for the next block
// and nothing half done.
func TestPanicAtTheEndOfABlock(t *testing.T) {
	// enough for finding what is due (some hundreds), and not for one write
	const little = 2500
	f := chain.New(t, 3)
	f.ReadyKey("k", 1)
	_, err := f.Msg.KeyDelete(f.Ctx, &types.MsgKeyDelete{Requester: f.Requester, KeyId: "k"})
	require.NoError(t, err)
	f.EndBlocks(101)
	f.Events(&types.EventKeyDeleted{})

	meter := storetypes.NewGasMeter(little)
	require.NoError(t, f.Keeper.EndBlock(f.Ctx.WithGasMeter(meter)))
	require.True(t, meter.IsPastLimit())
	requireKey(t, f, "k", types.KEY_STATUS_DELETING, "")
	require.Zero(t, f.Events(&types.EventKeyDeleted{}))

	f.EndBlocks(102)
	requireKey(t, f, "k", types.KEY_STATUS_DELETED, "")
	require.Equal(t, 1, f.Events(&types.EventKeyDeleted{}))
}
