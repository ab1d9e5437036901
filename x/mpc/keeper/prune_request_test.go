package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/collections"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func requireNoReshare(t *testing.T, f *chain.Fixture, id string, want error) {
	t.Helper()
	_, err := f.Keeper.Reshare(f.Ctx, id)
	require.ErrorIs(t, err, want)
}

func requireNoKey(t *testing.T, f *chain.Fixture, id string, want error) {
	t.Helper()
	_, err := f.Keeper.Key(f.Ctx, id)
	require.ErrorIs(t, err, want)
}

// gone checks that nothing is left in these collections.
func gone(t *testing.T, f *chain.Fixture, prefixes ...collections.Prefix) {
	t.Helper()
	for _, p := range prefixes {
		require.Zero(t, f.Entries(p), p)
	}
}

func (p *pruneReshareCase) run(t *testing.T) {
	f, secret := resharing(t)
	retain(t, f, 50)
	f.EndBlocks(10)
	f.Reshare("r", "k", 1)
	p.end(t, f, secret)
	requireReshare(t, f, "r", p.status, p.reason)
	key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	f.EndBlocks(60)
	requireReshare(t, f, "r", p.status, p.reason)
	f.EndBlocks(61)

	requireNoReshare(t, f, "r", types.ErrPruned)
	requireNoReshare(t, f, "never", types.ErrUnknownReshare)
	tests, test := 0, error(types.ErrUnknownSignature)
	if p.tested {
		tests, test = 1, types.ErrPruned
	}
	requireUnsigned(t, f, "test:r", test)
	require.Equal(t, tests, f.Entries(types.PrunedSignaturesPrefix))
	require.Equal(t, 1, f.Entries(types.PrunedRequestsPrefix))
	gone(t, f, types.ResharesPrefix, types.ResharesByKeyPrefix, types.ResharesByStatusPrefix, types.DecidedRequestsPrefix,
		types.SignaturesPrefix, types.SignaturesByKeyPrefix, types.RequestsPrefix)
	require.Equal(t, key, requireKey(t, f, "k", types.KEY_STATUS_READY, ""), "the key goes on as it is")

	for name, c := range map[string]struct {
		threshold uint32
		want      error
	}{"the same": {1, types.ErrPruned}, "another committee": {2, types.ErrIDTaken}} {
		_, err := f.Msg.KeyReshare(f.Ctx, &types.MsgKeyReshare{Requester: f.Requester, ReshareId: "r", KeyId: "k", Threshold: c.threshold})
		require.ErrorIs(t, err, c.want, name)
	}
	_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: "r"})
	require.ErrorIs(t, err, types.ErrPruned)
	_, err = f.Query.Reshare(f.Ctx, &types.QueryReshareRequest{ReshareId: "r"})
	require.ErrorIs(t, err, types.ErrPruned)
	for _, req := range []types.QueryResharesRequest{{}, {KeyId: "k"}, {Status: p.status}} {
		all, err := f.Query.Reshares(f.Ctx, &req)
		require.NoError(t, err)
		require.Empty(t, all.Reshares)
	}

	// What comes late is known, and a node that has a share by it hears that it is over.
	late := f.Participants[0].AttestReshare("r", 0, chain.Session("r"), secret.Payload(5))
	require.ErrorIs(t, f.Keeper.CheckAttestation(f.Ctx, &late), types.ErrAlreadyDecided)
	for _, kind := range []mpctypes.RequestKind{mpctypes.KindReshare, mpctypes.KindSign} {
		id := map[mpctypes.RequestKind]string{mpctypes.KindReshare: "r", mpctypes.KindSign: "test:r"}[kind]
		if kind == mpctypes.KindReshare || p.tested {
			proof := f.Participants[0].Contradict(mpctypes.RequestID{Kind: kind, ID: id})
			require.ErrorIs(t, f.Keeper.CheckEvidence(f.Ctx, proof), types.ErrAlreadyDecided)
		}
	}
	end, ended, err := f.Keeper.EngineReshareEnded(f.Ctx, "r")
	require.NoError(t, err)
	require.True(t, ended)
	require.Zero(t, end, "the key says when what it made goes")
	_, ended, err = f.Keeper.EngineReshareEnded(f.Ctx, "never")
	require.NoError(t, err)
	require.False(t, ended)
	_, known, err := f.Keeper.EngineOutcome(f.Ctx, mpctypes.RequestID{Kind: mpctypes.KindReshare, ID: "r"})
	require.NoError(t, err)
	require.False(t, known)

	next := f.Reshare("next", "k", 1)
	require.Equal(t, key.Epoch+1, next.Epoch)
	f.Stage("next", secret)
	f.PassTest("next", secret)
	requireKey(t, f, "k", types.KEY_STATUS_READY, "")
}

