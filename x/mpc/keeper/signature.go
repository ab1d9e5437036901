package keeper

import (
	"context"
	"encoding/hex"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// CheckSignature says whether a finished signature would apply to this state: it
// is waited for, and it is by the committed key over the committed digest.
func (k *Keeper) CheckSignature(ctx context.Context, result *mpctypes.SignatureResult) error {
	_, _, err := k.verifiedSignature(ctx, result)
	return err
}

// ApplySignature checks a finished signature and applies it: a test lets its key go
// to the next epoch. After an error the state is undefined; callers run it in a cache
// context.
func (k *Keeper) ApplySignature(ctx context.Context, result *mpctypes.SignatureResult) error {
	r, s, err := k.verifiedSignature(ctx, result)
	if err != nil {
		return err
	}
	if err := k.closeRequest(ctx, r); err != nil {
		return err
	}
	if err := s.Finish(result, sdk.UnwrapSDKContext(ctx).BlockHeight()); err != nil {
		return err
	}
	if err := k.setSignature(ctx, s); err != nil {
		return err
	}
	k.emit(ctx, &types.EventSignatureReady{
		SignatureId: s.Id, KeyId: s.KeyId, Owner: s.Owner, R: hexOf(s.R), S: hexOf(s.S), V: s.V,
	})
	if s.Test {
		return k.finishReshare(ctx, types.ReshareOfTest(s.Id))
	}
	return k.runResultHook(ctx, signatureReadyHook(s))
}

func (k *Keeper) verifiedSignature(ctx context.Context, result *mpctypes.SignatureResult) (types.Request, types.Signature, error) {
	r, err := k.openSignRequest(ctx, result.RequestID)
	if err != nil {
		return r, types.Signature{}, err
	}
	s, err := k.Signature(ctx, result.RequestID)
	if err != nil {
		return r, s, err
	}
	key, err := k.Key(ctx, r.KeyId)
	if err != nil {
		return r, s, err
	}
	return r, s, s.Verify(key, result)
}

func (k *Keeper) openSignRequest(ctx context.Context, id string) (types.Request, error) {
	name := mpctypes.RequestID{Kind: mpctypes.KindSign, ID: id}
	r, waiting, err := k.waiting(ctx, requestKeyOf(name))
	if err != nil {
		return r, err
	}
	if !waiting {
		return r, k.whyClosed(ctx, name)
	}
	return r, nil
}

// hexOf is how events show bytes.
func hexOf(b []byte) string { return hex.EncodeToString(b) }
