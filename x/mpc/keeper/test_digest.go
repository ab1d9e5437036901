package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// The new shares of a reshare prove themselves by a signature over a digest that belongs to
// their session. The old shares make the same signatures: who could ask them for one over
// that digest, as the owner of a key that signs raw digests could, would stand in for the
// proof. So while the test is open nobody may ask for it, and before that, when members of
// the session know of it and the chain does not, what was asked is noted: a session whose
// test somebody asked for gets no shares attested. Before the reshare is open no session of
// it can be known: what members draw for it goes into its name.

// testDigest is what the shares of a session sign to prove themselves to this chain.
func testDigest(ctx context.Context, keyID string, epoch uint64, session []byte) mpctypes.Hash {
	chainID := sdk.UnwrapSDKContext(ctx).ChainID()
	return mpctypes.ReshareTestDigest(chainID, mpctypes.KeyID(keyID), epoch, mpctypes.Context(session))
}

// refuseTestDigest refuses what the new shares of a key sign to prove themselves.
func refuseTestDigest(ctx context.Context, key types.Key, digest []byte) error {
	if len(key.NextSession) == 0 {
		return nil
	}
	if test := testDigest(ctx, key.Id, key.Epoch+1, key.NextSession); string(test[:]) != string(digest) {
		return nil
	}
	return types.ErrResharePending.Wrapf("by a signature over this digest the new shares of key %s prove themselves, of which %s makes the old ones no part",
		key.Id, key.ReshareId)
}

// noteRawDigest notes what a key is asked to sign as it is while a reshare of it is open,
// for as long as the signature is kept.
func (k *Keeper) noteRawDigest(ctx context.Context, key types.Key, s types.Signature) error {
	if s.Test || key.ReshareId == "" || s.Payload.GetTyped() != nil {
		return nil
	}
	if err := k.rawDigests.Set(ctx, collections.Join(key.Id, s.Digest)); err != nil {
		return fmt.Errorf("note the digest of signature %s: %w", s.Id, err)
	}
	return nil
}

// forgetRawDigest forgets it.
func (k *Keeper) forgetRawDigest(ctx context.Context, s types.Signature) error {
	if err := k.rawDigests.Remove(ctx, collections.Join(s.KeyId, s.Digest)); err != nil {
		return fmt.Errorf("forget the digest of signature %s: %w", s.Id, err)
	}
	return nil
}

// checkTest refuses a session of a reshare if somebody asked already for what its shares
// would have to sign. The next attempt has another session.
func (k *Keeper) checkTest(ctx context.Context, r types.Request, session mpctypes.Context) error {
	if r.Kind != types.REQUEST_KIND_RESHARE {
		return nil
	}
	test := testDigest(ctx, r.KeyId, r.Epoch, session[:])
	asked, err := k.rawDigests.Has(ctx, collections.Join(r.KeyId, test[:]))
	if err != nil {
		return fmt.Errorf("look up the test of a session of %s: %w", r.RequestID(), err)
	}
	if asked {
		return types.ErrBadResult.Wrapf("a signature by key %s was asked for over the digest by which the shares of this session of %s would prove themselves",
			r.KeyId, r.RequestID())
	}
	return nil
}
