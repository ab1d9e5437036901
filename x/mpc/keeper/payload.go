package keeper

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"cosmossdk.io/collections"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// decodeGasPerByte pays for decoding and hashing a payload. The dearest, a sign document of
// many small parts in messages that carry each other as deep as they may, takes 0.3
// microseconds of CPU a byte (go test ./x/mpc/payload -run - -bench SignDirect); typed data
// hashes each byte 32 times at most. A million of gas is about ten milliseconds.
const decodeGasPerByte storetypes.Gas = 30

// SetPayloadKinds says which kinds of payloads the chain decodes. It is called once while
// the application is wired, or not at all: then keys sign raw digests only. It panics if
// it is called again or after the keeper was sealed.
func (k *Keeper) SetPayloadKinds(kinds ...mpctypes.PayloadKind) *Keeper {
	if k.hooks.sealed || k.kinds != nil {
		panic("x/mpc: the kinds of payloads are set once, before the modules register their services")
	}
	k.kinds = mpctypes.NewPayloadKinds(kinds...)
	return k
}

// PayloadKinds are those that the chain decodes. The engine of a node decodes with the
// same.
func (k *Keeper) PayloadKinds() *mpctypes.PayloadKinds { return k.kinds }

// admitPayload computes what a signature signs and refuses what its key may not sign.
// What was decoded is nil for a raw digest.
func (k *Keeper) admitPayload(ctx context.Context, p types.Params, key types.Key, s *types.Signature) (mpctypes.DecodedPayload, error) {
	digest, decoded, err := k.digestOf(ctx, p, key, s.Payload)
	if err != nil {
		return nil, err
	}
	if err := k.refuseTestDigest(ctx, key, digest); err != nil {
		return nil, err
	}
	s.Digest = digest
	if _, err := k.checkPlace(ctx, *s, decoded); err != nil {
		return nil, err
	}
	// Last: a module may store what it allows, and nothing that it has to do with refuses
	// after that.
	return decoded, k.checkPolicies(ctx, p.PolicyOf(key.Id), types.SignCheck{
		Key: key, SignatureID: s.Id, Payload: s.Payload, Decoded: decoded, Digest: digest,
	})
}

// digestOf computes what a key signs of a payload. decoded is nil for a raw digest.
func (k *Keeper) digestOf(
	ctx context.Context, p types.Params, key types.Key, payload types.SignPayload,
) (digest []byte, decoded mpctypes.DecodedPayload, err error) {
	typed := payload.GetTyped()
	switch {
	case typed == nil && !key.AllowRaw:
		return nil, nil, types.ErrRawNotAllowed.Wrapf("key %s", key.Id)
	case typed != nil && len(typed.Data) > int(p.MaxPayloadBytes):
		return nil, nil, types.ErrPayloadTooLarge.Wrapf("%d bytes, at most %d are allowed", len(typed.Data), p.MaxPayloadBytes)
	case typed != nil:
		sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(storetypes.Gas(len(typed.Data))*decodeGasPerByte, "decode a payload")
	}
	return payload.Signed(k.kinds)
}

// placeOf is the place that a payload takes on the chain that it is for; false if it
// takes none.
func placeOf(s types.Signature, decoded mpctypes.DecodedPayload) (collections.Pair[string, string], bool) {
	if decoded == nil || decoded.Claims().Place == "" {
		return collections.Pair[string, string]{}, false
	}
	return collections.Join(s.KeyId, s.Payload.GetTyped().Kind+":"+decoded.Claims().Place), true
}

