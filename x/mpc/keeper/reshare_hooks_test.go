package keeper_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// reshareRecorder writes down what it hears of reshares.
type reshareRecorder struct{ recorder }

func (r *reshareRecorder) AfterKeyReshared(ctx context.Context, k types.Key, reshare types.Reshare) error {
	return r.hear(ctx, "reshared", k.Id+" "+reshare.Id)
}

func (r *reshareRecorder) AfterReshareFailed(ctx context.Context, reshare types.Reshare) error {
	return r.hear(ctx, "not reshared", reshare.Id+" "+reshare.Reason)
}

func TestModuleHearsOfReshares(t *testing.T) {
	f := chain.New(t, 3)
	r, other := &reshareRecorder{}, &reshareRecorder{}
	f.Keeper.AddHooks("vault", r).AddReshareHooks("vault", r).AddReshareHooks("other", other).SealHooks()
	api := f.Keeper.ForModule("vault")
	secret := moduleKey(t, f, api, "vault:k")
	accounts := f.ReadyKey("accounts", 1)

	require.NoError(t, api.CanReshare(f.Ctx, "vault:k", 1, nil))
	require.ErrorIs(t, api.CanReshare(f.Ctx, "accounts", 1, nil), types.ErrNotOwner)
	require.ErrorIs(t, api.CanReshare(f.Ctx, "vault:k", 3, nil), types.ErrTooFewParticipants)
	asked, err := api.KeyReshare(f.Ctx, "vault:r1", "vault:k", 1, nil)
	require.NoError(t, err)
	require.Equal(t, api.Owner(), asked.Owner)
	require.ErrorIs(t, api.CanReshare(f.Ctx, "vault:k", 1, nil), types.ErrResharePending)
	f.Stage("vault:r1", secret)
	f.PassTest("vault:r1", secret)

	// Whoever asks for it, it is the key's module that hears of it.
	_, err = f.Msg.KeyReshare(f.Ctx, &types.MsgKeyReshare{Requester: f.Authority, ReshareId: "r2", KeyId: "vault:k", Threshold: 1})
	require.NoError(t, err)
	f.Stage("r2", secret)
	cancelled, err := api.CancelReshare(f.Ctx, "r2")
	require.NoError(t, err)
	stored, err := api.Reshare(f.Ctx, "r2")
	require.NoError(t, err)
	require.Equal(t, stored, cancelled)
	f.Reshare("r3", "accounts", 1)
	f.Stage("r3", accounts)
	f.PassTest("r3", accounts)
	require.Equal(t, []string{"ready vault:k", "reshared vault:k vault:r1", "not reshared r2 cancelled"}, r.heard, "and not of the tests")
	require.Empty(t, other.heard)
}

// The hook of a switch waits for the end of the block where a bundle cost enough, also
// in a chain that starts anew from there.
func TestQueuedReshareHook(t *testing.T) {
	f := chain.New(t, 3)
	r := &reshareRecorder{}
	f.Keeper.AddHooks("vault", r).AddReshareHooks("vault", r)
	api := f.Keeper.ForModule("vault")
	secret := moduleKey(t, f, api, "k")
	_, err := api.KeyReshare(f.Ctx, "r", "k", 1, nil)
	require.NoError(t, err)
	f.Stage("r", secret)
	r.heard = nil
	s, err := f.Keeper.Signature(f.Ctx, "test:r")
	require.NoError(t, err)
	result := secret.Sign(s.Id, s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(spent(f), &result))
	requireReshare(t, f, "r", types.RESHARE_STATUS_READY, "")
	require.Empty(t, r.heard)
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())

	f.EndBlocks(2)
	require.Equal(t, []string{"reshared k r"}, r.heard)

	anew := chain.NewEmpty(t)
	heard := &reshareRecorder{}
	anew.Keeper.AddHooks("vault", heard).AddReshareHooks("vault", heard)
	require.NoError(t, anew.Keeper.InitGenesis(anew.Ctx, *gs))
	anew.Ctx = anew.Ctx.WithBlockHeight(1)
	anew.EndBlocks(2)
	require.Equal(t, []string{"reshared k r"}, heard.heard)
}

