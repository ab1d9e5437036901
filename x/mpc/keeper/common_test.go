package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func mpcOperator(s string) mpctypes.Operator { return mpctypes.Operator(s) }

func requireKey(t *testing.T, f *chain.Fixture, id string, status types.KeyStatus, reason string) types.Key {
	t.Helper()
	key, err := f.Keeper.Key(f.Ctx, id)
	require.NoError(t, err)
	require.Equal(t, status, key.Status)
	require.Equal(t, reason, key.Reason)
	return key
}

func requireSignature(t *testing.T, f *chain.Fixture, id string, status types.SignatureStatus, reason string) types.Signature {
	t.Helper()
	s, err := f.Keeper.Signature(f.Ctx, id)
	require.NoError(t, err)
	require.Equal(t, status, s.Status)
	require.Equal(t, reason, s.Reason)
	return s
}

func setParams(t testing.TB, f *chain.Fixture, change func(*types.Params)) {
	t.Helper()
	p, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	change(&p)
	_, err = f.Msg.UpdateParams(f.Ctx, &types.MsgUpdateParams{Authority: f.Authority, Params: p})
	require.NoError(t, err)
}

func newMeter() storetypes.GasMeter { return storetypes.NewInfiniteGasMeter() }
