package abci_test

import (
	"context"
	"fmt"
	"testing"

	cmtabci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// expensive is a module whose hook for signatures costs nearly all that it may.
type expensive struct{ calls int }

func (*expensive) AfterKeyReady(context.Context, types.Key) error   { return nil }
func (*expensive) AfterKeyFailed(context.Context, types.Key) error  { return nil }
func (*expensive) AfterKeyDeleted(context.Context, types.Key) error { return nil }

func (*expensive) AfterSignFailed(context.Context, types.Signature) error { return nil }

func (e *expensive) AfterSignatureReady(ctx context.Context, _ types.Signature) error {
	e.calls++
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(keeper.HookGasLimit-1, "burning")
	return nil
}

// The hooks of one bundle share its gas: a block applies all results, calls a bounded
// number of hooks, and no result without a hook waits for those of others.
func TestPreBlockBoundsHooks(t *testing.T) {
	const signatures = 100
	f := chain.New(t, 3)
	e := &expensive{}
	f.Keeper.AddHooks("vault", e)
	api := f.Keeper.ForModule("vault")
	_, err := api.KeyGen(f.Ctx, "k", types.ALGORITHM_ECDSA_SECP256K1, 1, nil, keeper.AllowRaw())
	require.NoError(t, err)
	secret := chain.NewSecret("k")
	f.AttestAll("k", secret)
	var results mpctypes.Results
	for i := range signatures {
		s, err := api.KeySign(f.Ctx, fmt.Sprintf("s-%03d", i), "k", chain.Payload("text"))
		require.NoError(t, err)
		results.Signatures = append(results.Signatures, secret.Sign(s.Id, s.Digest))
	}
	plain := f.ReadyKey("plain", 1)
	last := f.KeySign("z", "plain", "text")
	results.Signatures = append(results.Signatures, plain.Sign("z", last.Digest))
	f.EndBlocks(2)
	meter := f.Ctx.GasMeter().GasConsumed()
	_, err = scene{Fixture: f}.handlers(nil).PreBlocker(nil)(f.Ctx, &cmtabci.RequestFinalizeBlock{Height: 2, Txs: [][]byte{bundle(t, results)}})
	require.NoError(t, err)
	require.Equal(t, meter, f.Ctx.GasMeter().GasConsumed(), "no transaction pays")
	for _, s := range results.Signatures {
		got, err := f.Keeper.Signature(f.Ctx, s.RequestID)
		require.NoError(t, err)
		require.Equal(t, types.SIGNATURE_STATUS_READY, got.Status)
	}
	const most = int(keeper.BundleGas/(keeper.HookGasLimit-1)) + 1
	require.LessOrEqual(t, e.calls, most)
	f.EndBlocks(6)
	require.Equal(t, signatures, e.calls)
}
