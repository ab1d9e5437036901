package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// shareWordAttestor checks everything about an attestation of a missing or found share but
// its signature. The identity is the current one: a node that lost its share may have lost
// the identity that the key's requests pinned with it.
func (k *Keeper) shareWordAttestor(ctx context.Context, a *mpctypes.Attestation) (attestor, error) {
	key, err := k.Key(ctx, a.Request.ID)
	if err != nil {
		return attestor{}, err
	}
	if a.Request.Kind == mpctypes.KindShareFound {
		err = key.AwaitsFound(string(a.Operator), a.Session)
	} else {
		err = key.AwaitsMissing(string(a.Operator), a.Session, a.Attempt)
	}
	if err != nil {
		return attestor{}, err
	}
	engine := key.ToEngine()
	return k.unpinnedAttestor(ctx, a, engine.EpochCommitment(sdk.UnwrapSDKContext(ctx).ChainID()))
}

// recordFound believes a participant that it has its share after all: who says so wrongly
// is where it was before it said anything, and never gave a share to anybody by that.
func (k *Keeper) recordFound(ctx context.Context, a *mpctypes.Attestation) error {
	key, err := k.Key(ctx, a.Request.ID)
	if err != nil {
		return err
	}
	key.Find(string(a.Operator))
	if err := k.setKey(ctx, key); err != nil {
		return err
	}
	k.emit(ctx, &types.EventShareFound{
		KeyId: key.Id, Owner: key.Owner, Epoch: key.Epoch, Operator: string(a.Operator),
		Missing: uint32(len(key.MissingShares)), Participants: uint32(len(key.Participants)), Threshold: key.Threshold,
	})
	return nil
}

// recordMissing believes a participant that it has no share: whoever lies about that
// has nothing from it but the next reshare.
func (k *Keeper) recordMissing(ctx context.Context, a *mpctypes.Attestation) error {
	key, err := k.Key(ctx, a.Request.ID)
	if err != nil {
		return err
	}
	dealers := k.openDealers(ctx, key)
	could := key.EnoughShares(dealers) == nil
	key.Miss(string(a.Operator), sdk.UnwrapSDKContext(ctx).BlockHeight())
	if err := k.setKey(ctx, key); err != nil {
		return err
	}
	k.emit(ctx, &types.EventShareMissing{
		KeyId: key.Id, Owner: key.Owner, Epoch: key.Epoch, Operator: string(a.Operator),
		Missing: uint32(len(key.MissingShares)), Participants: uint32(len(key.Participants)), Threshold: key.Threshold,
	})
	reason, err := k.starved(ctx, key.ReshareId, could, key.EnoughShares(dealers) == nil)
	if err == nil && reason != "" {
		err = k.condemnRequest(ctx, reshareRequest(key.ReshareId), reason)
	}
	if err != nil {
		return err
	}
	if key.SharesLeft() > int(key.Threshold) {
		return nil
	}
	return k.reportLost(ctx, key)
}

// reportLost tells that a key has the shares of too few participants left, whether the
// module reshares keys by itself or not.
func (k *Keeper) reportLost(ctx context.Context, key types.Key) error {
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	able, err := k.able(ctx, key)
	if err != nil {
		return err
	}
	return k.reportEndangered(ctx, params, key, len(able), key.EnoughShares(key.Participants))
}
