package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestEvidenceAfterTheDecision: proof is taken for fault_blocks after its request was
// decided, however it was decided, and once.
func TestEvidenceAfterTheDecision(t *testing.T) {
	sign := mpctypes.RequestID{Kind: mpctypes.KindSign, ID: "s"}
	reshare := mpctypes.RequestID{Kind: mpctypes.KindReshare, ID: "r"}
	for name, c := range map[string]struct {
		request mpctypes.RequestID
		// decide leaves it decided in the block that it returns.
		decide func(f *chain.Fixture) int64
	}{
		"a keygen that is READY": {keygenK, func(f *chain.Fixture) int64 { f.ReadyKey("k", 1); return 1 }},
		"a keygen that expired": {keygenK, func(f *chain.Fixture) int64 {
			f.KeyGen("k", 1)
			f.EndBlocks(602)
			return 601
		}},
		"a key that is DELETED": {keygenK, func(f *chain.Fixture) int64 {
			f.ReadyKey("k", 1)
			deleteKey(t, f, "k")
			f.EndBlocks(150)
			return 1
		}},
		"a signature": {sign, func(f *chain.Fixture) int64 {
			secret := f.ReadyKey("k", 1)
			s := f.KeySign("s", "k", "text")
			f.EndBlocks(7)
			result := secret.Sign("s", s.Digest)
			require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
			return 7
		}},
		"a reshare": {reshare, func(f *chain.Fixture) int64 {
			secret := f.ReadyKey("k", 1)
			f.Reshare("r", "k", 1)
			f.Stage("r", secret)
			f.EndBlocks(3)
			early := f.Participants[2].ContradictIn(reshare, chain.Session("another attempt"))
			require.NoError(t, f.Keeper.CheckEvidence(f.Ctx, early), "it is TESTING")
			f.PassTest("r", secret)
			return 3
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 3)
			decided := c.decide(f)
			p := f.Participants[1]
			e := p.Contradict(c.request)
			f.EndBlocks(decided + 600)
			require.NoError(t, f.Keeper.CheckEvidence(f.Ctx, e))
			late, _ := f.Ctx.CacheContext()
			late = late.WithBlockHeight(decided + 601)
			require.ErrorIs(t, f.Keeper.CheckEvidence(late, e), types.ErrAlreadyDecided)

			proven := func() bool {
				known, err := f.Keeper.EngineProven(f.Ctx, mpctypes.Operator(p.Operator), e.Context())
				require.NoError(t, err)
				return known
			}
			require.False(t, proven())
			require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, e))
			require.True(t, proven())
			f.EndBlocks(f.Ctx.BlockHeight() + 601)
			require.True(t, proven(), "though it counts no longer")
			require.ErrorIs(t, f.Keeper.ApplyEvidence(f.Ctx, e), types.ErrAlreadyDecided)
			require.Len(t, faultsOf(t, f, p.Operator), 1)
			require.Empty(t, faultsOf(t, f, f.Participants[0].Operator))
		})
	}
}

// TestEvidenceIsOfASession: it is told by its culprit and its context, whatever else is
// signed, and what is proved is known for ever.
func TestEvidenceIsOfASession(t *testing.T) {
	f, _ := withFaults(t)
	f.KeyGen("other", 1)
	p := f.Participants[1]
	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, p.Contradict(keygenK)))
	elsewhere := p.ContradictIn(mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: "other"}, chain.Session("k"))
	require.ErrorIs(t, f.Keeper.ApplyEvidence(f.Ctx, elsewhere), types.ErrAlreadyDecided)
	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, f.Participants[0].Contradict(keygenK)), "another one did it too")
	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, p.ContradictIn(keygenK, chain.Session("the next attempt"))))
	f.EndBlocks(601)
	require.ErrorIs(t, f.Keeper.ApplyEvidence(f.Ctx, p.Contradict(keygenK)), types.ErrAlreadyDecided, "it counts no more, and stays")
}

// TestEvidenceOfARevokedIdentity: rotating or revoking an identity undoes nothing that it
// signed.
func TestEvidenceOfARevokedIdentity(t *testing.T) {
	f := chain.New(t, 4)
	f.ReadyKey("k", 1)
	p := f.Participants[1]
	e := p.Contradict(keygenK)
	rotated := *p
	rotated.Identity = chain.IdentityKey("rotated")
	f.Register(&rotated)
	require.NoError(t, f.Keeper.CheckEvidence(f.Ctx, e))
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, p.Operator))
	require.NoError(t, f.Keeper.CheckEvidence(f.Ctx, e))
	forged := *p
	forged.Identity = chain.IdentityKey("forged")
	require.ErrorIs(t, f.Keeper.CheckEvidence(f.Ctx, forged.Contradict(keygenK)), types.ErrBadResult)
	unknown := *p
	unknown.Version = 3
	require.ErrorIs(t, f.Keeper.CheckEvidence(f.Ctx, unknown.Contradict(keygenK)), types.ErrUnknownParticipant)
}

