package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// miss lets a participant say that it has no share of k.
func miss(t *testing.T, f *chain.Fixture, p *chain.Participant) {
	t.Helper()
	a := p.AttestMissing("k", chain.Session("k"))
	require.NoError(t, f.Keeper.CheckAttestation(f.Ctx, &a))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
}

// The key shows who has no share, until the epoch in which all have one.
func TestShareMissing(t *testing.T) {
	f, secret := resharing(t)
	rotated, replaced := f.Participants[1], *f.Participants[1]
	rotated.Identity = chain.IdentityKey("rotated")
	f.Register(rotated)
	f.Events(&types.EventShareMissing{})
	stolen := replaced.AttestMissing("k", chain.Session("k"))
	require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &stolen), types.ErrUnregistered, "somebody else may have it")
	miss(t, f, f.Participants[2])
	miss(t, f, rotated)
	require.Equal(t, 2, f.Events(&types.EventShareMissing{}))
	resp, err := f.Query.Key(f.Ctx, &types.QueryKeyRequest{KeyId: "k"})
	require.NoError(t, err)
	require.ElementsMatch(t, chain.Operators(f.Participants[1:3]...), resp.Key.MissingShares)
	require.IsIncreasing(t, resp.Key.MissingShares)
	require.Equal(t, operators(resp.Key.MissingShares), engineKey(t, f, "k").MissingShares)

	f.EndBlocks(5)
	anew := exportImport(t, f)
	require.Equal(t, resp.Key.MissingShares, requireKey(t, anew, "k", types.KEY_STATUS_READY, "").MissingShares)

	f.Reshare("r", "k", 2)
	f.Stage("r", secret)
	require.Len(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").MissingShares, 2)
	f.PassTest("r", secret)
	require.Empty(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").MissingShares)
	late := f.Participants[0].AttestMissing("k", chain.Session("k"))
	require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &late), types.ErrAlreadyDecided, "of the epoch before")
	again := f.Participants[2].AttestMissing("k", chain.Session("r"))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &again))
}

func TestShareMissingRefuses(t *testing.T) {
	f, _ := resharing(t)
	f.KeyGen("pending", 1)
	f.ReadyKey("deleting", 1)
	deleteKey(t, f, "deleting")
	miss(t, f, f.Participants[0])
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, f.Participants[1].Operator))
	forged := f.Participants[2].AttestMissing("k", chain.Session("k"))
	forged.Operator = mpcOperator(f.Participants[3].Operator)
	attempt := f.Participants[2].AttestMissing("k", chain.Session("k"))
	attempt.Attempt = 1
	attempt.Sign(chain.ChainID, f.Participants[2].Identity)
	payload := f.Participants[2].AttestMissing("k", chain.Session("k"))
	payload.Payload = []byte{1}
	payload.Sign(chain.ChainID, f.Participants[2].Identity)
	for name, c := range map[string]struct {
		a    mpctypes.Attestation
		want error
	}{
		"unknown key":     {f.Participants[2].AttestMissing("none", chain.Session("k")), types.ErrUnknownKey},
		"PENDING key":     {f.Participants[2].AttestMissing("pending", chain.Session("k")), types.ErrUnknownRequest},
		"DELETING key":    {f.Participants[2].AttestMissing("deleting", chain.Session("deleting")), types.ErrUnknownRequest},
		"another session": {f.Participants[2].AttestMissing("k", chain.Session("other")), types.ErrAlreadyDecided},
		"no session":      {f.Participants[2].AttestMissing("k", mpctypes.Context{}), types.ErrAlreadyDecided},
		"no participant":  {f.Participants[4].AttestMissing("k", chain.Session("k")), types.ErrUnknownParticipant},
		"twice":           {f.Participants[0].AttestMissing("k", chain.Session("k")), types.ErrAlreadyDecided},
		"revoked":         {f.Participants[1].AttestMissing("k", chain.Session("k")), types.ErrUnregistered},
		"of another one":  {forged, types.ErrBadResult},
		"attempt":         {attempt, types.ErrAlreadyDecided},
		"payload":         {payload, types.ErrBadResult},
	} {
		require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &c.a), c.want, name)
	}
	require.Len(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").MissingShares, 1)
}

