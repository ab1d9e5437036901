package keeper_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/types/query"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

var keygenK = mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: "k"}

// judges is a module that is told of faults.
type judges struct {
	heard []types.Fault
	err   error
}

func (j *judges) AfterFault(_ context.Context, f types.Fault) error {
	j.heard = append(j.heard, f)
	return j.err
}

// withFaults is a chain of three with an open keygen "k".
func withFaults(t *testing.T) (*chain.Fixture, *judges) {
	f, j := chain.New(t, 3), &judges{}
	f.Keeper.AddFaultHooks("slasher", j)
	f.KeyGen("k", 1)
	return f, j
}

func faultsOf(t *testing.T, f *chain.Fixture, participant string) []types.Fault {
	t.Helper()
	resp, err := f.Query.Faults(f.Ctx, &types.QueryFaultsRequest{Participant: participant})
	require.NoError(t, err)
	return resp.Faults
}

func TestEvidence(t *testing.T) {
	f, j := withFaults(t)
	p := f.Participants[1]
	e := p.Contradict(keygenK)
	f.EndBlocks(5)
	require.NoError(t, f.Keeper.CheckEvidence(f.Ctx, e))
	require.Empty(t, j.heard, "a check changes nothing")
	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, e))
	session := chain.Session("k")
	want := types.Fault{
		Kind: types.FAULT_KIND_EQUIVOCATION, Participant: p.Operator, Reason: "broadcast_differs",
		RequestKind: types.REQUEST_KIND_KEYGEN, RequestId: "k", Session: session[:], Height: 5, LapseHeight: 605,
	}
	require.Equal(t, []types.Fault{want}, faultsOf(t, f, p.Operator))
	require.Empty(t, faultsOf(t, f, f.Participants[0].Operator))
	require.Equal(t, []types.Fault{want}, j.heard)
	require.Equal(t, 1, f.Events(&types.EventFault{}))
	require.ErrorIs(t, f.Keeper.ApplyEvidence(f.Ctx, e), types.ErrAlreadyDecided)
	require.False(t, p.Staked.Jailed, "the default")

	engine, err := f.Keeper.EngineFaults(f.Ctx)
	require.NoError(t, err)
	require.Equal(t, []mpctypes.Fault{{
		Participant: mpcOperator(p.Operator), Reason: "broadcast_differs", Request: keygenK, Session: chain.Session("k"),
	}}, engine)

	// It stays for ever, and counts until it lapses.
	f.EndBlocks(606)
	engine, err = f.Keeper.EngineFaults(f.Ctx)
	require.NoError(t, err)
	require.Empty(t, engine)
	require.Len(t, faultsOf(t, f, ""), 1)
}

func TestEvidenceRefused(t *testing.T) {
	f, _ := withFaults(t)
	p := f.Participants[1]
	stranger := f.AddValidator(3)
	f.Register(stranger)
	for name, tt := range map[string]struct {
		evidence mpctypes.Evidence
		want     error
	}{
		"against a stranger": {stranger.Contradict(keygenK), types.ErrUnknownParticipant},
		"of no request":      {p.Contradict(mpctypes.RequestID{Kind: mpctypes.KindSign, ID: "k"}), types.ErrUnknownSignature},
		"of a deletion":      {p.Contradict(mpctypes.RequestID{Kind: mpctypes.KindDelete, ID: "k"}), types.ErrUnknownRequest},
		"by another identity": {(&chain.Participant{Operator: p.Operator, Identity: stranger.Identity, Version: 1}).Contradict(keygenK),
			types.ErrBadResult},
		"by a version that was not pinned": {(&chain.Participant{Operator: p.Operator, Identity: p.Identity, Version: 2}).Contradict(keygenK),
			types.ErrUnknownParticipant},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, f.Keeper.CheckEvidence(f.Ctx, tt.evidence), tt.want)
			require.ErrorIs(t, f.Keeper.ApplyEvidence(f.Ctx, tt.evidence), tt.want)
		})
	}
	require.Error(t, f.Keeper.CheckEvidence(f.Ctx.WithChainID("other"), p.Contradict(keygenK)))
}