// TestEvidenceOfAReplacedIdentity: an identity is replaced because somebody else may have it.
// What it signs for a request that was committed later proves nothing, whether that is open
// or decided, nor does what a new one signs for an old request.
func TestEvidenceOfAReplacedIdentity(t *testing.T) {
	replace := map[string]func(f *chain.Fixture, p *chain.Participant){
		"rotated": func(f *chain.Fixture, p *chain.Participant) { f.Register(p) },
		"revoked": func(f *chain.Fixture, p *chain.Participant) {
			require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, p.Operator))
			f.Register(p)
		},
	}
	for name, replace := range replace {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 4)
			f.ReadyKey("old", 1)
			f.EndBlocks(10)
			now := f.Participants[1]
			stolen := *now
			now.Identity = chain.IdentityKey("new")
			replace(f, now)
			f.EndBlocks(20)

			ids := map[string]mpctypes.RequestID{
				"keygen": {Kind: mpctypes.KindKeygen, ID: "new"}, "sign": {Kind: mpctypes.KindSign, ID: "s"}, "reshare": {Kind: mpctypes.KindReshare, ID: "r"},
			}
			honest := func() {
				t.Helper()
				for what, id := range ids {
					require.NoError(t, f.Keeper.CheckEvidence(f.Ctx, now.Contradict(id)), what)
					require.ErrorIs(t, f.Keeper.CheckEvidence(f.Ctx, stolen.Contradict(id)), types.ErrUnknownParticipant, what)
				}
				require.NoError(t, f.Keeper.CheckEvidence(f.Ctx, stolen.Contradict(mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: "old"})), "it was its identity then")
				require.ErrorIs(t, f.Keeper.CheckEvidence(f.Ctx, now.Contradict(mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: "old"})), types.ErrUnknownParticipant, "and this one was not")
			}
			f.KeyGen("new", 1)
			f.KeySign("s", "old", "text")
			f.Reshare("r", "old", 1)
			honest()
			f.EndBlocks(21)
			secret := chain.NewSecret("new")
			f.AttestAll("new", secret)
			old := chain.NewSecret("old")
			s := old.Sign("s", chain.Digest("text"))
			require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &s))
			f.Stage("r", old)
			reshare, err := f.Keeper.Reshare(f.Ctx, "r")
			require.NoError(t, err)
			ids["test"] = mpctypes.RequestID{Kind: mpctypes.KindSign, ID: reshare.TestID()}
			f.EndBlocks(22)
			honest()
			f.PassTest("r", old)
			f.EndBlocks(23)
			honest()
		})
	}
}

// TestEvidenceOfPresignaturesByAReplacedIdentity: it is the one that was current since the key
// has its shares, and not for ever.
func TestEvidenceOfPresignaturesByAReplacedIdentity(t *testing.T) {
	f := chain.New(t, 4)
	p := f.Participants[1]
	first := *p
	f.EndBlocks(10)
	p.Identity = chain.IdentityKey("second")
	f.Register(p)
	f.EndBlocks(20)
	f.ReadyKey("k", 1)
	f.EndBlocks(30)
	second := *p
	p.Identity = chain.IdentityKey("third")
	f.Register(p)
	check := func(p chain.Participant) error {
		e := p.ContradictIn(mpctypes.RequestID{Kind: mpctypes.KindPresign, ID: chain.Session("k").String()}, chain.Session("a presignature"))
		e.KeyID = "k"
		return f.Keeper.CheckEvidence(f.Ctx, e)
	}
	require.ErrorIs(t, check(first), types.ErrUnknownParticipant)
	require.NoError(t, check(second))
	require.NoError(t, check(*p))
	f.EndBlocks(630)
	require.NoError(t, check(second))
	f.EndBlocks(631)
	require.ErrorIs(t, check(second), types.ErrUnknownParticipant)
	require.NoError(t, check(*p))
}

// TestEvidenceOnAnImportedChain: heights of identities, requests and decisions move
// together.
func TestEvidenceOnAnImportedChain(t *testing.T) {
	old := chain.New(t, 4)
	secret := old.ReadyKey("k", 1)
	old.EndBlocks(10)
	old.Reshare("r", "k", 1)
	old.Stage("r", secret)
	old.PassTest("r", secret)
	p := old.Participants[1]
	stolen := *p
	p.Identity = chain.IdentityKey("new")
	old.EndBlocks(20)
	require.NoError(t, old.Keeper.RevokeParticipant(old.Ctx, p.Operator))
	old.Register(p)
	gs, err := old.Keeper.ExportGenesis(old.Ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())

	f := chain.NewEmpty(t)
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, *gs))
	again, err := old.Keeper.ExportGenesis(old.Ctx)
	require.NoError(t, err)
	require.Equal(t, gs, again, "the import leaves the file as it is")
	f.EndBlocks(1)
	before, after := stolen.On(f), p.On(f)
	reshare := mpctypes.RequestID{Kind: mpctypes.KindReshare, ID: "r"}
	require.NoError(t, f.Keeper.CheckEvidence(f.Ctx, before.Contradict(reshare)))
	require.ErrorIs(t, f.Keeper.CheckEvidence(f.Ctx, after.Contradict(reshare)), types.ErrUnknownParticipant)
	f.EndBlocks(590)
	require.NoError(t, f.Keeper.CheckEvidence(f.Ctx, before.Contradict(reshare)))
	f.EndBlocks(591)
	require.ErrorIs(t, f.Keeper.CheckEvidence(f.Ctx, before.Contradict(reshare)), types.ErrAlreadyDecided)

	identities, err := f.Keeper.Participant(f.Ctx, p.Operator)
	require.NoError(t, err)
	require.True(t, identities.Identities[0].Revoked(), "though that is as long ago as the export")
	require.EqualValues(t, -1, identities.Identities[0].RevokedHeight)
	require.EqualValues(t, 0, identities.Identities[1].RegisteredHeight)
	shifted, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.NoError(t, shifted.Validate())
}