// checkPlace refuses what would take effect instead of something that the key signed
// before: who reads that something was signed may rely on it, and a request that failed
// may have been signed all the same. It returns what is signed there now; nil if the
// payload takes no place, or takes it for the first time.
func (k *Keeper) checkPlace(ctx context.Context, s types.Signature, decoded mpctypes.DecodedPayload) (*types.SignedPlace, error) {
	at, takes := placeOf(s, decoded)
	if !takes {
		return nil, nil
	}
	stored, err := k.signedPlaces.Get(ctx, at)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the place %s of key %s: %w", at.K2(), s.KeyId, err)
	}
	signed, err := types.StoredPlace(at.K1(), at.K2(), stored)
	if err != nil {
		return nil, err
	}
	return &signed, signed.Admits(decoded.Claims())
}

// takePlace notes, for ever, what a key signs in a place, and how much gas that has which has
// the most.
func (k *Keeper) takePlace(ctx context.Context, s types.Signature, decoded mpctypes.DecodedPayload) error {
	at, takes := placeOf(s, decoded)
	if !takes {
		return nil
	}
	signed, err := k.checkPlace(ctx, s, decoded)
	c := decoded.Claims()
	if err != nil || signed != nil && signed.Gas == c.Gas {
		return err
	}
	place := types.SignedPlace{KeyId: at.K1(), Place: at.K2(), Effect: c.Effect[:], Gas: c.Gas}
	if err := k.signedPlaces.Set(ctx, at, place.Stored()); err != nil {
		return fmt.Errorf("store the place %s of key %s: %w", at.K2(), s.KeyId, err)
	}
	return nil
}

// Finished is what became of the payload of a signature: of an Ethereum transaction, the
// signed one and its hash. False if the signature is not READY, or of a raw digest.
func (k *Keeper) Finished(ctx context.Context, s types.Signature) (mpctypes.FinishedPayload, bool, error) {
	if s.Status != types.SIGNATURE_STATUS_READY || s.Payload.GetTyped() == nil {
		return mpctypes.FinishedPayload{}, false, nil
	}
	key, err := k.Key(ctx, s.KeyId)
	if err != nil {
		return mpctypes.FinishedPayload{}, false, err
	}
	_, decoded, err := s.Payload.Signed(k.kinds)
	if err != nil {
		return mpctypes.FinishedPayload{}, false, err
	}
	finished, err := decoded.Finish(key.PublicKey, &mpctypes.SignatureResult{RequestID: s.Id, R: s.R, S: s.S, V: s.V})
	if err != nil {
		return mpctypes.FinishedPayload{}, false, fmt.Errorf("finish the payload of signature %s: %w", s.Id, err)
	}
	return finished, true, nil
}

// unfinished are the reasons for which there is nothing to show but the signature: a
// payload that a former program decoded is not decoded any more, or needs the signature of
// another key.
var unfinished = []mpctypes.Reason{
	mpctypes.ErrUnknownKind, mpctypes.ErrBadPayload, mpctypes.ErrNotCanonical, mpctypes.ErrPayloadTooLarge, mpctypes.ErrBadDigest,
}

// finishedForQuery is Finished as queries show it; nil if there is none. A payload that
// cannot be finished does not keep the signature from being read.
func (k *Keeper) finishedForQuery(ctx context.Context, s types.Signature) (*types.FinishedPayload, error) {
	finished, ok, err := k.Finished(ctx, s)
	if slices.Contains(unfinished, types.ReasonOf(err)) || !ok && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &types.FinishedPayload{Raw: prefixedHex(finished.Raw), Hash: prefixedHex(finished.Hash)}, nil
}

// prefixedHex is empty for nothing.
func prefixedHex(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return "0x" + hex.EncodeToString(b)
}

// checkPayload checks that what an imported open request is to sign is what this chain
// computes of its payload. Of a decided one the digest is history: it verifies what was
// signed. That of a test is computed anew at import.
func (k *Keeper) checkPayload(s types.Signature) error {
	if s.Test || s.Status != types.SIGNATURE_STATUS_PENDING {
		return nil
	}
	digest, _, err := s.Payload.Signed(k.kinds)
	if err == nil && string(digest) != string(s.Digest) {
		err = errors.New("the digest is not that of the payload")
	}
	return err
}
