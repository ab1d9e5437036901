package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Key implements types.QueryServer.
func (s queryServer) Key(ctx context.Context, req *types.QueryKeyRequest) (*types.QueryKeyResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	key, err := s.k.Key(ctx, req.KeyId)
	if err != nil {
		return nil, err
	}
	resp := &types.QueryKeyResponse{Key: key}
	if key.Status == types.KEY_STATUS_PENDING {
		resp.Attested = key.Holders
	}
	if len(key.PublicKey) > 0 {
		if resp.Addresses, err = s.addresses(key.PublicKey); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

func (s queryServer) addresses(publicKey []byte) (types.KeyAddresses, error) {
	ethereum, err := types.EthereumAddress(publicKey)
	if err != nil {
		return types.KeyAddresses{}, err
	}
	account, err := types.AccountAddress(publicKey)
	if err != nil {
		return types.KeyAddresses{}, err
	}
	cosmos, err := s.k.accountCodec.BytesToString(account)
	if err != nil {
		return types.KeyAddresses{}, err
	}
	return types.KeyAddresses{Ethereum: ethereum, Cosmos: cosmos}, nil
}

// Keys implements types.QueryServer. With an owner it walks the owner's keys, with
// a status alone those of the status.
func (s queryServer) Keys(ctx context.Context, req *types.QueryKeysRequest) (*types.QueryKeysResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	keys, page, err := s.keys(ctx, req)
	if err != nil {
		return nil, err
	}
	return &types.QueryKeysResponse{Keys: keys, Pagination: page}, nil
}

func (s queryServer) keys(ctx context.Context, req *types.QueryKeysRequest) ([]types.Key, *query.PageResponse, error) {
	page := limited(req.Pagination)
	switch {
	case req.Owner != "":
		owner, err := s.k.account(req.Owner)
		if err != nil {
			return nil, nil, err
		}
		return s.keysOf(ctx, owner, req.Status, page)
	case req.Status != types.KEY_STATUS_UNSPECIFIED:
		return query.CollectionPaginate(ctx, s.k.keys.Indexes.status, page,
			func(ref collections.Pair[uint32, string], _ collections.NoValue) (types.Key, error) {
				return s.k.Key(ctx, ref.K2())
			}, under(uint32(req.Status)))
	}
	return query.CollectionPaginate(ctx, s.k.keys, page, func(_ string, key types.Key) (types.Key, error) { return key, nil })
}

func (s queryServer) keysOf(ctx context.Context, owner string, status types.KeyStatus, page *query.PageRequest) ([]types.Key, *query.PageResponse, error) {
	return query.CollectionFilteredPaginate(ctx, s.k.keys.Indexes.owner, page,
		func(ref collections.Pair[string, string], _ collections.NoValue) (bool, error) {
			key, err := s.k.Key(ctx, ref.K2())
			return status == types.KEY_STATUS_UNSPECIFIED || key.Status == status, err
		},
		func(ref collections.Pair[string, string], _ collections.NoValue) (types.Key, error) {
			return s.k.Key(ctx, ref.K2())
		}, under(owner))
}

// Signature implements types.QueryServer.
func (s queryServer) Signature(ctx context.Context, req *types.QuerySignatureRequest) (*types.QuerySignatureResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	signature, err := s.k.Signature(ctx, req.SignatureId)
	if err != nil {
		return nil, err
	}
	finished, err := s.k.finishedForQuery(ctx, signature)
	if err != nil {
		return nil, err
	}
	return &types.QuerySignatureResponse{Signature: signature, Finished: finished}, nil
}

// Signatures implements types.QueryServer.
func (s queryServer) Signatures(ctx context.Context, req *types.QuerySignaturesRequest) (*types.QuerySignaturesResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	if _, err := s.k.Key(ctx, req.KeyId); err != nil {
		return nil, err
	}
	all, page, err := query.CollectionFilteredPaginate(ctx, s.k.signatures.Indexes.key, limited(req.Pagination),
		func(ref collections.Pair[string, string], _ collections.NoValue) (bool, error) {
			signature, err := s.k.Signature(ctx, ref.K2())
			return req.Status == types.SIGNATURE_STATUS_UNSPECIFIED || signature.Status == req.Status, err
		},
		func(ref collections.Pair[string, string], _ collections.NoValue) (types.Signature, error) {
			return s.k.Signature(ctx, ref.K2())
		}, under(req.KeyId))
	if err != nil {
		return nil, err
	}
	return &types.QuerySignaturesResponse{Signatures: all, Pagination: page}, nil
}
