package keeper_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// resharing is a chain whose key k, 3 of the first 4 participants, may be reshared;
// the fifth is new.
func resharing(t *testing.T) (*chain.Fixture, chain.Secret) {
	t.Helper()
	f := chain.New(t, 4)
	secret := f.ReadyKey("k", 2)
	f.Register(f.AddValidator(4))
	return f, secret
}

func requireReshare(t *testing.T, f *chain.Fixture, id string, status types.ReshareStatus, reason string) types.Reshare {
	t.Helper()
	r, err := f.Keeper.Reshare(f.Ctx, id)
	require.NoError(t, err)
	require.Equal(t, status, r.Status)
	require.Equal(t, reason, r.Reason)
	return r
}

// engineRequest is an open request as a node sees it.
func engineRequest(t *testing.T, f *chain.Fixture, kind mpctypes.RequestKind, id string) mpctypes.Request {
	t.Helper()
	requests, err := f.Keeper.EngineRequests(f.Ctx)
	require.NoError(t, err)
	for _, r := range requests {
		if r.ID == (mpctypes.RequestID{Kind: kind, ID: id}) {
			return r
		}
	}
	t.Fatalf("%s/%s is not open", kind, id)
	return mpctypes.Request{}
}

func engineKey(t *testing.T, f *chain.Fixture, id string) mpctypes.Key {
	t.Helper()
	key, known, err := f.Keeper.EngineKey(f.Ctx, mpctypes.KeyID(id))
	require.NoError(t, err)
	require.True(t, known)
	return key
}

