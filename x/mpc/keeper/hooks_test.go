package keeper_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// recorder is a module's hooks: it writes down what it hears and does what a test
// wants.
type recorder struct {
	heard []string
	do    func(ctx context.Context, hook, id string) error
}

func (r *recorder) hear(ctx context.Context, hook, id string) error {
	r.heard = append(r.heard, hook+" "+id)
	if r.do == nil {
		return nil
	}
	return r.do(ctx, hook, id)
}

func (r *recorder) AfterKeyReady(ctx context.Context, k types.Key) error {
	return r.hear(ctx, "ready", k.Id)
}

func (r *recorder) AfterKeyFailed(ctx context.Context, k types.Key) error {
	return r.hear(ctx, "failed", k.Id+" "+k.Reason)
}

func (r *recorder) AfterSignatureReady(ctx context.Context, s types.Signature) error {
	return r.hear(ctx, "signed", s.Id)
}

func (r *recorder) AfterSignFailed(ctx context.Context, s types.Signature) error {
	return r.hear(ctx, "unsigned", s.Id+" "+s.Reason)
}

func (r *recorder) AfterKeyDeleted(ctx context.Context, k types.Key) error {
	return r.hear(ctx, "deleted", k.Id)
}

func withModule(t *testing.T) (*chain.Fixture, *recorder, keeper.ModuleAPI) {
	f := chain.New(t, 3)
	r := &recorder{}
	f.Keeper.AddHooks("vault", r).AddHooks("other", &recorder{do: func(context.Context, string, string) error {
		t.Error("another module heard of it")
		return nil
	}}).SealHooks()
	return f, r, f.Keeper.ForModule("vault")
}

func moduleKey(t *testing.T, f *chain.Fixture, api keeper.ModuleAPI, id string) chain.Secret {
	t.Helper()
	key, err := api.KeyGen(f.Ctx, id, types.ALGORITHM_ECDSA_SECP256K1, 1, nil)
	require.NoError(t, err)
	require.Equal(t, api.Owner(), key.Owner)
	secret := chain.NewSecret(id)
	f.AttestAll(id, secret)
	return secret
}

