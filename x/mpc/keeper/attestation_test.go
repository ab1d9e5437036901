package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestKeyIsReadyWhenAllAgree(t *testing.T) {
	f := chain.New(t, 3)
	f.KeyGen("k", 1)
	secret := chain.NewSecret("k")
	f.EndBlocks(70) // attempt 1 may be open
	apply := func(i int, attempt uint32, session string, payload []byte) {
		t.Helper()
		a := f.Participants[i].Attest("k", attempt, chain.Session(session), payload)
		require.NoError(t, f.Keeper.CheckAttestation(f.Ctx, &a))
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
		require.ErrorIs(t, f.Keeper.CheckAttestation(f.Ctx, &a), types.ErrAlreadyDecided)
	}
	// Two of three for session a, one of them with another payload: no key.
	apply(0, 0, "a", secret.Payload(3))
	apply(1, 0, "a", chain.NewSecret("liar").Payload(3))
	apply(2, 0, "a", secret.Payload(3))
	key := requireKey(t, f, "k", types.KEY_STATUS_PENDING, "")
	require.Len(t, key.Holders, 3)
	// The next session gets there.
	apply(0, 1, "b", secret.Payload(3))
	apply(1, 1, "b", secret.Payload(3))
	requireKey(t, f, "k", types.KEY_STATUS_PENDING, "")
	apply(2, 1, "b", secret.Payload(3))
	key = requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	session := chain.Session("b")
	require.Equal(t, session[:], key.Session)
	require.Equal(t, secret.PublicKey(), key.PublicKey)
	require.Len(t, key.PublicShares, 3)
	require.EqualValues(t, 70, key.DecidedHeight)
	require.Equal(t, 1, f.Events(&types.EventKeyReady{}))

	engine, known, err := f.Keeper.EngineKey(f.Ctx, "k")
	require.NoError(t, err)
	require.True(t, known)
	require.EqualValues(t, 170, engine.RetireHeight)
	require.Equal(t, mpctypes.KeyReady, engine.Status)
	_, known, err = f.Keeper.EngineKey(f.Ctx, "none")
	require.NoError(t, err)
	require.False(t, known)

	requests, err := f.Keeper.EngineRequests(f.Ctx)
	require.NoError(t, err)
	require.Empty(t, requests)
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	require.Empty(t, gs.Attestations, "a decided request leaves nothing behind")
}

func TestAttestationRefused(t *testing.T) {
	f := chain.New(t, 3)
	stranger := f.AddValidator(3)
	f.KeyGen("k", 1)
	f.Register(stranger)
	f.ReadyKey("done", 1) // of four: the stranger is registered by now
	p := f.Participants[0]
	session, payload := chain.Session("a"), chain.NewSecret("k").Payload(3)
	first := p.Attest("k", 0, session, payload)
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &first))
	notOnCurve := append([]byte{}, payload...)
	notOnCurve[2] = 0x05 // the first byte of the public key; 2 and 3 are points

	other := f.Participants[1]
	forged := other.Attest("k", 0, session, payload)
	forged.Operator, forged.IdentityVersion = mpctypes.Operator(f.Participants[2].Operator), 1
	version := *other
	version.Version = 2
	cases := map[string]struct {
		a    mpctypes.Attestation
		want error
	}{
		"unknown key":                  {other.Attest("none", 0, session, payload), types.ErrUnknownKey},
		"decided":                      {other.Attest("done", 0, chain.Session("late"), payload), types.ErrAlreadyDecided},
		"no member":                    {stranger.Attest("k", 0, session, payload), types.ErrUnknownParticipant},
		"same session":                 {p.Attest("k", 1, session, payload), types.ErrBadResult},
		"same attempt":                 {p.Attest("k", 0, chain.Session("b"), payload), types.ErrAlreadyDecided},
		"attempt of the future":        {other.Attest("k", 1, session, payload), types.ErrBadResult},
		"other version":                {version.Attest("k", 0, session, payload), types.ErrBadResult},
		"signed by another":            {forged, types.ErrBadResult},
		"shares of two":                {other.Attest("k", 0, session, chain.NewSecret("k").Payload(2)), types.ErrBadResult},
		"no payload":                   {other.Attest("k", 0, session, nil), types.ErrBadResult},
		"no point":                     {other.Attest("k", 0, session, notOnCurve), types.ErrBadResult},
		"deletion of an undeleted key": {other.AttestDeletion("k"), types.ErrUnknownRequest},
		"kind without attestations": {
			mpctypes.Attestation{Request: mpctypes.RequestID{Kind: mpctypes.KindSign, ID: "k"}}, types.ErrBadResult,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			ctx, _ := f.Ctx.CacheContext()
			require.ErrorIs(t, f.Keeper.ApplyAttestation(ctx, &c.a), c.want)
		})
	}
	f.EndBlocks(61)
	again := p.Attest("k", 1, session, payload)
	require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &again), types.ErrAlreadyDecided, "one word on each session")
}