func TestEquivocationIsJailed(t *testing.T) {
	f, _ := withFaults(t)
	p, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	p.JailEquivocation = true
	_, err = f.Msg.UpdateParams(f.Ctx, &types.MsgUpdateParams{Authority: f.Authority, Params: p})
	require.ErrorIs(t, err, types.ErrBadParams)
	f.Keeper.SetSlashing(&chain.Slashing{Staking: f.Staking})
	setParams(t, f, func(p *types.Params) { p.JailEquivocation = true })

	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, f.Participants[0].Contradict(keygenK)))
	require.True(t, f.Participants[0].Staked.Jailed)
	require.False(t, f.Participants[1].Staked.Jailed)

	f.Participants[1].Jail() // for something else
	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, f.Participants[1].Contradict(keygenK)))
	f.Staking.Validators = f.Staking.Validators[:2] // left the chain
	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, f.Participants[2].Contradict(keygenK)))
	require.Len(t, faultsOf(t, f, ""), 3)
}

// TestRevokedIdentityJailsNobody: whoever stole its key can sign what it likes.
func TestRevokedIdentityJailsNobody(t *testing.T) {
	f, _ := withFaults(t)
	f.Keeper.SetSlashing(&chain.Slashing{Staking: f.Staking})
	setParams(t, f, func(p *types.Params) { p.JailEquivocation = true })
	victim := f.Participants[0]
	_, err := f.Msg.RevokeParticipant(f.Ctx, &types.MsgRevokeParticipant{Operator: victim.Operator})
	require.NoError(t, err)
	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, victim.Contradict(keygenK)))
	require.Len(t, faultsOf(t, f, victim.Operator), 1)
	require.False(t, victim.Staked.Jailed)
}

// TestLastValidatorIsNotJailed: the chain would stop for ever.
func TestLastValidatorIsNotJailed(t *testing.T) {
	f, _ := withFaults(t)
	f.Keeper.SetSlashing(&chain.Slashing{Staking: f.Staking})
	setParams(t, f, func(p *types.Params) { p.JailEquivocation = true })
	jailed := 0
	for _, p := range f.Participants {
		require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, p.Contradict(keygenK)))
		if p.Staked.Jailed {
			jailed++
		}
	}
	require.Len(t, faultsOf(t, f, ""), len(f.Participants))
	require.Equal(t, len(f.Participants)-1, jailed)
}

func TestAccusation(t *testing.T) {
	f, j := withFaults(t)
	f.Keeper.SetSlashing(&chain.Slashing{Staking: f.Staking})
	setParams(t, f, func(p *types.Params) { p.JailEquivocation = true })
	a := f.Participants[0].Accuse(keygenK, f.Participants[1].Operator)
	require.NoError(t, f.Keeper.CheckAccusation(f.Ctx, &a))
	require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &a))
	require.ErrorIs(t, f.Keeper.ApplyAccusation(f.Ctx, &a), types.ErrAlreadyDecided)
	faults := faultsOf(t, f, f.Participants[1].Operator)
	require.Equal(t, faults, j.heard)
	require.Len(t, faults, 1)
	require.Equal(t, types.FAULT_KIND_ACCUSATION, faults[0].Kind)
	require.Equal(t, f.Participants[0].Operator, faults[0].Accuser)
	require.False(t, f.Participants[1].Staked.Jailed, "nobody is punished for what somebody says")

	// One of the same two at a time, whatever the request; another accuser is another one.
	f.KeyGen("other", 1)
	again := f.Participants[0].Accuse(mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: "other"}, f.Participants[1].Operator)
	require.ErrorIs(t, f.Keeper.ApplyAccusation(f.Ctx, &again), types.ErrAlreadyDecided)
	second := f.Participants[2].Accuse(keygenK, f.Participants[1].Operator)
	require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &second))
	back := f.Participants[1].Accuse(keygenK, f.Participants[0].Operator)
	require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &back))
	engine, err := f.Keeper.EngineFaults(f.Ctx)
	require.NoError(t, err)
	require.Len(t, engine, 3)

	// It is forgotten after fault_blocks, those of its day.
	setParams(t, f, func(p *types.Params) { p.FaultBlocks = 1 })
	f.EndBlocks(601)
	require.Len(t, faultsOf(t, f, ""), 3)
	f.EndBlocks(602)
	require.Empty(t, faultsOf(t, f, ""))
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.Empty(t, gs.Faults)
}

