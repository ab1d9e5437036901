package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// MaxPrunesPerBlock bounds the signatures that one block's end prunes. One touches
// four entries of the store, so 500 touch 2,000: a tenth of what as many expiries do.
const MaxPrunesPerBlock = 500

// duePrunes lists the decided signatures that are older than retention_blocks, the
// oldest first, up to the limit. The parameter counts as it is now: who sets it lets
// the past be pruned, too.
func (k *Keeper) duePrunes(ctx context.Context) (list []due, err error) {
	params, err := k.Params(ctx)
	if err != nil || params.RetentionBlocks == 0 {
		return nil, err
	}
	retention := int64(params.RetentionBlocks)
	oldest := sdk.UnwrapSDKContext(ctx).BlockHeight() - retention
	err = k.decidedSignatures.Walk(ctx, collections.NewPrefixUntilPairRange[int64, string](oldest),
		func(at collections.Pair[int64, string]) (bool, error) {
			list = append(list, due{
				name:   "signature " + at.K2(),
				remove: func(ctx context.Context) error { return k.decidedSignatures.Remove(ctx, at) },
				settle: func(ctx context.Context) error { return k.prune(ctx, at.K2()) },
				enter: func(ctx context.Context, height int64) error {
					return k.decidedSignatures.Set(ctx, collections.Join(height-retention, at.K2()))
				},
			})
			return len(list) == MaxPrunesPerBlock, nil
		})
	if err != nil {
		return list, fmt.Errorf("list signatures that are pruned: %w", err)
	}
	return list, nil
}

// prune forgets a decided signature, but for ever not what its id was given to: nodes
// have bound it to its digest, and nothing else may be asked under it.
func (k *Keeper) prune(ctx context.Context, id string) error {
	s, err := k.Signature(ctx, id)
	if err != nil {
		return err
	}
	if !s.Prunes() {
		return fmt.Errorf("signature %s is %s and not to be pruned", id, s.Status)
	}
	if err := k.prunedSignatures.Set(ctx, id, s.ContentHash); err != nil {
		return fmt.Errorf("store what is left of signature %s: %w", id, err)
	}
	if err := k.signatures.Remove(ctx, id); err != nil {
		return fmt.Errorf("remove signature %s: %w", id, err)
	}
	return nil
}

// whyNoSignature tells a signature that was pruned from one that never was.
func (k *Keeper) whyNoSignature(ctx context.Context, id string) error {
	pruned, err := k.prunedSignatures.Has(ctx, id)
	switch {
	case err != nil:
		return fmt.Errorf("look up whether signature %s was pruned: %w", id, err)
	case pruned:
		return types.ErrPruned.Wrapf("signature %s", id)
	}
	return types.ErrUnknownSignature.Wrapf("%q", clip(id, mpctypes.MaxIDBytes))
}

// askedOfPruned is the answer to who asks with the id of a pruned signature: the same
// is not signed again, the answer is not there any more, and anything else cannot have
// the id.
func (k *Keeper) askedOfPruned(ctx context.Context, id string, hash mpctypes.Hash) error {
	stored, err := k.prunedSignatures.Get(ctx, id)
	if err != nil {
		return fmt.Errorf("load what is left of signature %s: %w", id, err)
	}
	if err := sameContent(stored, hash, false, id); err != nil {
		return err
	}
	return types.ErrPruned.Wrapf("signature %s", id)
}
