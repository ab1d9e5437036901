package keeper

import (
	"context"

	"cosmossdk.io/collections"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// maxPageLimit is the most entries of one page. A transaction has types.MaxAttempts attempts of
// 450 bytes at worst.
const maxPageLimit = 200

type queryServer struct{ k *Keeper }

// NewQueryServer serves the Query service.
func NewQueryServer(k *Keeper) types.QueryServer { return queryServer{k} }

var errEmptyRequest = status.Error(codes.InvalidArgument, "empty request")

// limited bounds how much one page has.
func limited(p *query.PageRequest) *query.PageRequest {
	if p == nil {
		p = &query.PageRequest{}
	}
	bounded := *p
	if bounded.Limit == 0 || bounded.Limit > maxPageLimit {
		bounded.Limit = maxPageLimit
	}
	return &bounded
}

// same is an entry as it is stored.
func same[K, V any](_ K, v V) (V, error) { return v, nil }

// Params implements types.QueryServer.
func (s queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	p, err := s.k.Params(ctx)
	if err != nil {
		return nil, err
	}
	return &types.QueryParamsResponse{Params: p}, nil
}

// Lines implements types.QueryServer.
func (s queryServer) Lines(ctx context.Context, _ *types.QueryLinesRequest) (*types.QueryLinesResponse, error) {
	answer := &types.QueryLinesResponse{}
	for _, purpose := range types.Purposes() {
		l, err := s.k.line(ctx, purpose)
		if err != nil {
			return nil, err
		}
		answer.Lines = append(answer.Lines, l)
	}
	return answer, nil
}

// Keys implements types.QueryServer.
func (s queryServer) Keys(ctx context.Context, req *types.QueryKeysRequest) (*types.QueryKeysResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	all, page, err := query.CollectionPaginate(ctx, s.k.keys, limited(req.Pagination), same[string, types.Key])
	if err != nil {
		return nil, err
	}
	return &types.QueryKeysResponse{Keys: all, Pagination: page}, nil
}

// Proposals implements types.QueryServer.
func (s queryServer) Proposals(ctx context.Context, req *types.QueryProposalsRequest) (*types.QueryProposalsResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	all, page, err := query.CollectionPaginate(ctx, s.k.proposals, limited(req.Pagination), same[collections.Pair[uint32, string], types.Proposal],
		query.WithCollectionPaginationPairPrefix[uint32, string](uint32(req.Purpose)))
	if err != nil {
		return nil, err
	}
	return &types.QueryProposalsResponse{Proposals: all, Pagination: page}, nil
}

// Batch implements types.QueryServer.
func (s queryServer) Batch(ctx context.Context, req *types.QueryBatchRequest) (*types.QueryBatchResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	b, err := s.k.Batch(ctx, req.Purpose, req.Number)
	if err != nil {
		return nil, err
	}
	t, err := s.k.Transaction(ctx, b.TransactionId)
	if err != nil {
		return nil, err
	}
	return &types.QueryBatchResponse{Batch: b, Transaction: t}, nil
}

// Batches implements types.QueryServer.
func (s queryServer) Batches(ctx context.Context, req *types.QueryBatchesRequest) (*types.QueryBatchesResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	all, page, err := query.CollectionPaginate(ctx, s.k.batches, limited(req.Pagination), same[collections.Pair[uint32, uint64], types.Batch],
		query.WithCollectionPaginationPairPrefix[uint32, uint64](uint32(req.Purpose)))
	if err != nil {
		return nil, err
	}
	return &types.QueryBatchesResponse{Batches: all, Pagination: page}, nil
}

// Transaction implements types.QueryServer.
func (s queryServer) Transaction(ctx context.Context, req *types.QueryTransactionRequest) (*types.QueryTransactionResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	t, err := s.k.Transaction(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	reports, err := s.k.reportsOf(ctx, t.Id)
	if err != nil {
		return nil, err
	}
	return &types.QueryTransactionResponse{Transaction: t, Reports: reports}, nil
}

// Transactions implements types.QueryServer.
func (s queryServer) Transactions(ctx context.Context, req *types.QueryTransactionsRequest) (*types.QueryTransactionsResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	all, page, err := query.CollectionPaginate(ctx, s.k.transactions, limited(req.Pagination), same[uint64, types.Transaction])
	if err != nil {
		return nil, err
	}
	return &types.QueryTransactionsResponse{Transactions: all, Pagination: page}, nil
}

// Open implements types.QueryServer.
func (s queryServer) Open(ctx context.Context, req *types.QueryOpenRequest) (*types.QueryOpenResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	all, page, err := query.CollectionPaginate(ctx, s.k.open, limited(req.Pagination),
		func(_ collections.Pair[string, uint64], id uint64) (types.Transaction, error) {
			return s.k.Transaction(ctx, id)
		})
	if err != nil {
		return nil, err
	}
	return &types.QueryOpenResponse{Transactions: all, Pagination: page}, nil
}