type pruneReshareCase struct {
	end    func(*testing.T, *chain.Fixture, chain.Secret)
	status types.ReshareStatus
	reason string
	tested bool
}

// A reshare goes with its test, however it ended.
func TestPruneReshare(t *testing.T) {
	stop := func(t *testing.T, f *chain.Fixture, _ chain.Secret) { cancel(t, f, f.Requester) }
	for name, c := range map[string]*pruneReshareCase{
		"READY": {func(_ *testing.T, f *chain.Fixture, s chain.Secret) {
			f.Stage("r", s)
			f.PassTest("r", s)
		}, types.RESHARE_STATUS_READY, "", true},
		"cancelled": {stop, types.RESHARE_STATUS_ERROR, "cancelled", false},
		"cancelled while it is tested": {func(t *testing.T, f *chain.Fixture, s chain.Secret) {
			f.Stage("r", s)
			stop(t, f, s)
		}, types.RESHARE_STATUS_ERROR, "cancelled", true},
	} {
		t.Run(name, c.run)
	}
}

// An open reshare stays, and so does what is decided about it.
func TestPruneSparesOpenReshares(t *testing.T) {
	f, secret := resharing(t)
	retain(t, f, 1)
	f.Reshare("r", "k", 1)
	f.EndBlocks(300)
	requireReshare(t, f, "r", types.RESHARE_STATUS_PENDING, "")
	f.Stage("r", secret)
	f.EndBlocks(400)
	requireReshare(t, f, "r", types.RESHARE_STATUS_TESTING, "")
	requireSignature(t, f, "test:r", types.SIGNATURE_STATUS_PENDING, "")
	f.PassTest("r", secret)
	requireReshare(t, f, "r", types.RESHARE_STATUS_READY, "")
}

// A key that failed goes retention_blocks after its retire height, when nodes destroyed what
// they staged for it. From then on they hear of it as of one that failed.
func TestPruneKey(t *testing.T) {
	f := chain.New(t, 3)
	retain(t, f, 50)
	f.EndBlocks(10)
	f.KeyGen("failed", 1)
	staged := f.Participants[0].Attest("failed", 0, chain.Session("s"), chain.NewSecret("failed").Payload(3))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &staged))
	f.EndBlocks(760)
	require.EqualValues(t, 710, requireKey(t, f, "failed", types.KEY_STATUS_ERROR, "expired").RetireHeight)
	before, _, _, err := f.Keeper.EngineKeyChanges(f.Ctx, 0)
	require.NoError(t, err)
	f.EndBlocks(761)

	requireNoKey(t, f, "failed", types.ErrPruned)
	requireNoKey(t, f, "never", types.ErrUnknownKey)
	gone(t, f, types.KeysPrefix, types.KeysByOwnerPrefix, types.KeysByStatusPrefix, types.DecidedRequestsPrefix, types.AwaitedAcksPrefix)
	require.Equal(t, 1, f.Entries(types.PrunedRequestsPrefix))
	_, changed, known, err := f.Keeper.EngineKeyChanges(f.Ctx, before)
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, []mpctypes.KeyID{"failed"}, changed)
	require.Equal(t, mpctypes.Key{ID: "failed", Status: mpctypes.KeyError}, engineKey(t, f, "failed"))
	_, known, err = f.Keeper.EngineKey(f.Ctx, "never")
	require.NoError(t, err)
	require.False(t, known)

	for name, c := range map[string]struct {
		threshold uint32
		want      error
	}{"the same": {1, types.ErrPruned}, "another threshold": {2, types.ErrIDTaken}} {
		_, err := f.Msg.KeyGen(f.Ctx, &types.MsgKeyGen{
			Requester: f.Requester, KeyId: "failed", Algorithm: types.ALGORITHM_ECDSA_SECP256K1, Threshold: c.threshold, AllowRaw: true,
		})
		require.ErrorIs(t, err, c.want, name)
	}
	for name, ask := range map[string]func() error{
		"sign": func() error {
			_, err := f.Msg.KeySign(f.Ctx, &types.MsgKeySign{Requester: f.Requester, SignatureId: "s", KeyId: "failed", Payload: chain.Payload("a")})
			return err
		},
		"reshare": func() error {
			_, err := f.Msg.KeyReshare(f.Ctx, &types.MsgKeyReshare{Requester: f.Requester, ReshareId: "r", KeyId: "failed", Threshold: 1})
			return err
		},
		"delete": func() error {
			_, err := f.Msg.KeyDelete(f.Ctx, &types.MsgKeyDelete{Requester: f.Requester, KeyId: "failed"})
			return err
		},
		"query": func() error {
			_, err := f.Query.Key(f.Ctx, &types.QueryKeyRequest{KeyId: "failed"})
			return err
		},
		"query its signatures": func() error {
			_, err := f.Query.Signatures(f.Ctx, &types.QuerySignaturesRequest{KeyId: "failed"})
			return err
		},
		"query its reshares": func() error {
			_, err := f.Query.Reshares(f.Ctx, &types.QueryResharesRequest{KeyId: "failed"})
			return err
		},
	} {
		require.ErrorIs(t, ask(), types.ErrPruned, name)
	}
	require.ErrorIs(t, f.Keeper.CheckAttestation(f.Ctx, &staged), types.ErrAlreadyDecided)
	proof := f.Participants[0].Contradict(mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: "failed"})
	require.ErrorIs(t, f.Keeper.CheckEvidence(f.Ctx, proof), types.ErrAlreadyDecided)
	require.Zero(t, f.Entries(types.RequestsPrefix))
}