// With auto_reshare on the same committee gets fresh shares where one is missing, though
// not more often than once in auto_reshare_pause_blocks, whatever somebody says.
func TestAutoReshareOfAMissingShare(t *testing.T) {
	f, secret := autoResharing(t)
	setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks = 50 })
	miss(t, f, f.Participants[3])
	f.EndBlocks(51) // it was made at 1
	require.Empty(t, autoReshares(t, f, "k"))
	f.EndBlocks(52)
	all := autoReshares(t, f, "k")
	require.Len(t, all, 1)
	require.ElementsMatch(t, chain.Operators(f.Participants[:4]...), all[0].Participants)
	f.Stage(all[0].Id, secret)
	f.PassTest(all[0].Id, secret)
	again := f.Participants[3].AttestMissing("k", chain.Session(all[0].Id))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &again))
	f.EndBlocks(152)
	require.Len(t, autoReshares(t, f, "k"), 1, "it lost the new one as well: twice as long")
	f.EndBlocks(153)
	require.Len(t, autoReshares(t, f, "k"), 2)
}

// Who loses its share again soon after each repair waits twice as long each time, to 64
// times as long. Others wait no longer by that, nor does it when it kept one for long.
func TestShareThatIsLostAgainAndAgain(t *testing.T) {
	f, secret := autoResharing(t)
	const pause = 5
	setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks = pause })
	session, made := chain.Session("k"), int64(1)
	repairs := 0
	// lose lets a participant lose its share at once, and wants the repair after so long.
	lose := func(p *chain.Participant, wait int64) {
		t.Helper()
		a := p.AttestMissing("k", session)
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
		f.EndBlocks(max(made+wait, f.Ctx.BlockHeight()))
		require.Len(t, autoReshares(t, f, "k"), repairs)
		f.EndBlocks(f.Ctx.BlockHeight() + 1)
		repairs++
		require.Len(t, autoReshares(t, f, "k"), repairs)
		id := requireKey(t, f, "k", types.KEY_STATUS_READY, "").ReshareId
		f.Stage(id, secret)
		f.PassTest(id, secret)
		key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
		require.NoError(t, key.Validate())
		session, made = chain.Session(id), key.DecidedHeight
	}
	loser, other := f.Participants[3], f.Participants[2]
	for i := range types.MaxPauseDoublings + 2 {
		lose(loser, pause<<min(i, types.MaxPauseDoublings))
	}
	key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.Len(t, key.Repairs, 1)
	require.EqualValues(t, types.MaxPauseDoublings, key.Repairs[0].Times)
	require.Equal(t, loser.Operator, key.Repairs[0].Operator)

	lose(other, pause)
	require.Len(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Repairs, 2)
	lose(loser, pause<<types.MaxPauseDoublings)
	f.EndBlocks(f.Ctx.BlockHeight() + 1)
	anew := exportImport(t, f)
	require.Equal(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Repairs, requireKey(t, anew, "k", types.KEY_STATUS_READY, "").Repairs)

	// The other one kept its share for long meanwhile, and now it does so too.
	key = requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.Len(t, key.Repairs, 1)
	f.EndBlocks(key.Repairs[0].UntilHeight)
	lose(loser, pause)
	key = requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.Len(t, key.Repairs, 1)
	require.EqualValues(t, 1, key.Repairs[0].Times)
}