func finishSign(t *testing.T, f *chain.Fixture, id string, secret chain.Secret) {
	t.Helper()
	s, err := f.Keeper.Signature(f.Ctx, id)
	require.NoError(t, err)
	result := secret.Sign(id, s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	requireSignature(t, f, id, types.SIGNATURE_STATUS_READY, "")
}

func operators(names []string) []mpctypes.Operator {
	ops := make([]mpctypes.Operator, len(names))
	for i, n := range names {
		ops[i] = mpctypes.Operator(n)
	}
	return ops
}

// From the first four, three sign, to the last three and a newcomer, two sign. The key
// signs all the time, each request with the shares of its epoch.
func TestReshare(t *testing.T) {
	f, secret := resharing(t)
	f.KeySign("before", "k", "a")
	before := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	f.EndBlocks(10)
	to := f.Participants[1:]
	asked := f.Reshare("r", "k", 1, to...)
	require.Equal(t, types.RESHARE_STATUS_PENDING, asked.Status)
	require.EqualValues(t, 1, asked.Epoch)
	require.ElementsMatch(t, chain.Operators(to...), asked.Participants)
	require.IsIncreasing(t, asked.Participants)
	require.Equal(t, before.Participants, asked.OldParticipants)
	require.Equal(t, 1, f.Events(&types.EventReshareRequested{}))

	request := engineRequest(t, f, mpctypes.KindReshare, "r")
	require.EqualValues(t, 1, request.Epoch)
	require.Equal(t, 1, request.Threshold)
	require.Equal(t, chain.Session("k"), request.KeySession)
	require.Equal(t, secret.PublicKey(), request.PublicKey)
	require.EqualValues(t, 610, request.ExpiryHeight)
	require.Len(t, request.Members, 5)
	require.Equal(t, &mpctypes.Handover{
		Holders: operators(before.Participants), Threshold: 2, PublicShares: before.PublicShares, Receivers: operators(asked.Participants),
	}, request.Handover)

	// What becomes of an identity now does not change who takes part in the test.
	rotated := *to[0]
	to[0].Identity = chain.IdentityKey("rotated")
	f.Register(to[0])
	for i, p := range []*chain.Participant{&rotated, to[1], to[2], to[3]} {
		requireReshare(t, f, "r", types.RESHARE_STATUS_PENDING, "")
		a := p.AttestReshare("r", 0, chain.Session("r"), secret.Payload(4))
		require.NoError(t, f.Keeper.CheckAttestation(f.Ctx, &a), i)
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	}
	staged := requireReshare(t, f, "r", types.RESHARE_STATUS_TESTING, "")
	session := chain.Session("r")
	require.Equal(t, session[:], staged.Session)
	require.Equal(t, 1, f.Events(&types.EventReshareTesting{}))
	key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.Zero(t, key.Epoch)
	require.Len(t, key.Holders, 5, "a deletion will wait for the newcomer, too")
	require.Equal(t, session, engineKey(t, f, "k").NextSession)

	test := engineRequest(t, f, mpctypes.KindSign, "test:r")
	require.True(t, test.Test)
	require.EqualValues(t, 1, test.Epoch)
	require.Equal(t, 1, test.Threshold)
	require.Equal(t, session, test.KeySession)
	require.Equal(t, operators(asked.Participants), test.Operators())
	digest := mpctypes.ReshareTestDigest(chain.ChainID, "k", 1, session, test.TestSeed)
	require.Equal(t, digest[:], test.Digest)
	m, _ := test.Member(mpctypes.Operator(rotated.Operator))
	require.EqualValues(t, 1, m.IdentityVersion)

	f.EndBlocks(20)
	f.KeySign("during", "k", "b")
	f.PassTest("r", secret)
	ready := requireReshare(t, f, "r", types.RESHARE_STATUS_READY, "")
	require.EqualValues(t, 20, ready.DecidedHeight)
	require.Equal(t, 1, f.Events(&types.EventReshareReady{}))
	key = requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.EqualValues(t, 1, key.Epoch)
	require.EqualValues(t, 1, key.Threshold)
	require.Equal(t, asked.Participants, key.Participants)
	require.Equal(t, session[:], key.Session)
	require.Equal(t, secret.PublicKey(), key.PublicKey)
	require.Len(t, key.PublicShares, 4)
	require.Empty(t, key.NextSession)
	require.Empty(t, key.ReshareId)
	require.EqualValues(t, 20, key.DecidedHeight)
	require.EqualValues(t, 320, key.RetireHeight, "during may need the old shares until it expires")

	f.KeySign("after", "k", "c")
	for id, epoch := range map[string]uint64{"before": 0, "during": 0, "after": 1} {
		r := engineRequest(t, f, mpctypes.KindSign, id)
		require.Equal(t, epoch, r.Epoch)
		require.Equal(t, map[uint64]mpctypes.Context{0: chain.Session("k"), 1: session}[epoch], r.KeySession)
		require.Equal(t, map[uint64]int{0: 2, 1: 1}[epoch], r.Threshold)
		require.Equal(t, secret.PublicKey(), r.PublicKey)
		require.False(t, r.Test)
	}
	f.EndBlocks(40)
	for _, id := range []string{"before", "during", "after"} {
		finishSign(t, f, id, secret)
	}
	require.Zero(t, f.Entries(types.RequestsPrefix))
	require.Zero(t, f.Entries(types.RequestExpiryPrefix))
	require.Zero(t, f.Entries(types.AttestationsPrefix))
	require.Zero(t, f.Entries(types.AttestedAttemptsPrefix))
}

// A refresh is a reshare to the same committee; without open requests the old shares
// go after retire_blocks. The epoch counts on.
func TestRefresh(t *testing.T) {
	f, secret := resharing(t)
	committee := f.Participants[:4]
	for i, id := range []string{"r1", "r2"} {
		epoch := int64(i) + 1
		f.EndBlocks(50 * epoch)
		f.Reshare(id, "k", 2, committee...)
		f.Stage(id, secret)
		f.PassTest(id, secret)
		key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
		require.EqualValues(t, epoch, key.Epoch)
		require.Equal(t, 50*epoch+100, key.RetireHeight)
		require.ElementsMatch(t, chain.Operators(committee...), key.Participants)
	}
	key := engineKey(t, f, "k")
	require.EqualValues(t, []int64{150, 200}, []int64{key.EndOf(0), key.EndOf(1)}, "the refresh after it does not put off the end of an epoch")
	undeleted := func() mpctypes.Key {
		deleteKey(t, f, "k")
		undeleteKey(t, f, "k")
		return engineKey(t, f, "k")
	}
	f.EndBlocks(120)
	key = undeleted()
	require.EqualValues(t, []int64{220, 220, 220}, []int64{key.EndOf(0), key.EndOf(1), key.RetireHeight}, "nobody could say meanwhile that its share is missing")
}

// What an earlier decision put an end to is not destroyed earlier because the
// parameter was lowered.
func TestSwitchNeverLowersTheRetireHeight(t *testing.T) {
	f, secret := resharing(t)
	setParams(t, f, func(p *types.Params) { p.RetireBlocks = 1 })
	f.Reshare("r", "k", 2)
	f.Stage("r", secret)
	f.PassTest("r", secret)
	require.EqualValues(t, 101, requireKey(t, f, "k", types.KEY_STATUS_READY, "").RetireHeight)
}

// The new committee is that of the strongest if none is named.
func TestReshareToTheStrongest(t *testing.T) {
	f, _ := resharing(t)
	setParams(t, f, func(p *types.Params) { p.MaxParticipants = 3 })
	f.Participants[1].Jail()
	// The jailed one still deals.
	r := f.Reshare("r", "k", 1)
	require.ElementsMatch(t, chain.Operators(f.Participants[0], f.Participants[2], f.Participants[3]), r.Participants)
	require.Len(t, engineRequest(t, f, mpctypes.KindReshare, "r").Members, 4)
}

// Old participants that revoked their identity take no part; t+1 must remain.
func TestReshareWithoutThoseWhoRevoked(t *testing.T) {
	f, secret := resharing(t)
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, f.Participants[0].Operator))
	to := f.Participants[3:]
	f.Reshare("r", "k", 1, to...)
	request := engineRequest(t, f, mpctypes.KindReshare, "r")
	require.Len(t, request.Members, 4)
	require.Len(t, request.Handover.Holders, 4, "the shares are of four")
	f.Stage("r", secret)
	f.PassTest("r", secret)
	require.ElementsMatch(t, chain.Operators(to...), requireKey(t, f, "k", types.KEY_STATUS_READY, "").Participants)
}

