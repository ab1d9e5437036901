package relay

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// paged answers with two transactions for each page, the newest first.
type paged struct {
	types.QueryClient
	all   []types.Transaction
	pages int
}

func (p *paged) Transactions(_ context.Context, r *types.QueryTransactionsRequest, _ ...grpc.CallOption) (*types.QueryTransactionsResponse, error) {
	p.pages++
	if !r.Pagination.Reverse {
		panic("the oldest first is not what it needs")
	}
	at := 0
	if len(r.Pagination.Key) > 0 {
		at, _ = strconv.Atoi(string(r.Pagination.Key))
	}
	newest := slices.Clone(p.all)
	slices.Reverse(newest)
	end := min(at+2, len(newest))
	answer := &types.QueryTransactionsResponse{Transactions: newest[at:end], Pagination: &query.PageResponse{}}
	if end < len(newest) {
		answer.Pagination.NextKey = []byte(strconv.Itoa(end))
	}
	return answer, nil
}

// The transactions of a key are found among those of others, and what is older is not asked for.
func TestSettled(t *testing.T) {
	var all []types.Transaction
	for id := uint64(1); id <= 20; id++ {
		all = append(all, types.Transaction{Id: 2*id - 1, KeyId: "a", Nonce: id - 1}, types.Transaction{Id: 2 * id, KeyId: "b", Nonce: id - 1})
	}
	for name, c := range map[string]struct {
		key      string
		from, to uint64
		all      []types.Transaction
		ids      []uint64
		pages    int
	}{
		"the newest":       {"a", 17, 19, all, []uint64{35, 37}, 3},
		"from the first":   {"b", 0, 2, all, []uint64{2, 4}, 20},
		"some are pruned":  {"a", 3, 7, all[10:], []uint64{11, 13}, 15},
		"all of them are":  {"a", 3, 5, all[10:], nil, 15},
		"of no such key":   {"c", 0, 5, all, nil, 20},
		"there never were": {"a", 0, 5, nil, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := &paged{all: c.all}
			found, err := (&node{query: p}).Settled(t.Context(), c.key, c.from, c.to)
			require.NoError(t, err)
			var ids []uint64
			for _, f := range found {
				ids = append(ids, f.Id)
			}
			require.Equal(t, c.ids, ids)
			require.Equal(t, c.pages, p.pages)
		})
	}
}
