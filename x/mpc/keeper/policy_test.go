package keeper_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/testutil/fakekind"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// A policy of the parameters is pinned by a request, and is what participants check again.
func TestPolicyOfParams(t *testing.T) {
	f, _ := newNotary(t)
	policy := types.KeyPolicy{KeyId: "typed", ChainIds: []string{"1"}, To: []string{"a"}, MaxValue: "2", MaxFee: "3"}
	setParams(t, f, func(p *types.Params) { p.Policies = []types.KeyPolicy{policy, {KeyId: "unknown"}} })
	ask := func(id, key string, change func(*fakekind.Note)) error {
		n := note
		change(&n)
		_, err := signPayload(f, id, key, notePayload(n))
		return err
	}
	for name, c := range map[string]struct {
		change func(*fakekind.Note)
		want   error
	}{
		"chain": {func(n *fakekind.Note) { n.Chain = "2" }, types.ErrWrongChain},
		"to":    {func(n *fakekind.Note) { n.To = "b" }, types.ErrPolicy},
		"value": {func(n *fakekind.Note) { n.Value = 3 }, types.ErrPolicy},
		"fee":   {func(n *fakekind.Note) { n.Fee = 4 }, types.ErrPolicy},
	} {
		require.ErrorIs(t, ask("s", "typed", c.change), c.want, name)
		require.NoError(t, ask("raw-"+name, "raw", func(n *fakekind.Note) { n.Nonce += uint64(len(name)) * 10; c.change(n) }), "%s: another key", name)
	}
	require.NoError(t, ask("s", "typed", func(*fakekind.Note) {}), "what was refused took no place")
	setParams(t, f, func(p *types.Params) { p.Policies[0].ChainIds = []string{"2"} })
	requests, err := f.Keeper.EngineRequests(f.Ctx)
	require.NoError(t, err)
	for _, r := range requests {
		if r.ID.ID == "s" {
			require.Equal(t, policy.ToEngine(), r.Policy, "as it was")
			continue
		}
		require.Nil(t, r.Policy)
	}
	require.NoError(t, f.Keeper.EngineCheckSign(f.Ctx, "s"))
	require.ErrorIs(t, ask("t", "typed", func(n *fakekind.Note) { n.Nonce++ }), types.ErrWrongChain)

	setParams(t, f, func(p *types.Params) { p.Policies = []types.KeyPolicy{{KeyId: "raw"}} })
	_, err = signPayload(f, "digest", "raw", chain.Payload("text"))
	require.ErrorIs(t, err, types.ErrPolicy, "nobody knows what it is of")
}

// guard is a module that counts what its key signs, and changes its mind.
type guard struct {
	said   []types.SignCheck
	refuse error
	panics bool
	gas    storetypes.Gas
	// reads, if set, is what the check reads of the state.
	reads func(context.Context) error
}

func (g *guard) CheckSign(ctx context.Context, c types.SignCheck) error {
	g.said = append(g.said, c)
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(g.gas, "a check")
	if g.panics {
		panic("no module like this")
	}
	if g.reads != nil {
		if err := g.reads(ctx); err != nil {
			return fmt.Errorf("look at the state: %w", err)
		}
	}
	return g.refuse
}