func TestReshareRefuses(t *testing.T) {
	op := chain.Operator
	long := strings.Repeat("r", types.MaxReshareIDBytes+1)
	revoke := func(t *testing.T, f *chain.Fixture, n int) {
		for _, p := range f.Participants[:n] {
			require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, p.Operator))
		}
	}
	for name, c := range map[string]struct {
		msg   types.MsgKeyReshare
		setup func(*testing.T, *chain.Fixture)
		want  error
	}{
		"bad id":       {msg: types.MsgKeyReshare{ReshareId: "-", KeyId: "k", Threshold: 1}, want: types.ErrBadID},
		"id too long":  {msg: types.MsgKeyReshare{ReshareId: long, KeyId: "k", Threshold: 1}, want: types.ErrBadID},
		"bad key id":   {msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "", Threshold: 1}, want: types.ErrBadID},
		"unknown key":  {msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "none", Threshold: 1}, want: types.ErrUnknownKey},
		"t is 0":       {msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "k"}, want: types.ErrBadThreshold},
		"t is n":       {msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 2, Participants: []string{op(0), op(1)}}, want: types.ErrBadThreshold},
		"t is huge":    {msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 1 << 31}, want: types.ErrBadThreshold},
		"too few":      {msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 5}, want: types.ErrTooFewParticipants},
		"twice":        {msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 1, Participants: []string{op(0), op(1), strings.ToUpper(op(0))}}, want: types.ErrDuplicateParticipant},
		"no validator": {msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 1, Participants: []string{op(0), op(9)}}, want: types.ErrUnknownParticipant},
		"no operator":  {msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 1, Participants: []string{op(0), "x"}}, want: types.ErrUnknownParticipant},
		"jailed": {
			msg:   types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 1, Participants: []string{op(0), op(1)}},
			setup: func(_ *testing.T, f *chain.Fixture) { f.Participants[1].Jail() }, want: types.ErrNotBonded,
		},
		"not registered": {
			msg:   types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 1, Participants: []string{op(0), op(5)}},
			setup: func(_ *testing.T, f *chain.Fixture) { f.AddValidator(5) }, want: types.ErrUnregistered,
		},
		"too many": {
			msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 1, Participants: []string{op(0), op(1), op(2)}},
			setup: func(t *testing.T, f *chain.Fixture) {
				setParams(t, f, func(p *types.Params) { p.MaxParticipants = 2 })
			}, want: types.ErrTooManyParticipants,
		},
		"too few dealers": {
			msg:   types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 1},
			setup: func(t *testing.T, f *chain.Fixture) { revoke(t, f, 2) }, want: types.ErrTooFewParticipants,
		},
		"key is not there": {msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "pending", Threshold: 1}, want: types.ErrKeyNotReady},
		"key is going":     {msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "deleting", Threshold: 1}, want: types.ErrKeyDeleted},
		"not the owner":    {msg: types.MsgKeyReshare{Requester: chain.Account("stranger"), ReshareId: "r", KeyId: "k", Threshold: 1}, want: types.ErrNotOwner},
		"no address":       {msg: types.MsgKeyReshare{Requester: "stranger", ReshareId: "r", KeyId: "k", Threshold: 1}, want: types.ErrBadAddress},
		"no requester any more": {
			msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 1},
			setup: func(t *testing.T, f *chain.Fixture) {
				setParams(t, f, func(p *types.Params) { p.Requesters = nil })
			}, want: types.ErrNotRequester,
		},
		"too many open": {
			msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 1},
			setup: func(t *testing.T, f *chain.Fixture) {
				setParams(t, f, func(p *types.Params) { p.MaxPendingPerRequester = 1 })
			}, want: types.ErrTooManyPending,
		},
		"one is open": {
			msg:   types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 1},
			setup: func(_ *testing.T, f *chain.Fixture) { f.Reshare("other", "k", 1) }, want: types.ErrResharePending,
		},
		"one is tested": {
			msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 1},
			setup: func(_ *testing.T, f *chain.Fixture) {
				f.Reshare("other", "k", 1)
				f.Stage("other", chain.NewSecret("k"))
			}, want: types.ErrResharePending,
		},
		"id is being worked on": {
			msg:   types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 2},
			setup: func(_ *testing.T, f *chain.Fixture) { f.Reshare("r", "k", 1) }, want: types.ErrRequestPending,
		},
		"id is taken": {
			msg: types.MsgKeyReshare{ReshareId: "r", KeyId: "k", Threshold: 2},
			setup: func(_ *testing.T, f *chain.Fixture) {
				f.Reshare("r", "k", 1)
				f.EndBlocks(602)
			}, want: types.ErrIDTaken,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := resharing(t)
			f.KeyGen("pending", 1)
			f.ReadyKey("deleting", 1)
			deleteKey(t, f, "deleting")
			if c.setup != nil {
				c.setup(t, f)
			}
			if c.msg.Requester == "" {
				c.msg.Requester = f.Requester
			}
			reshares := f.Entries(types.ResharesPrefix)
			_, err := f.Msg.KeyReshare(f.Ctx, &c.msg)
			require.ErrorIs(t, err, c.want)
			require.NotEmpty(t, types.ReasonOf(err))
			require.Contains(t, err.Error(), string(types.ReasonOf(err)), "the reason's word stands in the error")
			require.Equal(t, reshares, f.Entries(types.ResharesPrefix))
		})
	}
}

