package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestQueryReshares(t *testing.T) {
	f := manyReshares(t)
	list := func(req *types.QueryResharesRequest) (ids []string, next []byte) {
		t.Helper()
		resp, err := f.Query.Reshares(f.Ctx, req)
		require.NoError(t, err)
		for _, r := range resp.Reshares {
			ids = append(ids, r.Id)
		}
		return ids, resp.Pagination.NextKey
	}
	for _, c := range []struct {
		key    string
		status types.ReshareStatus
		want   []string
	}{
		{want: []string{"done", "failed", "pending", "testing"}},
		{status: types.RESHARE_STATUS_READY, want: []string{"done"}},
		{status: types.RESHARE_STATUS_PENDING, want: []string{"pending"}},
		{key: "k", want: []string{"done", "failed", "testing"}},
		{key: "k", status: types.RESHARE_STATUS_ERROR, want: []string{"failed"}},
		{key: "k", status: types.RESHARE_STATUS_PENDING},
		{key: "other", want: []string{"pending"}},
	} {
		ids, _ := list(&types.QueryResharesRequest{KeyId: c.key, Status: c.status})
		require.Equal(t, c.want, ids)
		// The same, page by page.
		var paged []string
		page := &query.PageRequest{Limit: 1}
		for {
			ids, next := list(&types.QueryResharesRequest{KeyId: c.key, Status: c.status, Pagination: page})
			paged = append(paged, ids...)
			if len(next) == 0 {
				break
			}
			page = &query.PageRequest{Limit: 1, Key: next}
		}
		require.Equal(t, c.want, paged)
	}
	_, err := f.Query.Reshares(f.Ctx, &types.QueryResharesRequest{KeyId: "none"})
	require.ErrorIs(t, err, types.ErrUnknownKey)
}

func TestQueryReshare(t *testing.T) {
	f := manyReshares(t)
	sorted := chain.Operators(f.Participants[:2]...)
	if sorted[0] > sorted[1] {
		sorted[0], sorted[1] = sorted[1], sorted[0]
	}
	for id, attested := range map[string][]string{"pending": sorted, "testing": nil, "done": nil} {
		resp, err := f.Query.Reshare(f.Ctx, &types.QueryReshareRequest{ReshareId: id})
		require.NoError(t, err)
		require.Equal(t, id, resp.Reshare.Id)
		require.Equal(t, attested, resp.Attested)
	}
	_, err := f.Query.Reshare(f.Ctx, &types.QueryReshareRequest{ReshareId: "none"})
	require.ErrorIs(t, err, types.ErrUnknownReshare)
	resp, err := f.Query.PendingRequests(f.Ctx, &types.QueryPendingRequestsRequest{Kind: types.REQUEST_KIND_RESHARE})
	require.NoError(t, err)
	require.Len(t, resp.Requests, 1)
}

func TestQueryCanReshare(t *testing.T) {
	f, _ := resharing(t)
	f.ReadyKey("busy", 1)
	f.Reshare("r", "busy", 1)
	for name, c := range map[string]struct {
		req    types.QueryCanReshareRequest
		reason string
	}{
		"yes":                {req: types.QueryCanReshareRequest{KeyId: "k", Requester: f.Requester, Threshold: 2}},
		"yes, its owner":     {req: types.QueryCanReshareRequest{KeyId: "k", Threshold: 2}},
		"yes, the authority": {req: types.QueryCanReshareRequest{KeyId: "k", Requester: f.Authority, Threshold: 2}},
		"not the owner":      {types.QueryCanReshareRequest{KeyId: "k", Requester: chain.Account("stranger"), Threshold: 2}, "not_owner"},
		"too few":            {types.QueryCanReshareRequest{KeyId: "k", Threshold: 5}, "too_few_participants"},
		"unknown":            {types.QueryCanReshareRequest{KeyId: "none", Threshold: 2}, "unknown_key"},
		"one is open":        {types.QueryCanReshareRequest{KeyId: "busy", Threshold: 2}, "reshare_pending: a key is reshared once"},
	} {
		resp, err := f.Query.CanReshare(f.Ctx, &c.req)
		require.NoError(t, err, name)
		require.Equal(t, c.reason == "", resp.Ok, name)
		require.Contains(t, resp.Reason, c.reason, name)
		require.Equal(t, resp.Ok, len(resp.Participants) == 5, name)
	}
	_, err := f.Query.CanReshare(f.Ctx, &types.QueryCanReshareRequest{KeyId: "k", Requester: "x"})
	require.ErrorIs(t, err, types.ErrBadAddress)
}