// Who takes it back as soon as the module asks for the reshare waits no less long for the
// next than who does not; what others took back while their key was reshared for something
// else is no repair.
func TestRepairThatIsNotWanted(t *testing.T) {
	f, secret := autoResharing(t)
	const pause = 5
	setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks = pause })
	session, made := chain.Session("k"), int64(1)
	loser := f.Participants[3]
	finish := func() {
		t.Helper()
		id := requireKey(t, f, "k", types.KEY_STATUS_READY, "").ReshareId
		f.Stage(id, secret)
		f.PassTest(id, secret)
		key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
		require.NoError(t, key.Validate())
		session, made = chain.Session(id), key.DecidedHeight
	}
	for i := range types.MaxPauseDoublings + 2 {
		lost, found := loser.AttestMissing("k", session), loser.AttestFound("k", session)
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &lost))
		f.EndBlocks(max(made+pause<<min(i, types.MaxPauseDoublings), f.Ctx.BlockHeight()))
		require.Len(t, autoReshares(t, f, "k"), i)
		f.EndBlocks(f.Ctx.BlockHeight() + 1)
		require.Len(t, autoReshares(t, f, "k"), i+1)
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &found))
		finish()
		repairs := requireKey(t, f, "k", types.KEY_STATUS_READY, "").Repairs
		require.Len(t, repairs, 1)
		require.Equal(t, loser.Operator, repairs[0].Operator)
	}

	other := f.Participants[2]
	lost, found := other.AttestMissing("k", session), other.AttestFound("k", session)
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &lost))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &found))
	f.Participants[0].Jail()
	f.EndBlocks(made + pause + 1)
	require.Contains(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").ReshareId, "auto:")
	finish()
	require.Len(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").Repairs, 1)
}

// Too few participants are left who have a share: the key is reported, queries say that
// nothing will come of a request, and the module asks for no reshare; the owner may.
func TestTooFewSharesLeft(t *testing.T) {
	for name, c := range map[string]struct {
		missing []int // of the four, of whom three sign
		revoked []int
		lost    bool // by what is missing alone
		left    bool
	}{
		"one is missing":                      {missing: []int{3}, left: true},
		"two are missing":                     {missing: []int{2, 3}, lost: true},
		"one is missing, one revoked":         {missing: []int{3}, revoked: []int{2}},
		"one revoked that is missing":         {missing: []int{3}, revoked: []int{3}, left: true},
		"all are missing":                     {missing: []int{0, 1, 2, 3}, lost: true},
		"two are missing, one of the revoked": {missing: []int{2, 3}, revoked: []int{3}, lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := autoResharing(t)
			f.Events(&types.EventKeyEndangered{})
			for _, i := range c.missing {
				miss(t, f, f.Participants[i])
			}
			for _, i := range c.revoked {
				require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, f.Participants[i].Operator))
			}
			events := f.Ctx.EventManager().Events()
			require.Equal(t, c.lost, f.Events(&types.EventKeyEndangered{}) > 0)
			if c.lost {
				said, _ := events[len(events)-1-len(c.revoked)].GetAttribute("reason")
				require.Contains(t, said.Value, "too_few_signers: ")
			}
			sign, err := f.Query.CanSign(f.Ctx, &types.QueryCanSignRequest{KeyId: "k"})
			require.NoError(t, err)
			reshare, err := f.Query.CanReshare(f.Ctx, &types.QueryCanReshareRequest{KeyId: "k", Threshold: 1})
			require.NoError(t, err)
			require.Equal(t, c.left, sign.Ok, sign.Reason)
			require.Equal(t, c.left, reshare.Ok, reshare.Reason)
			if !c.left {
				require.Contains(t, sign.Reason, "too_few_signers: ")
				require.Contains(t, reshare.Reason, "too_few_signers: ")
			}
			require.Equal(t, c.lost, requireKey(t, f, "k", types.KEY_STATUS_READY, "").EndangeredHeight != 0)
			f.EndBlocks(1200)
			require.Equal(t, c.left, len(autoReshares(t, f, "k")) > 0)
			require.Equal(t, !c.left, f.Events(&types.EventKeyEndangered{}) > 0)
			require.Equal(t, !c.left, requireKey(t, f, "k", types.KEY_STATUS_READY, "").EndangeredHeight != 0)
			if c.lost && len(c.revoked) == 0 {
				f.KeySign("s", "k", "a")
				f.Reshare("r", "k", 2)
			}
		})
	}
}

