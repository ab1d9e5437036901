package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// maxPageLimit is the most entries of one page, which bounds the answer: a key of 64
// participants has about 7 KB, a page of them 7 MB.
//
// It does not bound what is read. A total (which the SDK counts also where no limit is
// given), an offset, and the status of an owner's keys or of a key's signatures walk
// entries that are not in the answer, up to all of them. Whoever serves the public
// bounds that by the node's query-gas-limit.
const maxPageLimit = 1000

// queryServer answers queries.
type queryServer struct{ k *Keeper }

// NewQueryServer serves the Query service.
func NewQueryServer(k *Keeper) types.QueryServer { return queryServer{k} }

var errEmptyRequest = status.Error(codes.InvalidArgument, "empty request")

// Params implements types.QueryServer.
func (s queryServer) Params(ctx context.Context, req *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	p, err := s.k.Params(ctx)
	if err != nil {
		return nil, err
	}
	return &types.QueryParamsResponse{Params: p, PayloadKinds: s.k.kinds.Names()}, nil
}

// Participant implements types.QueryServer.
func (s queryServer) Participant(ctx context.Context, req *types.QueryParticipantRequest) (*types.QueryParticipantResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	p, err := s.k.Participant(ctx, req.Operator)
	if err != nil {
		return nil, err
	}
	resp := &types.QueryParticipantResponse{Participant: p}
	a, err := s.k.absentee(ctx, p.Operator)
	if err == nil && a.UntilHeight > sdk.UnwrapSDKContext(ctx).BlockHeight() {
		resp.Absentee = &a
	}
	return resp, err
}

// Participants implements types.QueryServer.
func (s queryServer) Participants(ctx context.Context, req *types.QueryParticipantsRequest) (*types.QueryParticipantsResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	all, page, err := query.CollectionPaginate(ctx, s.k.participants, limited(req.Pagination),
		func(_ string, p types.Participant) (types.Participant, error) { return p, nil })
	if err != nil {
		return nil, err
	}
	return &types.QueryParticipantsResponse{Participants: all, Pagination: page}, nil
}

// PendingRequests implements types.QueryServer.
func (s queryServer) PendingRequests(ctx context.Context, req *types.QueryPendingRequestsRequest) (*types.QueryPendingRequestsResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	var ofKind []func(*query.CollectionsPaginateOptions[requestKey])
	if req.Kind != types.REQUEST_KIND_UNSPECIFIED {
		ofKind = append(ofKind, query.WithCollectionPaginationPairPrefix[uint32, string](uint32(req.Kind)))
	}
	all, page, err := query.CollectionPaginate(ctx, s.k.requests, limited(req.Pagination),
		func(_ requestKey, r types.Request) (types.Request, error) { return r, nil }, ofKind...)
	if err != nil {
		return nil, err
	}
	return &types.QueryPendingRequestsResponse{Requests: all, Pagination: page}, nil
}

// CanKeyGen implements types.QueryServer.
func (s queryServer) CanKeyGen(ctx context.Context, req *types.QueryCanKeyGenRequest) (*types.QueryCanKeyGenResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	requester, err := s.requester(req.Requester)
	if err != nil {
		return nil, err
	}
	participants, err := s.k.keygenReadiness(ctx, requester, "", req.Threshold, req.Participants)
	if err != nil {
		reason, err := asAnswer(err)
		return &types.QueryCanKeyGenResponse{Reason: reason}, err
	}
	return &types.QueryCanKeyGenResponse{Ok: true, Participants: participants}, nil
}

// CanSign implements types.QueryServer.
func (s queryServer) CanSign(ctx context.Context, req *types.QueryCanSignRequest) (*types.QueryCanSignResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	requester, err := s.requester(req.Requester)
	if err != nil {
		return nil, err
	}
	if err := s.k.signReadiness(ctx, req.KeyId, requester, ""); err != nil {
		reason, err := asAnswer(err)
		return &types.QueryCanSignResponse{Reason: reason}, err
	}
	return &types.QueryCanSignResponse{Ok: true}, nil
}

// CanReshare implements types.QueryServer.
func (s queryServer) CanReshare(ctx context.Context, req *types.QueryCanReshareRequest) (*types.QueryCanReshareResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	requester, err := s.requester(req.Requester)
	if err != nil {
		return nil, err
	}
	participants, err := s.k.reshareReadiness(ctx, req.KeyId, requester, "", req.Threshold, req.Participants)
	if err != nil {
		reason, err := asAnswer(err)
		return &types.QueryCanReshareResponse{Reason: reason}, err
	}
	return &types.QueryCanReshareResponse{Ok: true, Participants: participants}, nil
}

// requester is the one form of an address; empty stays empty.
func (s queryServer) requester(address string) (string, error) {
	if address == "" {
		return "", nil
	}
	return s.k.account(address)
}

// asAnswer tells a typed reason, which is an answer, from trouble with the state,
// which is an error.
func asAnswer(err error) (string, error) {
	if types.ReasonOf(err) == "" {
		return "", err
	}
	return err.Error(), nil
}

// limited bounds the size of a page.
func limited(page *query.PageRequest) *query.PageRequest {
	if page == nil || page.Limit <= maxPageLimit {
		return page
	}
	bounded := *page
	bounded.Limit = maxPageLimit
	return &bounded
}

// under limits a page of an index to one reference key.
func under[K any](reference K) func(*query.CollectionsPaginateOptions[collections.Pair[K, string]]) {
	return query.WithCollectionPaginationPairPrefix[K, string](reference)
}