// TestAccusationOfANewerVersion: a reason that only a newer version knows is taken and
// shown as it is, everywhere, and counts like the others.
func TestAccusationOfANewerVersion(t *testing.T) {
	const newer = "withheld_in_round_7"
	f, j := withFaults(t)
	a := f.Participants[0].Accuse(keygenK, f.Participants[1].Operator)
	a.Reason = newer
	a.Sign(chain.ChainID, f.Participants[0].Identity)

	builder := types.NewBundleBuilder(types.DefaultParams().BundleLimits())
	require.True(t, builder.AddAccusation(&a))
	bz, err := builder.Encode()
	require.NoError(t, err)
	carried, err := types.DecodeBundle(bz, types.DefaultParams().BundleLimits())
	require.NoError(t, err)
	require.Equal(t, []mpctypes.Accusation{a}, carried.Accusations)

	require.NoError(t, f.Keeper.CheckAccusation(f.Ctx, &carried.Accusations[0]))
	require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &carried.Accusations[0]))
	faults := faultsOf(t, f, f.Participants[1].Operator)
	require.Len(t, faults, 1)
	require.Equal(t, newer, faults[0].Reason)
	require.Equal(t, faults, j.heard)
	engine, err := f.Keeper.EngineFaults(f.Ctx)
	require.NoError(t, err)
	require.Equal(t, mpctypes.Reason(newer), engine[0].Reason)
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())
	require.Equal(t, newer, gs.Faults[0].Reason)
}

func TestAccusationRefused(t *testing.T) {
	f, _ := withFaults(t)
	a, b := f.Participants[0], f.Participants[1]
	stranger := f.AddValidator(3)
	f.Register(stranger)
	signed := func(change func(*mpctypes.Accusation)) mpctypes.Accusation {
		x := a.Accuse(keygenK, b.Operator)
		change(&x)
		x.Sign(chain.ChainID, a.Identity)
		return x
	}
	for name, tt := range map[string]struct {
		accusation mpctypes.Accusation
		want       error
	}{
		"by a stranger":      {stranger.Accuse(keygenK, b.Operator), types.ErrUnknownParticipant},
		"of a stranger":      {a.Accuse(keygenK, stranger.Operator), types.ErrUnknownParticipant},
		"of itself":          {a.Accuse(keygenK, a.Operator), types.ErrBadResult},
		"of no request":      {a.Accuse(mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: "none"}, b.Operator), types.ErrUnknownKey},
		"of another version": {signed(func(x *mpctypes.Accusation) { x.IdentityVersion = 2 }), types.ErrUnknownParticipant},
		"of a later attempt": {signed(func(x *mpctypes.Accusation) { x.Attempt = 1 }), types.ErrBadResult},
		"for no reason":      {signed(func(x *mpctypes.Accusation) { x.Reason = "it annoys me" }), types.ErrBadResult},
		"signed by another":  {(&chain.Participant{Operator: a.Operator, Identity: b.Identity, Version: 1}).Accuse(keygenK, b.Operator), types.ErrBadResult},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, f.Keeper.CheckAccusation(f.Ctx, &tt.accusation), tt.want)
			require.ErrorIs(t, f.Keeper.ApplyAccusation(f.Ctx, &tt.accusation), tt.want)
		})
	}
}

// TestFaultHookFails: the fault stands, what the hook did does not, and it is
// reported.
func TestFaultHookFails(t *testing.T) {
	f, j := withFaults(t)
	other := &judges{}
	f.Keeper.AddFaultHooks("another", other).SealHooks()
	require.Panics(t, func() { f.Keeper.AddFaultHooks("late", j) })
	j.err = errors.New("no")
	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, f.Participants[0].Contradict(keygenK)))
	require.Len(t, faultsOf(t, f, ""), 1)
	require.Len(t, other.heard, 1, "one module's trouble is not another's")
	require.Equal(t, 1, f.Events(&types.EventHookFailed{}))
}

func TestFaultHooksAreWiredOnce(t *testing.T) {
	f, j := withFaults(t)
	require.Panics(t, func() { f.Keeper.AddFaultHooks("slasher", j) })
	require.Panics(t, func() { f.Keeper.AddFaultHooks("", j) })
	require.Panics(t, func() { f.Keeper.AddFaultHooks("none", nil) })
}

func TestFaultPages(t *testing.T) {
	f, _ := withFaults(t)
	for _, p := range f.Participants {
		require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, p.Contradict(keygenK)))
	}
	page, err := f.Query.Faults(f.Ctx, &types.QueryFaultsRequest{Pagination: &query.PageRequest{Limit: 2}})
	require.NoError(t, err)
	require.Len(t, page.Faults, 2)
	rest, err := f.Query.Faults(f.Ctx, &types.QueryFaultsRequest{Pagination: &query.PageRequest{Key: page.Pagination.NextKey}})
	require.NoError(t, err)
	require.Len(t, rest.Faults, 1)
	_, err = f.Query.Faults(f.Ctx, &types.QueryFaultsRequest{Participant: "nobody"})
	require.Error(t, err)
	_, err = f.Query.Faults(f.Ctx, nil)
	require.Error(t, err)
}