// Where the module does not reshare keys by itself it tells of one that too few have a share
// of, but the key keeps no height of that: who finds a share would not end it.
func TestTooFewSharesLeftWithoutAutoReshare(t *testing.T) {
	f, _ := resharing(t)
	f.Events(&types.EventKeyEndangered{})
	miss(t, f, f.Participants[2])
	miss(t, f, f.Participants[3])
	require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
	key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.Zero(t, key.EndangeredHeight)
	require.Len(t, key.MissingShares, 2)
}

// A participant takes back, once for each epoch, that its share is missing. Nobody can
// bring its first word again after that; it may say so itself.
func TestShareFound(t *testing.T) {
	f, secret := resharing(t)
	p := f.Participants[2]
	apply := func(a mpctypes.Attestation) error { return f.Keeper.ApplyAttestation(f.Ctx, &a) }
	key := func() types.Key { return requireKey(t, f, "k", types.KEY_STATUS_READY, "") }
	session := chain.Session("k")
	require.ErrorIs(t, apply(p.AttestFound("k", session)), types.ErrAlreadyDecided, "nobody said anything")
	require.ErrorIs(t, apply(p.AttestMissingAgain("k", session)), types.ErrAlreadyDecided, "there was no first time")
	first := p.AttestMissing("k", session)
	require.NoError(t, apply(first))
	require.ErrorIs(t, apply(f.Participants[1].AttestFound("k", session)), types.ErrAlreadyDecided, "not its own")
	forged := f.Participants[1].AttestFound("k", session)
	forged.Operator = mpcOperator(p.Operator)
	require.ErrorIs(t, apply(forged), types.ErrBadResult)
	require.ErrorIs(t, apply(p.AttestFound("k", chain.Session("other"))), types.ErrAlreadyDecided, "a share of another epoch")
	f.Events(&types.EventShareFound{})
	require.NoError(t, apply(p.AttestFound("k", session)))
	require.Equal(t, 1, f.Events(&types.EventShareFound{}))
	require.Empty(t, key().MissingShares)
	require.Equal(t, []string{p.Operator}, key().FoundShares)
	require.NoError(t, key().Validate())
	require.NoError(t, key().EnoughShares(chain.Operators(f.Participants[:4]...)))

	require.ErrorIs(t, apply(first), types.ErrAlreadyDecided, "somebody kept it")
	require.NoError(t, apply(p.AttestMissingAgain("k", session)))
	require.Equal(t, []string{p.Operator}, key().MissingShares)
	require.ErrorIs(t, apply(p.AttestFound("k", session)), types.ErrAlreadyDecided, "once for each epoch")
	f.EndBlocks(5)
	anew := exportImport(t, f)
	require.Equal(t, []string{p.Operator}, requireKey(t, anew, "k", types.KEY_STATUS_READY, "").FoundShares)

	f.Reshare("r", "k", 2)
	f.Stage("r", secret)
	f.PassTest("r", secret)
	require.Empty(t, key().MissingShares)
	require.Empty(t, key().FoundShares)
	require.NoError(t, apply(p.AttestMissing("k", chain.Session("r"))))
	require.NoError(t, apply(p.AttestFound("k", chain.Session("r"))))
}

// A key of which too few shares were left is not lost for the module when they are back.
func TestFoundSharesAreEnough(t *testing.T) {
	f, _ := autoResharing(t)
	for _, p := range f.Participants[2:4] {
		miss(t, f, p)
	}
	f.EndBlocks(600)
	require.Empty(t, autoReshares(t, f, "k"))
	found := f.Participants[2].AttestFound("k", chain.Session("k"))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &found))
	f.EndBlocks(2400)
	require.NotEmpty(t, autoReshares(t, f, "k"))
}