// A module is asked of its own keys, when they are to sign and again by participants.
func TestPolicyOfModule(t *testing.T) {
	f, _ := newNotary(t)
	g := &guard{}
	f.Keeper.AddPolicy("vault", g)
	api := f.Keeper.ForModule("vault")
	_, err := api.KeyGen(f.Ctx, "vault:k", types.ALGORITHM_ECDSA_SECP256K1, 1, nil)
	require.NoError(t, err)
	f.AttestAll("vault:k", chain.NewSecret("vault:k"))

	_, err = signPayload(f, "s", "typed", notePayload(note))
	require.NoError(t, err)
	require.Empty(t, g.said, "the key is not the module's")

	g.refuse = errors.New("not to strangers")
	_, err = api.KeySign(f.Ctx, "vault:1", "vault:k", notePayload(note))
	require.ErrorIs(t, err, types.ErrPolicy)
	require.ErrorContains(t, err, "not to strangers")
	g.refuse = types.ErrWrongChain.Wrap("only ours")
	_, err = api.KeySign(f.Ctx, "vault:1", "vault:k", notePayload(note))
	require.ErrorIs(t, err, types.ErrWrongChain, "its own reason")

	g.refuse, g.said = nil, nil
	s, err := api.KeySign(f.Ctx, "vault:1", "vault:k", notePayload(note))
	require.NoError(t, err)
	_, err = api.KeySign(f.Ctx, "vault:1", "vault:k", notePayload(note))
	require.NoError(t, err)
	require.NoError(t, f.Keeper.EngineCheckSign(f.Ctx, "vault:1"))
	require.Len(t, g.said, 2, "asking again asks nobody")
	for i, c := range g.said {
		require.Equal(t, "vault:k", c.Key.Id)
		require.Equal(t, "vault:1", c.SignatureID)
		require.Equal(t, s.Digest, c.Digest)
		require.Equal(t, note, c.Decoded)
		require.Equal(t, i == 1, c.Again)
	}
	g.refuse = errors.New("not any more")
	require.ErrorIs(t, f.Keeper.EngineCheckSign(f.Ctx, "vault:1"), types.ErrPolicy)
	g.refuse, g.panics = nil, true
	require.ErrorIs(t, f.Keeper.EngineCheckSign(f.Ctx, "vault:1"), types.ErrPolicy)
	require.ErrorIs(t, f.Keeper.EngineCheckSign(f.Ctx, "none"), types.ErrUnknownSignature)
	require.NoError(t, f.Keeper.EngineCheckSign(f.Ctx, "s"))
}

// What a participant's own node cannot read is no word of the module: it would stand on
// chain for good, and nothing was refused.
func TestPolicyThatCannotBeRead(t *testing.T) {
	f, _ := newNotary(t)
	g := &guard{}
	f.Keeper.AddPolicy("vault", g)
	api := f.Keeper.ForModule("vault")
	_, err := api.KeyGen(f.Ctx, "vault:k", types.ALGORITHM_ECDSA_SECP256K1, 1, nil)
	require.NoError(t, err)
	f.AttestAll("vault:k", chain.NewSecret("vault:k"))
	_, err = api.KeySign(f.Ctx, "vault:1", "vault:k", notePayload(note))
	require.NoError(t, err)

	disk := &fs.PathError{Op: "read", Path: "application.db", Err: syscall.EIO}
	for name, c := range map[string]struct {
		spoiled func([]byte) error
		want    mpctypes.Reason
	}{
		"the store panics over the disk": {func([]byte) error { panic(fmt.Errorf("get: %w", disk)) }, ""},
		"the store says so":              {func([]byte) error { return disk }, ""},
		"a mistake of the module":        {func([]byte) error { panic("no such entry") }, mpctypes.ErrPolicy},
		"something is not there":         {func([]byte) error { return errors.New("no such entry") }, mpctypes.ErrPolicy},
	} {
		g.reads = func(ctx context.Context) error { // nobody but the check is disturbed
			f.Spoiled = c.spoiled
			defer func() { f.Spoiled = nil }()
			_, err := f.Keeper.Params(ctx)
			return err
		}
		err := f.Keeper.EngineCheckSign(f.Ctx, "vault:1")
		require.Error(t, err, name)
		require.Equal(t, c.want, types.ReasonOf(err), "%s: %v", name, err)
	}
	g.reads = nil
	require.NoError(t, f.Keeper.EngineCheckSign(f.Ctx, "vault:1"))
}

// counted counts how often a payload is decoded.
type counted struct {
	fakekind.Kind
	times *int
}

func (c counted) Decode(data []byte) (mpctypes.DecodedPayload, error) {
	*c.times++
	return c.Kind.Decode(data)
}

