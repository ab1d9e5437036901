package keeper_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// newRefused is a chain of four whose key needs three, with an open request of it.
func newRefused(t *testing.T) (*chain.Fixture, chain.Secret) {
	t.Helper()
	f := chain.New(t, 4)
	secret := f.ReadyKey("k", 2)
	f.KeySign("s", "k", "pay")
	return f, secret
}

func refuse(t *testing.T, f *chain.Fixture, i int, id string, reason mpctypes.Reason) {
	t.Helper()
	a := f.Participants[i].Refuse(id, reason)
	require.NoError(t, f.Keeper.CheckAccusation(f.Ctx, &a))
	require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &a))
}

// refusalsOf is what who asked reads: by query, in lists and as a module.
func refusalsOf(t *testing.T, f *chain.Fixture, id string) []types.Refusal {
	t.Helper()
	one, err := f.Query.Signature(f.Ctx, &types.QuerySignatureRequest{SignatureId: id})
	require.NoError(t, err)
	list, err := f.Query.Signatures(f.Ctx, &types.QuerySignaturesRequest{KeyId: one.Signature.KeyId})
	require.NoError(t, err)
	i := slices.IndexFunc(list.Signatures, func(s types.Signature) bool { return s.Id == id })
	require.Equal(t, one.Signature, list.Signatures[i])
	s, err := f.Keeper.ForModule("any").Signature(f.Ctx, id)
	require.NoError(t, err)
	require.Equal(t, one.Signature, s)
	return s.Refusals
}

// Whoever asked reads who refuses, and why, at once and after the decision.
func TestRefusalIsSeen(t *testing.T) {
	for name, c := range map[string]struct {
		decide func(*testing.T, *chain.Fixture, chain.Secret)
		status types.SignatureStatus
		reason string
	}{
		"signed by the others": {func(t *testing.T, f *chain.Fixture, secret chain.Secret) {
			result := secret.Sign("s", chain.Digest("pay"))
			require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
		}, types.SIGNATURE_STATUS_READY, ""},
		"expired": {func(t *testing.T, f *chain.Fixture, _ chain.Secret) {
			params, err := f.Keeper.Params(f.Ctx)
			require.NoError(t, err)
			f.EndBlocks(f.Ctx.BlockHeight() + int64(params.SignLifetimeBlocks) + 1)
			require.Equal(t, 1, f.Events(&types.EventSignFailed{}))
		}, types.SIGNATURE_STATUS_ERROR, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			f, secret := newRefused(t)
			f.Events(&types.EventSignRefused{})
			refuse(t, f, 1, "s", mpctypes.ErrPolicy)
			require.Equal(t, 1, f.Events(&types.EventSignRefused{}))
			want := []types.Refusal{{Operator: f.Participants[1].Operator, Reason: "policy_refused"}}
			require.Equal(t, want, refusalsOf(t, f, "s"))
			open, err := f.Keeper.EngineRequests(f.Ctx)
			require.NoError(t, err)
			require.Equal(t, map[mpctypes.Operator]mpctypes.Reason{mpcOperator(f.Participants[1].Operator): mpctypes.ErrPolicy}, open[0].Refused, "it need not say it again")

			c.decide(t, f, secret)
			requireSignature(t, f, "s", c.status, c.reason)
			require.Equal(t, want, refusalsOf(t, f, "s"))
			require.Zero(t, f.Entries(types.RefusalsPrefix), "the signature has them")
		})
	}
}

func TestRefusalIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*chain.Fixture, *mpctypes.Accusation)
		want   error
	}{
		"good":           {func(*chain.Fixture, *mpctypes.Accusation) {}, nil},
		"of another one": {func(_ *chain.Fixture, a *mpctypes.Accusation) { a.Session[0]++ }, types.ErrBadResult},
		"of an attempt":  {func(_ *chain.Fixture, a *mpctypes.Accusation) { a.Attempt = 1 }, types.ErrBadResult},
		"by a stranger":  {func(_ *chain.Fixture, a *mpctypes.Accusation) { a.Operator, a.Accused = "nobody", "nobody" }, types.ErrUnknownParticipant},
		"old identity":   {func(_ *chain.Fixture, a *mpctypes.Accusation) { a.IdentityVersion = 7 }, types.ErrUnknownParticipant},
		"nobody asked":   {func(_ *chain.Fixture, a *mpctypes.Accusation) { a.Request.ID = "other" }, types.ErrUnknownSignature},
		"no reason":      {func(_ *chain.Fixture, a *mpctypes.Accusation) { a.Reason = "Because!" }, types.ErrBadResult},
		"twice":          {func(f *chain.Fixture, a *mpctypes.Accusation) { apply(f, *a) }, types.ErrAlreadyDecided},
		"another reason": {func(f *chain.Fixture, a *mpctypes.Accusation) { apply(f, *a); a.Reason = "bad_payload" }, types.ErrAlreadyDecided},
		"after the end":  {func(f *chain.Fixture, a *mpctypes.Accusation) { f.EndBlocks(1000) }, types.ErrAlreadyDecided},
		"of what a key": {func(_ *chain.Fixture, a *mpctypes.Accusation) {
			a.Request = mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: "open"}
		}, types.ErrBadResult},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := newRefused(t)
			f.KeyGen("open", 1)
			p := f.Participants[2]
			a := p.Refuse("s", mpctypes.ErrUnknownKind)
			c.change(f, &a)
			a.Sign(chain.ChainID, p.Identity)
			err := f.Keeper.CheckAccusation(f.Ctx, &a)
			require.ErrorIs(t, err, c.want)
			cached, _ := f.Ctx.CacheContext()
			require.ErrorIs(t, f.Keeper.ApplyAccusation(cached, &a), c.want)
			if c.want != nil {
				return
			}
			forged := a
			forged.Sign(chain.ChainID, f.Participants[3].Identity)
			require.ErrorIs(t, f.Keeper.CheckAccusation(f.Ctx, &forged), types.ErrBadResult, "signed by somebody else")
		})
	}
}

