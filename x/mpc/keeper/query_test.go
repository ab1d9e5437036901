package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestQueryKeys(t *testing.T) {
	f := chain.New(t, 3)
	for _, id := range []string{"a", "b", "c"} {
		f.ReadyKey(id, 1)
	}
	f.KeyGen("d", 1)
	_, err := f.Msg.KeyGen(f.Ctx, &types.MsgKeyGen{Requester: f.Authority, KeyId: "e", Algorithm: types.ALGORITHM_ECDSA_SECP256K1, Threshold: 1})
	require.NoError(t, err)
	list := func(req *types.QueryKeysRequest) (ids []string, next []byte) {
		t.Helper()
		resp, err := f.Query.Keys(f.Ctx, req)
		require.NoError(t, err)
		for _, k := range resp.Keys {
			ids = append(ids, k.Id)
		}
		return ids, resp.Pagination.NextKey
	}
	for _, c := range []struct {
		status types.KeyStatus
		owner  string
		want   []string
	}{
		{want: []string{"a", "b", "c", "d", "e"}},
		{status: types.KEY_STATUS_READY, want: []string{"a", "b", "c"}},
		{status: types.KEY_STATUS_PENDING, want: []string{"d", "e"}},
		{status: types.KEY_STATUS_DELETED},
		{owner: f.Authority, want: []string{"e"}},
		{owner: f.Requester, status: types.KEY_STATUS_READY, want: []string{"a", "b", "c"}},
		{owner: f.Requester, status: types.KEY_STATUS_PENDING, want: []string{"d"}},
		{owner: chain.Account("stranger")},
	} {
		ids, _ := list(&types.QueryKeysRequest{Status: c.status, Owner: c.owner})
		require.Equal(t, c.want, ids)
		// The same, page by page.
		var paged []string
		page := &query.PageRequest{Limit: 1}
		for {
			ids, next := list(&types.QueryKeysRequest{Status: c.status, Owner: c.owner, Pagination: page})
			paged = append(paged, ids...)
			if len(next) == 0 {
				break
			}
			page = &query.PageRequest{Limit: 1, Key: next}
		}
		require.Equal(t, c.want, paged)
	}
	_, err = f.Query.Keys(f.Ctx, &types.QueryKeysRequest{Owner: "x"})
	require.ErrorIs(t, err, types.ErrBadAddress)
}

func TestQueryKey(t *testing.T) {
	f := chain.New(t, 3)
	f.KeyGen("k", 1)
	secret := chain.NewSecret("k")
	a := f.Participants[0].Attest("k", 0, chain.Session("k"), secret.Payload(3))
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	resp, err := f.Query.Key(f.Ctx, &types.QueryKeyRequest{KeyId: "k"})
	require.NoError(t, err)
	require.Equal(t, []string{f.Participants[0].Operator}, resp.Attested)
	require.Zero(t, resp.Addresses)
	for _, p := range f.Participants[1:] {
		a := p.Attest("k", 0, chain.Session("k"), secret.Payload(3))
		require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	}
	resp, err = f.Query.Key(f.Ctx, &types.QueryKeyRequest{KeyId: "k"})
	require.NoError(t, err)
	require.Empty(t, resp.Attested)
	ethereum, err := types.EthereumAddress(secret.PublicKey())
	require.NoError(t, err)
	require.Equal(t, ethereum, resp.Addresses.Ethereum)
	require.Contains(t, resp.Addresses.Cosmos, "seq1")
	_, err = f.Query.Key(f.Ctx, &types.QueryKeyRequest{KeyId: "none"})
	require.ErrorIs(t, err, types.ErrUnknownKey)
}