// Both committees together are bounded, as any other request: t+1 of the old one are left out
// of none.
func TestReshareOfTooManyMembers(t *testing.T) {
	f := chain.New(t, 40)
	setParams(t, f, func(p *types.Params) { p.MaxParticipants = mpctypes.MaxMembers })
	f.ReadyKey("k", 1)
	f.ReadyKey("l", 1)
	for i := 40; i < 103; i++ {
		f.Register(f.AddValidator(i))
	}
	msg := types.MsgKeyReshare{
		Requester: f.Requester, ReshareId: "r", KeyId: "k", Threshold: 1, Participants: chain.Operators(f.Participants[40:103]...),
	}
	_, err := f.Msg.KeyReshare(f.Ctx, &msg)
	require.ErrorIs(t, err, types.ErrTooManyParticipants)
	msg.Participants = chain.Operators(f.Participants[40:102]...)
	_, err = f.Msg.KeyReshare(f.Ctx, &msg)
	require.NoError(t, err)
	require.Len(t, engineRequest(t, f, mpctypes.KindReshare, "r").Members, mpctypes.MaxMembers)

	// Who says that its share is missing is asked after the others, and its owner may ask
	// though too few are left who have one.
	for _, p := range f.Participants[:39] {
		a := p.AttestMissing("l", chain.Session("l"))
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	}
	msg.ReshareId, msg.KeyId = "l", "l"
	_, err = f.Msg.KeyReshare(f.Ctx, &msg)
	require.NoError(t, err)
	request := engineRequest(t, f, mpctypes.KindReshare, "l")
	_, deals := request.Member(mpcOperator(f.Participants[39].Operator))
	require.True(t, deals)
	require.Len(t, request.Members, mpctypes.MaxMembers)
}

