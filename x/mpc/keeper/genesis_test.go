package keeper_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// busyChain has something of everything at height 500.
func busyChain(t *testing.T) *chain.Fixture {
	t.Helper()
	f := chain.New(t, 3)
	secret := f.ReadyKey("ready", 1)
	f.ReadyKey("deleted", 1)
	deleteKey(t, f, "deleted")
	f.EndBlocks(300)
	ack := f.Participants[0].AttestDeletion("deleted")
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &ack))
	s := f.KeySign("signed", "ready", "a")
	result := secret.Sign("signed", s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	f.Participants[2].Identity = chain.IdentityKey("rotated")
	f.Register(f.Participants[2])

	setParams(t, f, func(p *types.Params) { p.KeygenLifetimeBlocks, p.KeygenAttemptBlocks = 100, 50 })
	f.KeyGen("failed", 1)
	setParams(t, f, func(p *types.Params) { p.KeygenLifetimeBlocks, p.KeygenAttemptBlocks = 600, 60 })

	f.EndBlocks(430)
	f.KeyGen("pending", 1)
	f.KeySign("open", "ready", "b")
	f.ReadyKey("deleting", 1)
	deleteKey(t, f, "deleting")
	f.EndBlocks(450)
	f.ReadyKey("won", 1)
	f.EndBlocks(500)
	for i, p := range f.Participants[:2] {
		a := p.Attest("pending", uint32(i), chain.Session("p"), chain.NewSecret("pending").Payload(3))
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	}
	open := mpctypes.RequestID{Kind: mpctypes.KindSign, ID: "open"}
	accusation := f.Participants[0].Accuse(open, f.Participants[1].Operator)
	require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &accusation))
	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, f.Participants[0].Contradict(open)))
	return f
}

func TestGenesisRoundTrip(t *testing.T) {
	old := busyChain(t)
	gs, err := old.Keeper.ExportGenesis(old.Ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())
	require.Len(t, gs.Attestations, 2)
	require.Len(t, gs.Faults, 2)
	// Through JSON, as a genesis file would.
	bz, err := old.Cdc.MarshalJSON(gs)
	require.NoError(t, err)
	var read types.GenesisState
	require.NoError(t, old.Cdc.UnmarshalJSON(bz, &read))

	for name, initial := range map[string]int64{"the same height": 501, "height 1": 0} {
		t.Run(name, func(t *testing.T) {
			f := chain.NewEmpty(t)
			f.Ctx = f.Ctx.WithBlockHeight(initial)
			require.NoError(t, f.Keeper.InitGenesis(f.Ctx, read))
			base := max(initial-1, 0)
			f.Ctx = f.Ctx.WithBlockHeight(base)
			if base == 500 {
				again, err := f.Keeper.ExportGenesis(f.Ctx)
				require.NoError(t, err)
				bzAgain, err := f.Cdc.MarshalJSON(again)
				require.NoError(t, err)
				require.JSONEq(t, string(bz), string(bzAgain))
			}
			requireSameFuture(t, f, base)
			requireSamePending(t, old, f)
		})
	}
}