func TestModuleHearsOfItsOwn(t *testing.T) {
	f, r, api := withModule(t)
	f.ReadyKey("accounts", 1) // nobody's hook
	secret := moduleKey(t, f, api, "vault:1")
	s, err := api.KeySign(f.Ctx, "vault:s1", "vault:1", chain.Payload("a"))
	require.NoError(t, err)
	_, err = api.KeySign(f.Ctx, "vault:s2", "vault:1", chain.Payload("b"))
	require.NoError(t, err)
	result := secret.Sign("vault:s1", s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	_, err = api.KeyGen(f.Ctx, "vault:2", types.ALGORITHM_ECDSA_SECP256K1, 1, nil)
	require.NoError(t, err)
	f.EndBlocks(302)
	height, err := api.KeyDelete(f.Ctx, "vault:1")
	require.NoError(t, err)
	f.EndBlocks(height + 1)
	_, err = api.KeyDelete(f.Ctx, "vault:2")
	require.NoError(t, err)
	require.Equal(t, []string{
		"ready vault:1", "signed vault:s1", "unsigned vault:s2 expired", "deleted vault:1", "failed vault:2 key_deleted",
	}, r.heard)

	got, err := api.Signature(f.Ctx, "vault:s1")
	require.NoError(t, err)
	require.Equal(t, types.SIGNATURE_STATUS_READY, got.Status)
	// An account cannot use a module's key, nor a module an account's.
	_, err = f.Msg.KeySign(f.Ctx, &types.MsgKeySign{Requester: f.Requester, SignatureId: "x", KeyId: "vault:2", Payload: chain.Payload("x")})
	require.ErrorIs(t, err, types.ErrNotOwner)
	require.ErrorIs(t, api.CanSign(f.Ctx, "accounts"), types.ErrNotOwner)
	require.ErrorIs(t, api.CanSign(f.Ctx, "vault:1"), types.ErrKeyDeleted)
	require.NoError(t, api.CanKeyGen(f.Ctx, 2, nil))
	require.ErrorIs(t, api.CanKeyGen(f.Ctx, 3, nil), types.ErrTooFewParticipants)
	require.ErrorIs(t, api.CanKeyGen(f.Ctx, 0, nil), types.ErrBadThreshold)
	key, err := api.Key(f.Ctx, "vault:1")
	require.NoError(t, err)
	require.Equal(t, "vault", key.Module)
}

// Nobody takes a module's next id from it, and a module gets in when accounts have
// filled what there is for them.
func TestRoomForModules(t *testing.T) {
	f, _, api := withModule(t)
	setParams(t, f, func(p *types.Params) { p.MaxPending, p.MaxPendingPerRequester = 4, 4 })
	ask := func(id string) error {
		_, err := f.Msg.KeyGen(f.Ctx, &types.MsgKeyGen{Requester: f.Requester, KeyId: id, Algorithm: types.ALGORITHM_ECDSA_SECP256K1, Threshold: 1})
		return err
	}
	for _, id := range []string{"vault:1", "plain:1", "x:y"} {
		require.ErrorIs(t, ask(id), types.ErrBadID, id)
	}
	_, err := api.KeyGen(f.Ctx, "plain:1", types.ALGORITHM_ECDSA_SECP256K1, 1, nil)
	require.ErrorIs(t, err, types.ErrBadID, "another module's")
	for i := range 3 {
		require.NoError(t, ask(fmt.Sprint("k-", i)))
	}
	require.ErrorIs(t, ask("k-3"), types.ErrTooManyPending)
	moduleKey(t, f, api, "vault:1")
	_, err = f.Msg.KeySign(f.Ctx, &types.MsgKeySign{Requester: f.Requester, SignatureId: "vault:s", KeyId: "k-0", Payload: chain.Payload("a")})
	require.ErrorIs(t, err, types.ErrBadID)
	_, err = f.Msg.KeyReshare(f.Ctx, &types.MsgKeyReshare{Requester: f.Authority, ReshareId: "vault:r", KeyId: "k-0", Threshold: 1})
	require.ErrorIs(t, err, types.ErrBadID)
}

func TestFailingHookRollsBackAlone(t *testing.T) {
	burn := func(ctx context.Context) {
		sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(keeper.HookGasLimit+1, "burning")
	}
	for name, c := range map[string]struct {
		fail func(context.Context) error
		says string
	}{
		"error":         {func(context.Context) error { return errors.New("not today") }, "not today"},
		"panic":         {func(context.Context) error { panic("at the disco") }, "panic: at the disco"},
		"runtime error": {func(context.Context) error { var m map[string]int; m["a"] = 1; return nil }, "nil map"},
		"odd panic":     {func(context.Context) error { panic(&struct{ a int }{}) }, "panic of type *struct"},
		"out of gas":    {func(ctx context.Context) error { burn(ctx); return nil }, "out of gas"},
		"long error":    {func(context.Context) error { return errors.New(strings.Repeat("x", 1000)) }, "xxx"},
	} {
		t.Run(name, func(t *testing.T) {
			f, r, api := withModule(t)
			r.do = func(ctx context.Context, hook, _ string) error {
				if hook != "ready" {
					return nil
				}
				// What the hook did before it failed must go.
				if _, err := api.KeyGen(ctx, "trace", types.ALGORITHM_ECDSA_SECP256K1, 1, nil); err != nil {
					return err
				}
				return c.fail(ctx)
			}
			moduleKey(t, f, api, "k")
			requireKey(t, f, "k", types.KEY_STATUS_READY, "")
			_, err := api.Key(f.Ctx, "trace")
			require.ErrorIs(t, err, types.ErrUnknownKey)
			events := f.Ctx.EventManager().Events()
			last := events[len(events)-1]
			require.Equal(t, "sequencer.mpc.v1.EventHookFailed", last.Type)
			said, _ := last.GetAttribute("error")
			require.Contains(t, said.Value, c.says)
			require.Less(t, len(said.Value), 300)
			require.Equal(t, 1, f.Events(&types.EventKeyGenRequested{}), "the hook's own events are gone, too")
		})
	}
}

// What a hook reads may be on a disk that fails: the node stops there, for the others
// have what it could not read.
func TestHookStopsAtABrokenDisk(t *testing.T) {
	f, r, api := withModule(t)
	r.do = func(context.Context, string, string) error { panic(fmt.Errorf("get: %w", syscall.EIO)) }
	require.PanicsWithError(t, "get: "+syscall.EIO.Error(), func() { moduleKey(t, f, api, "k") })
}

// A hook asks again: it signs when its key is ready, asks for another key when one
// fails, and deletes a key while its requests are being failed.
func TestHooksMayAskAgain(t *testing.T) {
	f, r, api := withModule(t)
	r.do = func(ctx context.Context, hook, id string) error {
		var err error
		switch hook {
		case "ready":
			for _, s := range []string{"-s1", "-s2", "-s3"} {
				if _, err = api.KeySign(ctx, id+s, id, chain.Payload(id+s)); err != nil {
					return err
				}
			}
		case "unsigned":
			if strings.HasPrefix(id, "k1-s1") {
				_, err = api.KeyDelete(ctx, "k1") // ends s2 and s3, which expire in the same block
			}
		case "failed":
			_, err = api.KeyGen(ctx, "next", types.ALGORITHM_ECDSA_SECP256K1, 2, nil)
		}
		return err
	}
	moduleKey(t, f, api, "k1")
	requireSignature(t, f, "k1-s1", types.SIGNATURE_STATUS_PENDING, "")
	_, err := api.KeyGen(f.Ctx, "k2", types.ALGORITHM_ECDSA_SECP256K1, 1, nil)
	require.NoError(t, err)
	f.EndBlocks(302)
	require.Equal(t, []string{
		"ready k1", "unsigned k1-s1 expired", "unsigned k1-s2 key_deleted", "unsigned k1-s3 key_deleted",
	}, r.heard)
	f.EndBlocks(602)
	requireKey(t, f, "k2", types.KEY_STATUS_ERROR, "expired")
	requireKey(t, f, "next", types.KEY_STATUS_PENDING, "")
	require.Zero(t, f.Events(&types.EventHookFailed{}))
}

// askAndDelete asks for a key and deletes it while it is PENDING, so that it fails
// and the module hears of it in the midst of what it is doing. It thinks little of
// gas: the limits hold all the same.
func askAndDelete(ctx context.Context, api keeper.ModuleAPI, id string) error {
	if _, err := api.KeyGen(ctx, id, types.ALGORITHM_ECDSA_SECP256K1, 1, nil); err != nil {
		return err
	}
	_, err := api.KeyDelete(sdk.UnwrapSDKContext(ctx).WithGasMeter(newMeter()), id)
	return err
}

func TestHooksInsideOfHooksEnd(t *testing.T) {
	f, r, api := withModule(t)
	r.do = func(ctx context.Context, _, _ string) error {
		return askAndDelete(ctx, api, fmt.Sprintf("k%d", len(r.heard)))
	}
	_, err := api.KeyGen(f.Ctx, "k0", types.ALGORITHM_ECDSA_SECP256K1, 1, nil)
	require.NoError(t, err)
	f.EndBlocks(602)
	require.Len(t, r.heard, keeper.MaxNestedHooks)
	for i := 1; i <= keeper.MaxNestedHooks; i++ {
		requireKey(t, f, fmt.Sprintf("k%d", i), types.KEY_STATUS_DELETING, "key_deleted")
	}
	require.Equal(t, 1, f.Events(&types.EventHookFailed{}), "the one that was not called")
}

// What a hook inside of a hook uses is gone for the outer one, whether the inner
// one succeeded or not: together they have the limit of one.
func TestHooksInsideOfHooksShareGas(t *testing.T) {
	const thousand = 1000
	no := errors.New("no")
	for name, c := range map[string]struct {
		// what the outer hook burns before and after the inner one is called
		before, inner, after uint64
		fails                error
		rolledBack           bool // of the outer hook, and the inner one with it
		reported             int
	}{
		"enough for both":                {before: 250, inner: 250, after: 250},
		"the inner one has what is left": {before: 1000, inner: 600, reported: 1},
		"and leaves nothing":             {before: 1000, inner: 600, after: 1, rolledBack: true, reported: 1},
		"the outer one pays":             {before: 250, inner: 900, after: 400, rolledBack: true, reported: 1},
		"it pays for failure, too":       {before: 250, inner: 900, fails: no, after: 400, rolledBack: true, reported: 1},
		"failure alone is no matter":     {before: 250, inner: 250, fails: no, after: 250, reported: 1},
	} {
		t.Run(name, func(t *testing.T) {
			f, r, api := withModule(t)
			burn := func(ctx context.Context, gas uint64) {
				sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(gas*thousand, "burning")
			}
			r.do = func(ctx context.Context, _, id string) error {
				if id != "k0 expired" {
					burn(ctx, c.inner)
					return c.fails
				}
				burn(ctx, c.before)
				err := askAndDelete(ctx, api, "k1")
				burn(ctx, c.after)
				return err
			}
			_, err := api.KeyGen(f.Ctx, "k0", types.ALGORITHM_ECDSA_SECP256K1, 1, nil)
			require.NoError(t, err)
			f.EndBlocks(602)
			require.Len(t, r.heard, 2)
			_, err = api.Key(f.Ctx, "k1")
			if c.rolledBack {
				require.ErrorIs(t, err, types.ErrUnknownKey)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, c.reported, f.Events(&types.EventHookFailed{}))
		})
	}
}

// A hook that ends more open requests than it can pay for is rolled back; a
// transaction ends as many as there are.
func TestHookPaysForWhatItCondemns(t *testing.T) {
	for open, afford := range map[int]bool{100: true, 300: false} {
		f, r, api := withModule(t)
		setParams(t, f, unlimited)
		moduleKey(t, f, api, "k")
		for i := range open {
			_, err := api.KeySign(f.Ctx, fmt.Sprint(i), "k", chain.Payload("s"))
			require.NoError(t, err)
		}
		r.do = func(ctx context.Context, hook, _ string) error {
			if hook != "failed" {
				return nil
			}
			_, err := api.KeyDelete(ctx, "k")
			return err
		}
		_, err := api.KeyGen(f.Ctx, "trigger", types.ALGORITHM_ECDSA_SECP256K1, 1, nil)
		require.NoError(t, err)
		f.Events(&types.EventHookFailed{})
		_, err = api.KeyDelete(f.Ctx, "trigger")
		require.NoError(t, err)
		if afford {
			requireKey(t, f, "k", types.KEY_STATUS_DELETING, "")
			require.Zero(t, f.Events(&types.EventHookFailed{}))
			continue
		}
		requireKey(t, f, "k", types.KEY_STATUS_READY, "")
		require.Zero(t, f.Entries(types.CondemnedRequestsPrefix))
		require.Equal(t, 1, f.Events(&types.EventHookFailed{}))
		_, err = api.KeyDelete(f.Ctx, "k")
		require.NoError(t, err)
		require.Equal(t, open, f.Entries(types.CondemnedRequestsPrefix))
	}
}

func TestHooksAreSealed(t *testing.T) {
	f, _, _ := withModule(t)
	require.PanicsWithValue(t, "x/mpc: hooks of module late come too late; add them before the modules register their services",
		func() { f.Keeper.AddHooks("late", &recorder{}) })
	open := chain.New(t, 0)
	open.Keeper.AddHooks("a", &recorder{})
	require.Panics(t, func() { open.Keeper.AddHooks("a", &recorder{}) })
	require.Panics(t, func() { open.Keeper.AddHooks("b", nil) })
	require.Panics(t, func() { open.Keeper.AddHooks("", &recorder{}) })
	require.Panics(t, func() { open.Keeper.ForModule("") })
}

// The gas limit of a hook is stated as so many requests; this keeps it true.
func TestHookGasIsEnough(t *testing.T) {
	f := chain.New(t, 16)
	api := f.Keeper.ForModule("vault")
	moduleKey(t, f, api, "k")
	gas := func(ask func(ctx context.Context)) uint64 {
		ctx := f.Ctx.WithGasMeter(newMeter())
		ask(ctx)
		return ctx.GasMeter().GasConsumed()
	}
	sign := gas(func(ctx context.Context) {
		_, err := api.KeySign(ctx, "s", "k", chain.Payload("s"))
		require.NoError(t, err)
	})
	t.Logf("gas of KeySign with 16 participants: %d", sign)
	require.Less(t, sign*8, keeper.HookGasLimit)
	const open = 100
	for i := range open {
		_, err := api.KeySign(f.Ctx, fmt.Sprint(i), "k", chain.Payload("s"))
		require.NoError(t, err)
	}
	setParams(t, f, func(p *types.Params) { p.MaxParticipants = mpctypes.MaxMembers })
	for i := 16; i < mpctypes.MaxMembers; i++ {
		f.Register(f.AddValidator(i))
	}
	keygen := gas(func(ctx context.Context) {
		_, err := api.KeyGen(ctx, "k64", types.ALGORITHM_ECDSA_SECP256K1, 21, nil)
		require.NoError(t, err)
	})
	t.Logf("gas of KeyGen with 64 participants: %d", keygen)
	require.Less(t, keygen*2, keeper.HookGasLimit)
	condemned := f.Keeper.CondemnGas(f.Ctx, "k")
	t.Logf("gas of a deletion for each open request: %d", condemned/(open+1))
	require.Less(t, condemned*2, keeper.HookGasLimit)
}