// TestProofsAreBounded: whoever signs contradictions as fast as it can fills neither the
// state nor the blocks. A new chain goes on counting.
func TestProofsAreBounded(t *testing.T) {
	f, j := withFaults(t)
	p := f.Participants[1]
	proof := func(i int) mpctypes.Evidence {
		return p.ContradictIn(keygenK, chain.Session(fmt.Sprint("session ", i)))
	}
	for i := range mpctypes.MaxProofs {
		if i == 1 {
			f.EndBlocks(5)
		}
		require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, proof(i)))
	}
	require.ErrorIs(t, f.Keeper.ApplyEvidence(f.Ctx, proof(100)), types.ErrAlreadyDecided)
	require.Len(t, j.heard, mpctypes.MaxProofs)
	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, f.Participants[0].Contradict(keygenK)), "others are proved as before")

	f.EndBlocks(6)
	anew := exportImport(t, f)
	require.ErrorIs(t, anew.Keeper.CheckEvidence(anew.Ctx, proof(100)), types.ErrAlreadyDecided)
	f.EndBlocks(602) // the first one counts no more; the keygen expired just now
	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, proof(100)))
	require.ErrorIs(t, f.Keeper.ApplyEvidence(f.Ctx, proof(101)), types.ErrAlreadyDecided)
	f.EndBlocks(1300)
	require.Zero(t, f.Entries(types.ProofsPrefix))
}

// TestEvidenceOfPresignatures: it names the key, whose present epoch it must be of.
func TestEvidenceOfPresignatures(t *testing.T) {
	f := chain.New(t, 4)
	f.KeyGen("k", 1)
	secret := chain.NewSecret("k")
	f.AttestAll("k", secret)
	f.ReadyKey("other", 1)
	outside := f.AddValidator(4)
	f.Register(outside)
	session := chain.Session("k")
	presign := mpctypes.RequestID{Kind: mpctypes.KindPresign, ID: session.String()}
	of := func(p *chain.Participant, key mpctypes.KeyID) mpctypes.Evidence {
		e := p.ContradictIn(presign, chain.Session("a presignature"))
		e.KeyID = key
		return e
	}
	p := f.Participants[1]
	require.NoError(t, f.Keeper.CheckEvidence(f.Ctx, of(p, "k")))
	for name, tt := range map[string]struct {
		evidence mpctypes.Evidence
		want     error
	}{
		"of another key":      {of(p, "other"), types.ErrAlreadyDecided},
		"of an unknown key":   {of(p, "none"), types.ErrUnknownKey},
		"of no key":           {of(p, ""), types.ErrBadResult},
		"of no participant":   {of(outside, "k"), types.ErrUnknownParticipant},
		"a keygen with a key": {func() mpctypes.Evidence { e := p.Contradict(keygenK); e.KeyID = "k"; return e }(), types.ErrBadResult},
	} {
		require.ErrorIs(t, f.Keeper.ApplyEvidence(f.Ctx, tt.evidence), tt.want, name)
	}
	carried := types.NewBundleBuilder(types.DefaultParams().BundleLimits())
	require.True(t, carried.AddEvidence(of(p, "k")))
	bz, err := carried.Encode()
	require.NoError(t, err)
	results, err := types.DecodeBundle(bz, types.DefaultParams().BundleLimits())
	require.NoError(t, err)
	require.Equal(t, []mpctypes.Evidence{of(p, "k")}, results.Evidence)

	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, results.Evidence[0]))
	faults := faultsOf(t, f, p.Operator)
	require.Len(t, faults, 1)
	require.Equal(t, types.REQUEST_KIND_PRESIGN, faults[0].RequestKind)
	require.Equal(t, session.String(), faults[0].RequestId)
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())

	f.Participants = f.Participants[:4]
	f.Reshare("r", "k", 1, f.Participants...)
	f.Stage("r", secret)
	f.PassTest("r", secret)
	require.ErrorIs(t, f.Keeper.CheckEvidence(f.Ctx, of(f.Participants[0], "k")), types.ErrAlreadyDecided, "nothing can be made of it any more")
}
