package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Reshare implements types.QueryServer.
func (s queryServer) Reshare(ctx context.Context, req *types.QueryReshareRequest) (*types.QueryReshareResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	reshare, err := s.k.Reshare(ctx, req.ReshareId)
	if err != nil {
		return nil, err
	}
	attested, err := s.k.attestedReshare(ctx, reshare.Id)
	if err != nil {
		return nil, err
	}
	return &types.QueryReshareResponse{Reshare: reshare, Attested: attested}, nil
}

// Reshares implements types.QueryServer. With a key it walks the key's reshares, with
// a status alone those of the status.
func (s queryServer) Reshares(ctx context.Context, req *types.QueryResharesRequest) (*types.QueryResharesResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	all, page, err := s.reshares(ctx, req)
	if err != nil {
		return nil, err
	}
	return &types.QueryResharesResponse{Reshares: all, Pagination: page}, nil
}

func (s queryServer) reshares(ctx context.Context, req *types.QueryResharesRequest) ([]types.Reshare, *query.PageResponse, error) {
	page := limited(req.Pagination)
	switch {
	case req.KeyId != "":
		if _, err := s.k.Key(ctx, req.KeyId); err != nil {
			return nil, nil, err
		}
		return s.resharesOf(ctx, req.KeyId, req.Status, page)
	case req.Status != types.RESHARE_STATUS_UNSPECIFIED:
		return query.CollectionPaginate(ctx, s.k.reshares.Indexes.status, page,
			func(ref collections.Pair[uint32, string], _ collections.NoValue) (types.Reshare, error) {
				return s.k.Reshare(ctx, ref.K2())
			}, under(uint32(req.Status)))
	}
	return query.CollectionPaginate(ctx, s.k.reshares, page, func(_ string, r types.Reshare) (types.Reshare, error) { return r, nil })
}

func (s queryServer) resharesOf(
	ctx context.Context, keyID string, status types.ReshareStatus, page *query.PageRequest,
) ([]types.Reshare, *query.PageResponse, error) {
	return query.CollectionFilteredPaginate(ctx, s.k.reshares.Indexes.key, page,
		func(ref collections.Pair[string, string], _ collections.NoValue) (bool, error) {
			r, err := s.k.Reshare(ctx, ref.K2())
			return status == types.RESHARE_STATUS_UNSPECIFIED || r.Status == status, err
		},
		func(ref collections.Pair[string, string], _ collections.NoValue) (types.Reshare, error) {
			return s.k.Reshare(ctx, ref.K2())
		}, under(keyID))
}