func TestAskingForAReshareAgainIsFree(t *testing.T) {
	f, secret := resharing(t)
	first := f.Reshare("r", "k", 1, f.Participants[0], f.Participants[4])
	require.Equal(t, 1, f.Events(&types.EventReshareRequested{}))
	require.Equal(t, first, f.Reshare("r", "k", 1, f.Participants[4], f.Participants[0]), "the order does not count")
	require.Zero(t, f.Events(&types.EventReshareRequested{}))
	f.Stage("r", secret)
	f.PassTest("r", secret)
	require.Equal(t, types.RESHARE_STATUS_READY, f.Reshare("r", "k", 1, f.Participants[0], f.Participants[4]).Status)

	f.Reshare("failed", "k", 1)
	f.EndBlocks(602)
	require.Equal(t, requireReshare(t, f, "failed", types.RESHARE_STATUS_ERROR, "expired"), f.Reshare("failed", "k", 1))
}

// The authority may reshare any key, and its owner may cancel that.
func TestAuthorityReshares(t *testing.T) {
	f, _ := resharing(t)
	setParams(t, f, func(p *types.Params) { p.Requesters = nil })
	resp, err := f.Msg.KeyReshare(f.Ctx, &types.MsgKeyReshare{Requester: f.Authority, ReshareId: "r", KeyId: "k", Threshold: 1})
	require.NoError(t, err)
	require.Equal(t, f.Authority, resp.Reshare.Owner)
	cancelled, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: "r"})
	require.NoError(t, err)
	require.Equal(t, types.RESHARE_STATUS_ERROR, cancelled.Reshare.Status)
}

// Ids of tests are the module's.
func TestTestIDsAreReserved(t *testing.T) {
	f, _ := resharing(t)
	_, err := f.Msg.KeySign(f.Ctx, &types.MsgKeySign{Requester: f.Requester, SignatureId: "test:r", KeyId: "k", Payload: chain.Payload("a")})
	require.ErrorIs(t, err, types.ErrBadID)
	f.KeySign("test-r", "k", "a")
	id := strings.Repeat("r", types.MaxReshareIDBytes)
	f.Reshare(id, "k", 1)
	f.Stage(id, chain.NewSecret("k"))
	f.PassTest(id, chain.NewSecret("k"))
	requireReshare(t, f, id, types.RESHARE_STATUS_READY, "")
}