// Who refused for what may pass may say that it refuses for good after all, once: then it
// counts to those.
func TestRefusalForGoodReplaces(t *testing.T) {
	f, _ := newRefused(t)
	refuse(t, f, 0, "s", mpctypes.ErrPolicy)
	refuse(t, f, 1, "s", mpctypes.ErrDigestBound)
	require.Equal(t, 2, f.Entries(types.RefusalsPrefix))
	for i, reason := range map[int]mpctypes.Reason{0: mpctypes.ErrWrongChain, 1: mpctypes.ErrBadPayload} {
		a := f.Participants[i].Refuse("s", reason)
		require.ErrorIs(t, f.Keeper.CheckAccusation(f.Ctx, &a), types.ErrAlreadyDecided, reason)
	}
	refuse(t, f, 0, "s", mpctypes.ErrDigestBound)
	require.Equal(t, 2, f.Entries(types.RefusalsPrefix))
	f.EndBlocks(f.Ctx.BlockHeight() + 1)
	requireSignature(t, f, "s", types.SIGNATURE_STATUS_ERROR, "digest_bound")
	require.Len(t, refusalsOf(t, f, "s"), 2)
}

func apply(f *chain.Fixture, a mpctypes.Accusation) {
	if err := f.Keeper.ApplyAccusation(f.Ctx, &a); err != nil {
		panic(err)
	}
}

// When too few are left that do not refuse for good, the request does not wait for its
// expiry: it fails at the end of the block, for the reason of the most.
func TestRefusedForGoodFailsEarly(t *testing.T) {
	for name, c := range map[string]struct {
		reasons []mpctypes.Reason
		want    string // empty: it goes on
	}{
		"three are left":                {[]mpctypes.Reason{"unknown_payload_kind"}, ""},
		"two are left":                  {[]mpctypes.Reason{"unknown_payload_kind", "unknown_payload_kind"}, "unknown_payload_kind"},
		"of equals the first":           {[]mpctypes.Reason{"unknown_payload_kind", "digest_bound"}, "digest_bound"},
		"what a policy says may change": {[]mpctypes.Reason{"policy_refused", "wrong_chain_id", "policy_refused", "policy_refused"}, ""},
		"reasons that nobody knows":     {[]mpctypes.Reason{"policy_refused", "mood", "unknown_payload_kind"}, ""},
		"policies do not count":         {[]mpctypes.Reason{"policy_refused", "bad_payload", "policy_refused", "bad_payload"}, "bad_payload"},
	} {
		t.Run(name, func(t *testing.T) {
			f, secret := newRefused(t)
			for i, reason := range c.reasons {
				refuse(t, f, i, "s", reason)
			}
			result := secret.Sign("s", chain.Digest("pay"))
			err := f.Keeper.CheckSignature(f.Ctx, &result)
			f.EndBlocks(f.Ctx.BlockHeight() + 1)
			if c.want == "" {
				require.NoError(t, err)
				requireSignature(t, f, "s", types.SIGNATURE_STATUS_PENDING, "")
				return
			}
			require.ErrorIs(t, err, types.ErrAlreadyDecided, "what comes later comes too late")
			requireSignature(t, f, "s", types.SIGNATURE_STATUS_ERROR, c.want)
			require.Len(t, refusalsOf(t, f, "s"), len(c.reasons))
		})
	}
}

// The test of a reshare is the module's own: a member cannot make it fail by its word.
func TestReshareTestIsNotRefused(t *testing.T) {
	f, secret := newRefused(t)
	_, err := f.Msg.KeyReshare(f.Ctx, &types.MsgKeyReshare{Requester: f.Requester, ReshareId: "r", KeyId: "k", Threshold: 2})
	require.NoError(t, err)
	f.Stage("r", secret)
	a := f.Participants[0].Refuse(types.Reshare{Id: "r"}.TestID(), mpctypes.ErrBadDigest)
	require.ErrorIs(t, f.Keeper.CheckAccusation(f.Ctx, &a), types.ErrBadResult)
}

func TestRefusalGenesis(t *testing.T) {
	f, secret := newRefused(t)
	f.KeySign("signed", "k", "buy")
	refuse(t, f, 1, "s", mpctypes.ErrPolicy)
	refuse(t, f, 3, "signed", mpctypes.ErrUnknownKind)
	result := secret.Sign("signed", chain.Digest("buy"))
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	exported, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)

	again := chain.NewEmpty(t)
	require.NoError(t, again.Keeper.InitGenesis(again.Ctx, *exported))
	require.Equal(t, 1, again.Entries(types.RefusalsPrefix))
	for _, id := range []string{"s", "signed"} {
		require.Equal(t, refusalsOf(t, f, id), refusalsOf(t, again, id))
	}
	for name, spoil := range map[string]func(*types.Signature){
		"twice":         func(s *types.Signature) { s.Refusals = append(s.Refusals, s.Refusals[0]) },
		"no reason":     func(s *types.Signature) { s.Refusals[0].Reason = "" },
		"by a stranger": func(s *types.Signature) { s.Refusals[0].Operator = chain.Operator(9) },
	} {
		bad, err := f.Keeper.ExportGenesis(f.Ctx)
		require.NoError(t, err)
		i := slices.IndexFunc(bad.Signatures, func(s types.Signature) bool { return s.Id == "s" })
		spoil(&bad.Signatures[i])
		require.ErrorIs(t, bad.Validate(), types.ErrBadGenesis, name)
	}
}