// Keys that were READY stay, and so do tombstones, of keys that failed before, too.
func TestPruneSparesKeys(t *testing.T) {
	for name, c := range map[string]struct {
		make   func(*testing.T, *chain.Fixture)
		status types.KeyStatus
		reason string
	}{
		"READY": {func(_ *testing.T, f *chain.Fixture) { f.ReadyKey("k", 1) }, types.KEY_STATUS_READY, ""},
		"deleted": {func(t *testing.T, f *chain.Fixture) {
			f.ReadyKey("k", 1)
			deleteKey(t, f, "k")
		}, types.KEY_STATUS_DELETED, ""},
		"deleted while PENDING": {func(t *testing.T, f *chain.Fixture) {
			f.KeyGen("k", 1)
			deleteKey(t, f, "k")
		}, types.KEY_STATUS_DELETED, "key_deleted"},
		"failed, then deleted": {func(t *testing.T, f *chain.Fixture) {
			f.KeyGen("k", 1)
			f.EndBlocks(700)
			requireKey(t, f, "k", types.KEY_STATUS_ERROR, "expired")
			deleteKey(t, f, "k")
		}, types.KEY_STATUS_DELETED, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 3)
			retain(t, f, 1)
			c.make(t, f)
			f.EndBlocks(2500)
			requireKey(t, f, "k", c.status, c.reason)
			gone(t, f, types.PrunedRequestsPrefix, types.DecidedRequestsPrefix)
		})
	}
}

// What is over counts towards one limit, whatever it is, and the oldest goes first.
func TestPrunesOfAllKindsAreBounded(t *testing.T) {
	f, secret := resharing(t)
	f.KeyGen("failed", 1)
	f.EndBlocks(800)
	f.Reshare("r", "k", 1)
	cancel(t, f, f.Requester)
	f.EndBlocks(801)
	setParams(t, f, unlimited)
	for i := range keeper.MaxPrunesPerBlock {
		id := fmt.Sprintf("s-%03d", i)
		f.KeySign(id, "k", "text")
		finishSign(t, f, id, secret)
	}
	f.Reshare("young", "k", 1)
	f.Stage("young", secret)
	f.PassTest("young", secret)
	f.EndBlocks(900)
	retain(t, f, 10)
	f.EndBlocks(901)
	requireNoKey(t, f, "failed", types.ErrPruned)
	requireNoReshare(t, f, "r", types.ErrPruned)
	require.Equal(t, 2, f.Entries(types.PrunedRequestsPrefix))
	require.Equal(t, keeper.MaxPrunesPerBlock-2, f.Entries(types.PrunedSignaturesPrefix))
	for i := range 2 { // the last by their ids
		requireSignature(t, f, fmt.Sprintf("s-%03d", keeper.MaxPrunesPerBlock-1-i), types.SIGNATURE_STATUS_READY, "")
	}
	requireReshare(t, f, "young", types.RESHARE_STATUS_READY, "")
	f.EndBlocks(902)
	requireNoReshare(t, f, "young", types.ErrPruned)
	gone(t, f, types.SignaturesPrefix, types.DecidedSignaturesPrefix, types.DecidedRequestsPrefix)
}

