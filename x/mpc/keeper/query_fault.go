package keeper

import (
	"context"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Faults implements types.QueryServer.
func (s queryServer) Faults(ctx context.Context, req *types.QueryFaultsRequest) (*types.QueryFaultsResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	var of []func(*query.CollectionsPaginateOptions[faultKey])
	if req.Participant != "" {
		operator, _, err := s.k.operator(req.Participant)
		if err != nil {
			return nil, err
		}
		of = append(of, query.WithCollectionPaginationPairPrefix[string, string](operator))
	}
	faults, page, err := query.CollectionPaginate(ctx, s.k.faults, limited(req.Pagination),
		func(_ faultKey, f types.Fault) (types.Fault, error) { return f, nil }, of...)
	if err != nil {
		return nil, err
	}
	return &types.QueryFaultsResponse{Faults: faults, Pagination: page}, nil
}