func TestQuerySignatures(t *testing.T) {
	f := chain.New(t, 3)
	secret := f.ReadyKey("k", 1)
	f.ReadyKey("other", 1)
	f.KeySign("open", "k", "a")
	done := f.KeySign("done", "k", "b")
	f.KeySign("elsewhere", "other", "c")
	result := secret.Sign("done", done.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	ids := func(req *types.QuerySignaturesRequest) (ids []string) {
		resp, err := f.Query.Signatures(f.Ctx, req)
		require.NoError(t, err)
		for _, s := range resp.Signatures {
			ids = append(ids, s.Id)
		}
		return ids
	}
	require.Equal(t, []string{"done", "open"}, ids(&types.QuerySignaturesRequest{KeyId: "k"}))
	require.Equal(t, []string{"done"}, ids(&types.QuerySignaturesRequest{KeyId: "k", Status: types.SIGNATURE_STATUS_READY}))
	require.Equal(t, []string{"open"}, ids(&types.QuerySignaturesRequest{KeyId: "k", Status: types.SIGNATURE_STATUS_PENDING}))
	_, err := f.Query.Signatures(f.Ctx, &types.QuerySignaturesRequest{KeyId: "none"})
	require.ErrorIs(t, err, types.ErrUnknownKey)
	one, err := f.Query.Signature(f.Ctx, &types.QuerySignatureRequest{SignatureId: "done"})
	require.NoError(t, err)
	require.Equal(t, result.R, one.Signature.R)
	_, err = f.Query.Signature(f.Ctx, &types.QuerySignatureRequest{SignatureId: "none"})
	require.ErrorIs(t, err, types.ErrUnknownSignature)
}

func TestQueryParticipantsAndRequests(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("k", 1)
	f.KeySign("s", "k", "a")
	f.KeyGen("new", 1)
	all, err := f.Query.Participants(f.Ctx, &types.QueryParticipantsRequest{Pagination: &query.PageRequest{Limit: 1 << 40}})
	require.NoError(t, err)
	require.Len(t, all.Participants, 3)
	one, err := f.Query.Participant(f.Ctx, &types.QueryParticipantRequest{Operator: f.Participants[1].Operator})
	require.NoError(t, err)
	require.Equal(t, f.Participants[1].Operator, one.Participant.Operator)
	_, err = f.Query.Participant(f.Ctx, &types.QueryParticipantRequest{Operator: chain.Operator(9)})
	require.ErrorIs(t, err, types.ErrUnregistered)
	for kind, want := range map[types.RequestKind]int{
		types.REQUEST_KIND_UNSPECIFIED: 2, types.REQUEST_KIND_KEYGEN: 1, types.REQUEST_KIND_SIGN: 1, types.REQUEST_KIND_DELETE: 0,
	} {
		resp, err := f.Query.PendingRequests(f.Ctx, &types.QueryPendingRequestsRequest{Kind: kind})
		require.NoError(t, err)
		require.Len(t, resp.Requests, want, kind)
	}
	params, err := f.Query.Params(f.Ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{f.Requester}, params.Params.Requesters)
}

// What a page walks is metered, so a node's query-gas-limit bounds it.
func TestQueriesAreMetered(t *testing.T) {
	const keys = 100
	f := chain.New(t, 3)
	for i := range keys {
		f.KeyGen(fmt.Sprint(i), 1)
	}
	gas := func(page *query.PageRequest, req types.QueryKeysRequest) storetypes.Gas {
		ctx := f.Ctx.WithGasMeter(newMeter())
		req.Pagination = page
		_, err := f.Query.Keys(ctx, &req)
		require.NoError(t, err)
		return ctx.GasMeter().GasConsumed()
	}
	one := gas(&query.PageRequest{Limit: 1}, types.QueryKeysRequest{})
	for name, walk := range map[string]storetypes.Gas{
		"total":  gas(&query.PageRequest{Limit: 1, CountTotal: true}, types.QueryKeysRequest{}),
		"offset": gas(&query.PageRequest{Limit: 1, Offset: keys - 1}, types.QueryKeysRequest{}),
		"status": gas(&query.PageRequest{Limit: 1}, types.QueryKeysRequest{Owner: f.Requester, Status: types.KEY_STATUS_READY}),
	} {
		require.Greater(t, walk, one*keys/2, name)
	}
	require.Panics(t, func() {
		ctx := f.Ctx.WithGasMeter(storetypes.NewGasMeter(10 * one))
		_, _ = f.Query.Keys(ctx, &types.QueryKeysRequest{}) // out of gas
	})
}

func TestQueryReadiness(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("k", 1)
	f.KeyGen("pending", 1)
	for name, c := range map[string]struct {
		req    types.QueryCanKeyGenRequest
		reason string
	}{
		"yes":               {req: types.QueryCanKeyGenRequest{Requester: f.Requester, Threshold: 2}},
		"yes, for anybody":  {req: types.QueryCanKeyGenRequest{Threshold: 1}},
		"too few":           {types.QueryCanKeyGenRequest{Threshold: 3}, "too_few_participants: register more"},
		"no requester":      {types.QueryCanKeyGenRequest{Requester: chain.Account("stranger"), Threshold: 1}, "not_requester"},
		"not registered":    {types.QueryCanKeyGenRequest{Threshold: 1, Participants: []string{f.Participants[0].Operator, chain.Operator(9)}}, "unknown_participant"},
		"threshold of zero": {types.QueryCanKeyGenRequest{}, "bad_threshold"},
	} {
		resp, err := f.Query.CanKeyGen(f.Ctx, &c.req)
		require.NoError(t, err, name)
		require.Equal(t, c.reason == "", resp.Ok, name)
		require.Contains(t, resp.Reason, c.reason, name)
		require.Equal(t, resp.Ok, len(resp.Participants) == 3, name)
	}
	for name, c := range map[string]struct {
		req    types.QueryCanSignRequest
		reason string
	}{
		"yes":            {req: types.QueryCanSignRequest{KeyId: "k", Requester: f.Requester}},
		"yes, its owner": {req: types.QueryCanSignRequest{KeyId: "k"}},
		"not the owner":  {types.QueryCanSignRequest{KeyId: "k", Requester: f.Authority}, "not_owner"},
		"not ready":      {types.QueryCanSignRequest{KeyId: "pending"}, "key_not_ready"},
		"unknown":        {types.QueryCanSignRequest{KeyId: "none"}, "unknown_key"},
	} {
		resp, err := f.Query.CanSign(f.Ctx, &c.req)
		require.NoError(t, err, name)
		require.Equal(t, c.reason == "", resp.Ok, name)
		require.Contains(t, resp.Reason, c.reason, name)
	}
	_, err := f.Query.CanSign(f.Ctx, &types.QueryCanSignRequest{KeyId: "k", Requester: "x"})
	require.ErrorIs(t, err, types.ErrBadAddress)
}

func TestQueriesRefuseNil(t *testing.T) {
	f := chain.New(t, 0)
	_, err := f.Query.Params(f.Ctx, nil)
	require.Error(t, err)
	_, err = f.Query.Participant(f.Ctx, nil)
	require.Error(t, err)
	_, err = f.Query.Participants(f.Ctx, nil)
	require.Error(t, err)
	_, err = f.Query.Key(f.Ctx, nil)
	require.Error(t, err)
	_, err = f.Query.Keys(f.Ctx, nil)
	require.Error(t, err)
	_, err = f.Query.Signature(f.Ctx, nil)
	require.Error(t, err)
	_, err = f.Query.Signatures(f.Ctx, nil)
	require.Error(t, err)
	_, err = f.Query.PendingRequests(f.Ctx, nil)
	require.Error(t, err)
	_, err = f.Query.CanKeyGen(f.Ctx, nil)
	require.Error(t, err)
	_, err = f.Query.CanSign(f.Ctx, nil)
	require.Error(t, err)
	_, err = f.Query.Reshare(f.Ctx, nil)
	require.Error(t, err)
	_, err = f.Query.Reshares(f.Ctx, nil)
	require.Error(t, err)
	_, err = f.Query.CanReshare(f.Ctx, nil)
	require.Error(t, err)
	_, err = f.Query.Faults(f.Ctx, nil)
	require.Error(t, err)
}