// TestReplayAfterRollback: what was said to a request, a deletion or an epoch is not said
// to another one of the same name that takes its place after a rollback, and the chain
// refuses it whoever brings it.
func TestReplayAfterRollback(t *testing.T) {
	for name, c := range map[string]struct {
		// ask makes what is answered, and the same again later.
		ask func(f *chain.Fixture)
		say func(p *chain.Participant) mpctypes.Attestation
	}{
		"keygen": {
			func(f *chain.Fixture) { f.KeyGen("k", 1) },
			func(p *chain.Participant) mpctypes.Attestation {
				return p.Attest("k", 0, chain.Session("k"), chain.NewSecret("k").Payload(3))
			},
		},
		"reshare": {
			func(f *chain.Fixture) { f.ReadyKey("k", 1); f.Reshare("r", "k", 1) },
			func(p *chain.Participant) mpctypes.Attestation {
				return p.AttestReshare("r", 0, chain.Session("r"), chain.NewSecret("k").Payload(3))
			},
		},
		"deletion": {
			func(f *chain.Fixture) {
				f.ReadyKey("k", 1)
				deleteKey(t, f, "k")
				f.EndBlocks(f.Ctx.BlockHeight() + 101)
			},
			func(p *chain.Participant) mpctypes.Attestation { return p.AttestDeletion("k") },
		},
		"missing share": {
			func(f *chain.Fixture) { f.ReadyKey("k", 1) },
			func(p *chain.Participant) mpctypes.Attestation { return p.AttestMissing("k", chain.Session("k")) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 3)
			p, before := f.Participants[1], f.Save()
			c.ask(f)
			said := c.say(p)
			require.NoError(t, f.Keeper.CheckAttestation(f.Ctx, &said))

			f.Load(before)
			c.ask(f)
			require.NoError(t, f.Keeper.CheckAttestation(f.Ctx, &said), "the same in the same block is the same")

			f.Load(before)
			f.EndBlocks(f.Ctx.BlockHeight() + 1)
			c.ask(f)
			require.ErrorIs(t, f.Keeper.CheckAttestation(f.Ctx, &said), types.ErrBadResult)
			require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &said), types.ErrBadResult)
			forged := said
			forged.Commitment = c.say(p).Commitment
			require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &forged), types.ErrBadResult, "it was not signed over this one")
			anew := c.say(p)
			require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &anew))
		})
	}
}

// TestKeyNamesItsRequest: a key shows which request made the shares of its epoch.
func TestKeyNamesItsRequest(t *testing.T) {
	f := chain.New(t, 3)
	asked := func(id mpctypes.RequestID) []byte {
		requests, err := f.Keeper.EngineRequests(f.Ctx)
		require.NoError(t, err)
		for i := range requests {
			if requests[i].ID == id {
				h := requests[i].Commitment(chain.ChainID)
				return h[:]
			}
		}
		return nil
	}
	f.KeyGen("k", 1)
	keygen := asked(mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: "k"})
	secret := chain.NewSecret("k")
	f.AttestAll("k", secret)
	require.Equal(t, keygen, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Commitment)
	f.Reshare("r", "k", 1)
	reshare := asked(mpctypes.RequestID{Kind: mpctypes.KindReshare, ID: "r"})
	f.Stage("r", secret)
	require.Equal(t, keygen, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Commitment)
	f.PassTest("r", secret)
	require.Equal(t, reshare, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Commitment)
	require.Equal(t, mpctypes.Hash(reshare), engineKey(t, f, "k").Commitment)

	broken := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	broken.Commitment = broken.Commitment[1:]
	require.ErrorContains(t, broken.Validate(), "commitment")
	broken.Commitment = nil
	require.NoError(t, broken.Validate(), "of before there was one")
}

func TestResultComesBeforeExpiry(t *testing.T) {
	f := chain.New(t, 3)
	f.KeyGen("k", 1)
	f.KeyGen("late", 1)
	f.EndBlocks(601) // PreBlock of the block that expires them
	f.AttestAll("k", chain.NewSecret("k"))
	f.EndBlocks(602)
	requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	requireKey(t, f, "late", types.KEY_STATUS_ERROR, "expired")
	a := f.Participants[0].Attest("late", 0, chain.Session("late"), chain.NewSecret("late").Payload(3))
	require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &a), types.ErrAlreadyDecided)

	secret := chain.NewSecret("k")
	s := f.KeySign("s", "k", "a")
	f.KeySign("late", "k", "b")
	f.EndBlocks(902)
	result := secret.Sign("s", s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	f.Events(&types.EventSignFailed{})
	f.EndBlocks(903)
	requireSignature(t, f, "s", types.SIGNATURE_STATUS_READY, "")
	requireSignature(t, f, "late", types.SIGNATURE_STATUS_ERROR, "expired")
	require.Equal(t, 1, f.Events(&types.EventSignFailed{}))
}