// What cannot be pruned is whole, and has its turn again.
func TestSpoiledPrunesOfRequestsStepAside(t *testing.T) {
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			f, secret := resharing(t)
			retain(t, f, 50)
			f.EndBlocks(10)
			f.Reshare("r", "k", 1)
			f.Stage("r", secret)
			f.PassTest("r", secret)
			spoil(f, types.PrunedRequestsPrefix, "", fail)
			f.EndBlocks(61)
			f.Spoiled = nil
			f.EndBlocks(60 + keeper.RetryBlocks)
			requireReshare(t, f, "r", types.RESHARE_STATUS_READY, "")
			requireSignature(t, f, "test:r", types.SIGNATURE_STATUS_READY, "")
			f.EndBlocks(61 + keeper.RetryBlocks)
			requireNoReshare(t, f, "r", types.ErrPruned)
		})
	}
}

// overAndGone is a chain that keeps what is over for 50 blocks, at height 861: of key k the
// reshare that began its epoch, and a key that failed, were pruned, and a younger reshare
// and a younger key are over.
func overAndGone(t *testing.T) *chain.Fixture {
	t.Helper()
	f, secret := resharing(t)
	retain(t, f, 50)
	f.EndBlocks(10)
	f.KeyGen("failed", 1)
	f.Reshare("began", "k", 1)
	f.Stage("began", secret)
	f.PassTest("began", secret)
	f.EndBlocks(150)
	f.KeyGen("later", 1) // ERROR at 750, and over at 850
	f.EndBlocks(840)
	f.Reshare("r", "k", 1)
	f.Stage("r", secret)
	cancel(t, f, f.Requester)
	f.EndBlocks(861)
	requireNoReshare(t, f, "began", types.ErrPruned)
	requireNoKey(t, f, "failed", types.ErrPruned)
	requireKey(t, f, "later", types.KEY_STATUS_ERROR, "expired")
	requireReshare(t, f, "r", types.RESHARE_STATUS_ERROR, "cancelled")
	return f
}

// What was pruned stays so on a chain that starts anew, and what is over is pruned when it
// would have been.
func TestPruneRequestsGenesis(t *testing.T) {
	old := overAndGone(t)
	gs, err := old.Keeper.ExportGenesis(old.Ctx.WithBlockHeight(860))
	require.NoError(t, err)
	hash := requireReshare(t, old, "r", types.RESHARE_STATUS_ERROR, "cancelled").ContentHash
	require.Len(t, gs.PrunedRequests, 2)
	require.Equal(t, types.REQUEST_KIND_KEYGEN, gs.PrunedRequests[0].Kind)
	require.Equal(t, "failed", gs.PrunedRequests[0].Id)
	require.Equal(t, "began", gs.PrunedRequests[1].Id)
	require.Len(t, gs.PrunedRequests[1].ContentHash, len(hash))
	require.Len(t, gs.PrunedSignatures, 1)
	require.Equal(t, "test:began", gs.PrunedSignatures[0].Id)
	bz, err := old.Cdc.MarshalJSON(gs)
	require.NoError(t, err)
	for name, initial := range map[string]int64{"the same chain": 861, "from height 1": 0} {
		t.Run(name, func(t *testing.T) {
			var read types.GenesisState
			require.NoError(t, old.Cdc.UnmarshalJSON(bz, &read))
			f := chain.NewEmpty(t)
			f.Ctx = f.Ctx.WithBlockHeight(initial)
			require.NoError(t, f.Keeper.InitGenesis(f.Ctx, read))
			base := max(initial-1, 0)
			again, err := f.Keeper.ExportGenesis(f.Ctx.WithBlockHeight(max(base, 1)))
			require.NoError(t, err)
			require.NoError(t, again.Validate())
			require.Equal(t, gs.PrunedRequests, again.PrunedRequests)
			if base == 860 {
				require.Equal(t, gs, again)
			}
			f.Ctx = f.Ctx.WithBlockHeight(base + 1)
			requireNoReshare(t, f, "began", types.ErrPruned)
			requireNoKey(t, f, "failed", types.ErrPruned)
			f.EndBlocks(base + 30) // r was decided 20 blocks before the export, later is over for 10
			requireReshare(t, f, "r", types.RESHARE_STATUS_ERROR, "cancelled")
			f.EndBlocks(base + 31)
			requireNoReshare(t, f, "r", types.ErrPruned)
			requireUnsigned(t, f, "test:r", types.ErrPruned)
			f.EndBlocks(base + 40)
			requireKey(t, f, "later", types.KEY_STATUS_ERROR, "expired")
			f.EndBlocks(base + 41)
			requireNoKey(t, f, "later", types.ErrPruned)
		})
	}
}