// A chain that starts anew at height 1 and runs for less long than the exported one did
// exports a genesis of its own, with what was decided and held against somebody before
// its first block.
func TestGenesisOfAnImportedChain(t *testing.T) {
	old := busyChain(t)
	anew := func(gs *types.GenesisState, initial int64) *chain.Fixture {
		t.Helper()
		f := chain.NewEmpty(t)
		f.Ctx = f.Ctx.WithBlockHeight(initial)
		require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
		f.Ctx = f.Ctx.WithBlockHeight(max(initial, 1))
		return f
	}
	export := func(f *chain.Fixture) *types.GenesisState {
		t.Helper()
		gs, err := f.Keeper.ExportGenesis(f.Ctx.WithBlockHeight(f.Ctx.BlockHeight() - 1))
		require.NoError(t, err)
		require.NoError(t, gs.Validate())
		return gs
	}
	old.EndBlocks(501)
	second := anew(export(old), 0)
	second.EndBlocks(90)
	deleteKey(t, second, "won")
	second.EndBlocks(101)
	gs := export(second)
	require.EqualValues(t, 100, gs.ExportHeight)
	require.Len(t, gs.Faults, 2)
	kinds := make(map[types.FaultKind]bool)
	for _, f := range gs.Faults {
		kinds[f.Kind] = true
		require.EqualValues(t, 0, f.Height, "in the last block before the first one")
		require.EqualValues(t, 600, f.LapseHeight)
	}
	require.Len(t, kinds, 2, "an accusation and proof")
	keys := make(map[string]types.KeyStatus)
	for _, k := range gs.Keys {
		keys[k.Id] = k.Status
	}
	require.Equal(t, map[string]types.KeyStatus{
		"ready": types.KEY_STATUS_READY, "failed": types.KEY_STATUS_ERROR, "won": types.KEY_STATUS_DELETING,
		"deleted": types.KEY_STATUS_DELETED, "deleting": types.KEY_STATUS_DELETED, "pending": types.KEY_STATUS_PENDING,
	}, keys)
	require.Len(t, gs.Signatures, 2)

	require.Equal(t, gs, export(anew(gs, 101)), "where time goes on, nothing moves")
	third := anew(gs, 0)
	third.EndBlocks(31)
	for _, f := range export(third).Faults {
		require.EqualValues(t, -100, f.Height)
	}
	third.EndBlocks(501)
	engine, err := third.Keeper.EngineFaults(third.Ctx)
	require.NoError(t, err)
	require.Empty(t, engine, "600 blocks after the fault, in two chains")
	require.Len(t, export(third).Faults, 1, "proof stays")
}

// Whatever names somebody must be an address of this chain in its one form: state is
// searched by it.
func TestGenesisAddresses(t *testing.T) {
	old := busyChain(t)
	other := func(address string) string { return strings.Replace(address, "seq", "oth", 1) }
	for name, spoil := range map[string]func(*types.GenesisState){
		"key's owner":             func(g *types.GenesisState) { g.Keys[0].Owner = other(g.Keys[0].Owner) },
		"key's owner, upper case": func(g *types.GenesisState) { g.Keys[0].Owner = strings.ToUpper(g.Keys[0].Owner) },
		"key's participant":       func(g *types.GenesisState) { g.Keys[0].Participants[0] = "a" },
		"key's holder":            func(g *types.GenesisState) { g.Keys[0].Holders[0] = "a" },
		"key's acknowledgement":   func(g *types.GenesisState) { g.Keys[0].DeletionAcks = []string{"a"} },
		"signature's owner":       func(g *types.GenesisState) { g.Signatures[0].Owner = "a" },
		"request's owner":         func(g *types.GenesisState) { g.Requests[0].Owner = "a" },
		"request's member": func(g *types.GenesisState) {
			r := &g.Requests[0]
			r.Members[0].Operator = "a"
			g.Attestations = nil
		},
		"request's member, no participant": func(g *types.GenesisState) {
			g.Participants = slices.DeleteFunc(g.Participants, func(p types.GenesisParticipant) bool {
				return p.Participant.Operator == g.Requests[0].Members[0].Operator
			})
		},
		"participant twice": func(g *types.GenesisState) {
			twice := g.Participants[0]
			twice.Participant.Operator = strings.ToUpper(twice.Participant.Operator)
			twice.Participant.Identities = []types.Identity{{Version: 1, PublicKey: chain.Public(chain.IdentityKey("twice"))}}
			g.Participants = append(g.Participants, twice)
		},
		"fault's participant": func(g *types.GenesisState) { g.Faults[0].Participant = "a" },
		"queued hook's": func(g *types.GenesisState) {
			g.QueuedHooks = []types.QueuedHook{{Hook: types.HookAfterFault, Id: "a", Place: "b"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			gs, err := old.Keeper.ExportGenesis(old.Ctx)
			require.NoError(t, err)
			spoil(gs)
			require.NoError(t, gs.Validate(), "without the codecs it looks right")
			f := chain.NewEmpty(t)
			require.ErrorIs(t, f.Keeper.CheckGenesis(*gs), types.ErrBadGenesis)
			require.ErrorIs(t, f.Keeper.InitGenesis(f.Ctx, *gs), types.ErrBadGenesis)
		})
	}
}

// requireSameFuture checks that what is due keeps the blocks that it had left at
// height 500 of the old chain.
func requireSameFuture(t *testing.T, f *chain.Fixture, base int64) {
	t.Helper()
	requests, err := f.Keeper.EngineRequests(f.Ctx)
	require.NoError(t, err)
	require.Len(t, requests, 2)
	for _, r := range requests {
		require.Equal(t, base-70, r.Height)
	}
	require.EqualValues(t, 1, requests[0].Attempt(base), "attempts go on where they were")
	// What was decided stays as long ago, and what lost has the blocks that it had
	// left, also where they were over.
	for id, ago := range map[string]int64{"ready": 499, "won": 50, "failed": 100, "deleting": 70, "deleted": 499} {
		key, _, err := f.Keeper.EngineKey(f.Ctx, mpctypes.KeyID(id))
		require.NoError(t, err)
		require.Equal(t, base-ago, key.DecidedHeight, id)
		retire := base - ago + 100
		if id == "deleted" {
			retire += 100 // to bury it was a decision, too
		}
		if retire == 0 {
			retire = 1 // 0 is that of a key that has none
		}
		require.Equal(t, retire, key.RetireHeight, id)
	}

	status := func(id string) types.KeyStatus {
		key, err := f.Keeper.Key(f.Ctx, id)
		require.NoError(t, err)
		return key.Status
	}
	ctx := f.Ctx
	defer func() { f.Ctx = ctx }()
	branch, _ := f.Ctx.CacheContext()
	f.Ctx = branch
	f.EndBlocks(base + 30)
	require.Equal(t, types.KEY_STATUS_DELETING, status("deleting"))
	f.EndBlocks(base + 31)
	require.Equal(t, types.KEY_STATUS_DELETED, status("deleting"))
	f.EndBlocks(base + 530)
	requireSignature(t, f, "open", types.SIGNATURE_STATUS_ERROR, "expired")
	require.Equal(t, types.KEY_STATUS_PENDING, status("pending"))
	f.EndBlocks(base + 531)
	require.Equal(t, types.KEY_STATUS_ERROR, status("pending"))
}

// requireSamePending checks that open requests can be finished on the new chain.
func requireSamePending(t *testing.T, old, f *chain.Fixture) {
	t.Helper()
	f.Ctx = f.Ctx.WithBlockHeight(f.Ctx.BlockHeight() + 1)
	last := old.Participants[2].On(f).Attest("pending", 0, chain.Session("p"), chain.NewSecret("pending").Payload(3))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &last))
	requireKey(t, f, "pending", types.KEY_STATUS_READY, "")
	result := chain.NewSecret("ready").Sign("open", chain.Digest("b"))
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	ack := old.Participants[1].On(f).AttestDeletion("deleted")
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &ack))
	twice := old.Participants[0].On(f).AttestDeletion("deleted")
	require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &twice), types.ErrAlreadyDecided)
}

