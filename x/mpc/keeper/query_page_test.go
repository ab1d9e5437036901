package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/types/query"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// pageByPage asks for one entry at a time until there is no next page.
func pageByPage(t *testing.T, list func(*query.PageRequest) (ids []string, page *query.PageResponse)) (all []string) {
	t.Helper()
	page := &query.PageRequest{Limit: 1}
	for {
		ids, answer := list(page)
		require.LessOrEqual(t, len(ids), 1)
		all = append(all, ids...)
		if len(answer.NextKey) == 0 {
			return all
		}
		page = &query.PageRequest{Limit: 1, Key: answer.NextKey}
	}
}

// Every list is the same page by page, whatever it is filtered by.
func TestQueryPages(t *testing.T) {
	f := chain.New(t, 3)
	secret := f.ReadyKey("k", 1)
	f.ReadyKey("other", 1)
	for _, id := range []string{"a", "b", "c", "d"} {
		f.KeySign(id, "k", id)
	}
	f.KeySign("elsewhere", "other", "e")
	f.KeyGen("new", 1)
	f.KeyGen("newer", 1)
	p := f.Participants
	for _, a := range []mpctypes.Accusation{ // of an open request each
		p[0].Accuse(mpctypes.RequestID{Kind: mpctypes.KindSign, ID: "a"}, p[1].Operator),
		p[2].Accuse(mpctypes.RequestID{Kind: mpctypes.KindSign, ID: "b"}, p[1].Operator),
		p[0].Accuse(mpctypes.RequestID{Kind: mpctypes.KindSign, ID: "c"}, p[2].Operator),
	} {
		require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &a))
	}
	for _, id := range []string{"b", "d"} {
		result := secret.Sign(id, chain.Digest(id))
		require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	}

	type lister = func(*query.PageRequest) ([]string, *query.PageResponse)
	signatures := func(status types.SignatureStatus) lister {
		return func(page *query.PageRequest) (ids []string, _ *query.PageResponse) {
			resp, err := f.Query.Signatures(f.Ctx, &types.QuerySignaturesRequest{KeyId: "k", Status: status, Pagination: page})
			require.NoError(t, err)
			for _, s := range resp.Signatures {
				ids = append(ids, s.Id)
			}
			return ids, resp.Pagination
		}
	}
	requests := func(kind types.RequestKind) lister {
		return func(page *query.PageRequest) (ids []string, _ *query.PageResponse) {
			resp, err := f.Query.PendingRequests(f.Ctx, &types.QueryPendingRequestsRequest{Kind: kind, Pagination: page})
			require.NoError(t, err)
			for _, r := range resp.Requests {
				ids = append(ids, r.Id)
			}
			return ids, resp.Pagination
		}
	}
	faults := func(participant string) lister {
		return func(page *query.PageRequest) (ids []string, _ *query.PageResponse) {
			resp, err := f.Query.Faults(f.Ctx, &types.QueryFaultsRequest{Participant: participant, Pagination: page})
			require.NoError(t, err)
			for _, fault := range resp.Faults {
				ids = append(ids, fault.Accuser+" of "+fault.Participant)
			}
			return ids, resp.Pagination
		}
	}
	participants := func(page *query.PageRequest) (ids []string, _ *query.PageResponse) {
		resp, err := f.Query.Participants(f.Ctx, &types.QueryParticipantsRequest{Pagination: page})
		require.NoError(t, err)
		for _, p := range resp.Participants {
			ids = append(ids, p.Operator)
		}
		return ids, resp.Pagination
	}
	for name, c := range map[string]struct {
		list lister
		want int
	}{
		"signatures":         {signatures(types.SIGNATURE_STATUS_UNSPECIFIED), 4},
		"READY signatures":   {signatures(types.SIGNATURE_STATUS_READY), 2},
		"PENDING signatures": {signatures(types.SIGNATURE_STATUS_PENDING), 2},
		"failed signatures":  {signatures(types.SIGNATURE_STATUS_ERROR), 0},
		"requests":           {requests(types.REQUEST_KIND_UNSPECIFIED), 5},
		"keygens":            {requests(types.REQUEST_KIND_KEYGEN), 2},
		"deletions":          {requests(types.REQUEST_KIND_DELETE), 0},
		"faults":             {faults(""), 3},
		"faults of one":      {faults(p[1].Operator), 2},
		"faults of nobody":   {faults(p[0].Operator), 0},
		"participants":       {participants, 3},
	} {
		t.Run(name, func(t *testing.T) {
			whole, answer := c.list(nil)
			require.Len(t, whole, c.want)
			require.Empty(t, answer.NextKey)
			require.Equal(t, whole, pageByPage(t, c.list))
		})
	}
}