// Chains of before have no index of what is over.
func TestMigrate3to4(t *testing.T) {
	f := overAndGone(t)
	f.Reshare("open", "k", 1)
	retain(t, f, 0)
	f.EndBlocks(1000)
	before := f.Entries(types.DecidedRequestsPrefix)
	require.Equal(t, 2, before)
	f.Clear(types.DecidedRequestsPrefix) // there was none
	require.NoError(t, f.Keeper.Migrate3to4(f.Ctx))
	require.Equal(t, before, f.Entries(types.DecidedRequestsPrefix))
	retain(t, f, 100)
	f.EndBlocks(1001)
	requireNoReshare(t, f, "r", types.ErrPruned)
	requireNoKey(t, f, "later", types.ErrPruned)
	requireReshare(t, f, "open", types.RESHARE_STATUS_PENDING, "")
	requireKey(t, f, "k", types.KEY_STATUS_READY, "")
}

// The ids of the module's own reshares come again where heights do: one that was pruned is
// taken, and the next block's is not.
func TestAutoReshareIDOfAPrunedOne(t *testing.T) {
	old, _ := autoResharing(t)
	gs, err := old.Keeper.ExportGenesis(old.Ctx)
	require.NoError(t, err)
	gs.PrunedRequests = []types.PrunedRequest{{Kind: types.REQUEST_KIND_RESHARE, Id: types.AutoReshareID("k", 20), ContentHash: chain.Digest("a")}}
	f := chain.NewEmpty(t)
	f.Participants, f.Staking.Validators = old.Participants, old.Staking.Validators
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
	f.Ctx = f.Ctx.WithBlockHeight(1)
	f.EndBlocks(20)
	f.Participants[0].Jail()
	f.EndBlocks(21)
	require.Empty(t, autoReshares(t, f, "k"))
	f.EndBlocks(22)
	all := autoReshares(t, f, "k")
	require.Len(t, all, 1)
	require.Equal(t, types.AutoReshareID("k", 21), all[0].Id)
}

// An accusation lapses by itself, and proof stays, whatever became of the request that they
// are of.
func TestFaultsOutliveWhatIsPruned(t *testing.T) {
	f := chain.New(t, 4)
	retain(t, f, 1)
	setParams(t, f, func(p *types.Params) { p.FaultBlocks = 1000 })
	f.KeyGen("failed", 1)
	id := mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: "failed"}
	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, f.Participants[0].Contradict(id)))
	f.EndBlocks(500)
	a := f.Participants[1].Accuse(id, f.Participants[2].Operator)
	require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &a))
	f.EndBlocks(800)
	requireNoKey(t, f, "failed", types.ErrPruned)
	require.Equal(t, 2, f.Entries(types.FaultsPrefix))
	f.EndBlocks(1600)
	require.Equal(t, 1, f.Entries(types.FaultsPrefix))
	require.Zero(t, f.Entries(types.FaultLapsesPrefix))
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())
}