func TestGenesisParticipants(t *testing.T) {
	identity := chain.IdentityKey("genesis")
	participant := func(proof []byte) types.GenesisState {
		gs := types.DefaultGenesis()
		gs.Participants = []types.GenesisParticipant{{
			Participant: types.Participant{Operator: chain.Operator(0), Identities: []types.Identity{
				{Version: 1, PublicKey: chain.Public(identity)},
			}},
			ProofOfPossession: proof,
		}}
		return *gs
	}
	f := chain.NewEmpty(t)
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, participant(chain.Proof(chain.ChainID, chain.Operator(0), identity))))
	roster, err := f.Keeper.EngineRoster(f.Ctx)
	require.NoError(t, err)
	require.Equal(t, []mpctypes.Operator{mpctypes.Operator(chain.Operator(0))}, roster.Operators())

	f = chain.NewEmpty(t)
	require.ErrorIs(t, f.Keeper.InitGenesis(f.Ctx, participant(chain.Proof("other", chain.Operator(0), identity))), types.ErrBadProof)
	other := participant(chain.Proof("other", chain.Operator(0), identity))
	require.NoError(t, f.Keeper.CheckGenesis(other), "it is not told the chain's id")
	require.NoError(t, f.Keeper.VerifyGenesisProofs("other", other))
	require.ErrorIs(t, f.Keeper.VerifyGenesisProofs(chain.ChainID, other), types.ErrBadProof)
	require.ErrorIs(t, f.Keeper.InitGenesis(f.Ctx, participant(nil)), types.ErrBadGenesis)
}