func TestReshareAttestationRefused(t *testing.T) {
	f, secret := resharing(t)
	stranger := f.AddValidator(5)
	f.Register(stranger)
	f.Reshare("r", "k", 1, f.Participants[2:5]...)
	payload, session := secret.Payload(3), chain.Session("r")
	first := f.Participants[4]
	a := first.AttestReshare("r", 0, session, payload)
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	other := f.Participants[3]
	version := *other
	version.Version = 2
	for name, c := range map[string]struct {
		a    mpctypes.Attestation
		want error
	}{
		"unknown reshare":       {other.AttestReshare("none", 0, session, payload), types.ErrUnknownReshare},
		"as a keygen":           {other.Attest("r", 0, session, payload), types.ErrUnknownKey},
		"stranger":              {stranger.AttestReshare("r", 0, session, payload), types.ErrUnknownParticipant},
		"of the old only":       {f.Participants[0].AttestReshare("r", 0, session, payload), types.ErrUnknownParticipant},
		"another key":           {other.AttestReshare("r", 0, session, chain.NewSecret("other").Payload(3)), types.ErrBadResult},
		"shares of the union":   {other.AttestReshare("r", 0, session, secret.Payload(5)), types.ErrBadResult},
		"no payload":            {other.AttestReshare("r", 0, session, nil), types.ErrBadResult},
		"the present session":   {other.AttestReshare("r", 0, chain.Session("k"), payload), types.ErrBadResult},
		"no session":            {other.AttestReshare("r", 0, mpctypes.Context{}, payload), types.ErrBadResult},
		"attempt of the future": {other.AttestReshare("r", 1, session, payload), types.ErrBadResult},
		"same attempt":          {first.AttestReshare("r", 0, chain.Session("b"), payload), types.ErrAlreadyDecided},
		"other version":         {version.AttestReshare("r", 0, session, payload), types.ErrBadResult},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, _ := f.Ctx.CacheContext()
			require.ErrorIs(t, f.Keeper.ApplyAttestation(ctx, &c.a), c.want)
		})
	}
	// Who differs from the others keeps them from a test; the next session decides.
	differs, err := mpctypes.DecodeKeygenPayload(payload)
	require.NoError(t, err)
	differs.PublicShares[0] = differs.PublicShares[1]
	for i, said := range [][]byte{payload, differs.Encode()} {
		a := f.Participants[2+i].AttestReshare("r", 0, session, said)
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	}
	f.EndBlocks(61)
	requireReshare(t, f, "r", types.RESHARE_STATUS_PENDING, "")
	for _, p := range f.Participants[2:5] {
		a := p.AttestReshare("r", 1, chain.Session("b"), payload)
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	}
	requireReshare(t, f, "r", types.RESHARE_STATUS_TESTING, "")
	late := f.Participants[2].AttestReshare("r", 0, chain.Session("late"), payload)
	require.ErrorIs(t, f.Keeper.ApplyAttestation(f.Ctx, &late), types.ErrAlreadyDecided)
}

// What the members hold against each other is taken in a reshare, too.
func TestFaultsOfAReshare(t *testing.T) {
	f, secret := resharing(t)
	f.Reshare("r", "k", 1, f.Participants[3:5]...)
	id := mpctypes.RequestID{Kind: mpctypes.KindReshare, ID: "r"}
	a := f.Participants[0].Accuse(id, f.Participants[4].Operator)
	require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &a))
	require.NoError(t, f.Keeper.ApplyEvidence(f.Ctx, f.Participants[0].Contradict(id)))
	f.Stage("r", secret)
	late := f.Participants[1].Accuse(id, f.Participants[4].Operator)
	require.ErrorIs(t, f.Keeper.ApplyAccusation(f.Ctx, &late), types.ErrAlreadyDecided)
}