// A hook that waited for so long that its reshare is gone is told to nobody.
func TestQueuedHookOfAPrunedReshare(t *testing.T) {
	f := chain.New(t, 3)
	r := &reshareRecorder{}
	f.Keeper.AddHooks("vault", r).AddReshareHooks("vault", r)
	api := f.Keeper.ForModule("vault")
	secret := moduleKey(t, f, api, "k")
	_, err := api.KeyReshare(f.Ctx, "r", "k", 1, nil)
	require.NoError(t, err)
	f.Stage("r", secret)
	r.heard = nil
	retain(t, f, 1)
	s, err := f.Keeper.Signature(f.Ctx, "test:r")
	require.NoError(t, err)
	result := secret.Sign(s.Id, s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(spent(f), &result))
	spoil(f, types.ResharesPrefix, "r", failures["error"])
	f.EndBlocks(2)
	f.Spoiled = nil
	f.EndBlocks(4)
	requireNoReshare(t, f, "r", types.ErrPruned)
	require.Equal(t, 1, f.Entries(types.QueuedHooksPrefix))
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())
	f.EndBlocks(2 + keeper.RetryBlocks)
	require.Zero(t, f.Entries(types.QueuedHooksPrefix))
	require.Empty(t, r.heard)
}

// A hook that fails rolls back alone: the key has switched.
func TestFailingReshareHook(t *testing.T) {
	f := chain.New(t, 3)
	r := &reshareRecorder{}
	f.Keeper.AddHooks("vault", r).AddReshareHooks("vault", r)
	api := f.Keeper.ForModule("vault")
	secret := moduleKey(t, f, api, "k")
	r.do = func(ctx context.Context, _, _ string) error {
		_, err := api.KeyReshare(ctx, "trace", "k", 1, nil)
		return errors.Join(err, errors.New("not today"))
	}
	_, err := api.KeyReshare(f.Ctx, "r", "k", 1, nil)
	require.NoError(t, err)
	f.Stage("r", secret)
	f.Events(&types.EventHookFailed{})
	f.PassTest("r", secret)
	require.Equal(t, 1, f.Events(&types.EventHookFailed{}))
	requireReshare(t, f, "r", types.RESHARE_STATUS_READY, "")
	_, err = api.Reshare(f.Ctx, "trace")
	require.ErrorIs(t, err, types.ErrUnknownReshare)

	// It may ask again when one failed.
	r.do = func(ctx context.Context, hook, _ string) error {
		_, err := api.KeyReshare(ctx, "third", "k", 1, nil)
		return err
	}
	_, err = api.KeyReshare(f.Ctx, "second", "k", 1, nil)
	require.NoError(t, err)
	_, err = api.CancelReshare(f.Ctx, "second")
	require.NoError(t, err)
	requireReshare(t, f, "third", types.RESHARE_STATUS_PENDING, "")
}

func TestReshareHooksAreSealed(t *testing.T) {
	f := chain.New(t, 0)
	f.Keeper.AddReshareHooks("a", &reshareRecorder{})
	require.Panics(t, func() { f.Keeper.AddReshareHooks("a", &reshareRecorder{}) })
	require.Panics(t, func() { f.Keeper.AddReshareHooks("b", nil) })
	require.Panics(t, func() { f.Keeper.AddReshareHooks("", &reshareRecorder{}) })
	f.Keeper.SealHooks()
	require.PanicsWithValue(t, "x/mpc: reshare hooks of module late come too late; add them before the modules register their services",
		func() { f.Keeper.AddReshareHooks("late", &reshareRecorder{}) })
}

// A hook can pay for a reshare between any two committees.
func TestHookGasIsEnoughForAReshare(t *testing.T) {
	f := chain.New(t, mpctypes.MaxMembers)
	setParams(t, f, func(p *types.Params) { p.MaxParticipants = mpctypes.MaxMembers })
	api := f.Keeper.ForModule("vault")
	moduleKey(t, f, api, "k")
	ctx := f.Ctx.WithGasMeter(newMeter())
	_, err := api.KeyReshare(ctx, "r", "k", 1, nil)
	require.NoError(t, err)
	t.Logf("gas of KeyReshare with 64 members: %d", ctx.GasMeter().GasConsumed())
	require.Less(t, ctx.GasMeter().GasConsumed(), keeper.HookGasLimit)
}