// The engine decodes what it is to sign itself: the keeper does so again for modules that
// want to look at it, and for nobody else.
func TestCheckSignDecodesForModules(t *testing.T) {
	f := chain.New(t, 3)
	times := 0
	f.Keeper.SetPayloadKinds(counted{times: &times})
	f.Keeper.AddPolicy("vault", &guard{})
	api := f.Keeper.ForModule("vault")
	_, err := api.KeyGen(f.Ctx, "vault:k", types.ALGORITHM_ECDSA_SECP256K1, 1, nil)
	require.NoError(t, err)
	f.AttestAll("vault:k", chain.NewSecret("vault:k"))
	f.ReadyKey("k", 1)
	_, err = api.KeySign(f.Ctx, "vault:1", "vault:k", notePayload(note))
	require.NoError(t, err)
	_, err = signPayload(f, "s", "k", notePayload(note))
	require.NoError(t, err)

	before := times
	require.NoError(t, f.Keeper.EngineCheckSign(f.Ctx, "s"))
	require.Equal(t, before, times)
	require.NoError(t, f.Keeper.EngineCheckSign(f.Ctx, "vault:1"))
	require.Equal(t, before+1, times)
}

// A check has the same gas when the request is made and when participants ask again, and
// the request pays for it.
func TestGasOfAPolicy(t *testing.T) {
	f, _ := newNotary(t)
	g := &guard{}
	f.Keeper.AddPolicy("vault", g)
	api := f.Keeper.ForModule("vault")
	_, err := api.KeyGen(f.Ctx, "vault:k", types.ALGORITHM_ECDSA_SECP256K1, 1, nil)
	require.NoError(t, err)
	f.AttestAll("vault:k", chain.NewSecret("vault:k"))
	ask := func(id string, limit storetypes.Gas) (used storetypes.Gas, err error) {
		ctx := f.Ctx.WithGasMeter(storetypes.NewGasMeter(limit))
		_, err = api.KeySign(ctx, id, "vault:k", notePayload(note))
		return ctx.GasMeter().GasConsumed(), err
	}
	g.gas = keeper.HookGasLimit + 1
	used, err := ask("vault:dear", 10*keeper.HookGasLimit)
	require.ErrorIs(t, err, types.ErrPolicy)
	require.ErrorContains(t, err, "its check takes more than 1500000 gas")
	require.Greater(t, used, keeper.HookGasLimit)
	require.PanicsWithValue(t, storetypes.ErrorOutOfGas{Descriptor: "a check"}, func() {
		_, _ = ask("vault:poor", keeper.HookGasLimit/2)
	}, "it is the request that has too little")

	g.gas = keeper.HookGasLimit
	used, err = ask("vault:1", 10*keeper.HookGasLimit)
	require.NoError(t, err)
	require.Greater(t, used, keeper.HookGasLimit)
	require.NoError(t, f.Keeper.EngineCheckSign(f.Ctx, "vault:1"))
	g.gas++
	require.ErrorIs(t, f.Keeper.EngineCheckSign(f.Ctx, "vault:1"), types.ErrPolicy)
}

func TestPoliciesAreSealed(t *testing.T) {
	f := chain.New(t, 0)
	f.Keeper.AddPolicy("vault", &guard{})
	for name, add := range map[string]func(){
		"twice":   func() { f.Keeper.AddPolicy("vault", &guard{}) },
		"nobody":  func() { f.Keeper.AddPolicy("", &guard{}) },
		"nothing": func() { f.Keeper.AddPolicy("other", nil) },
		"too late": func() {
			f.Keeper.SealHooks()
			f.Keeper.AddPolicy("other", &guard{})
		},
	} {
		require.Panics(t, add, name)
	}
}

func TestPolicyGenesis(t *testing.T) {
	f, _ := newNotary(t)
	setParams(t, f, func(p *types.Params) { p.Policies = []types.KeyPolicy{{KeyId: "typed", ChainIds: []string{"1"}}} })
	_, err := signPayload(f, "s", "typed", notePayload(note))
	require.NoError(t, err)
	exported, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	next := chain.NewEmpty(t)
	next.Keeper.SetPayloadKinds(fakekind.Kind{})
	require.NoError(t, next.Keeper.InitGenesis(next.Ctx, *exported))
	requests, err := next.Keeper.EngineRequests(next.Ctx)
	require.NoError(t, err)
	require.Equal(t, &mpctypes.Policy{ChainIDs: []string{"1"}}, requests[0].Policy)
	exported.Requests[0].Policy.MaxFee = "-1"
	again := chain.NewEmpty(t)
	again.Keeper.SetPayloadKinds(fakekind.Kind{})
	require.ErrorIs(t, again.Keeper.InitGenesis(again.Ctx, *exported), types.ErrBadGenesis)
}
