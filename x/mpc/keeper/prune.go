package keeper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// MaxPrunesPerBlock bounds what one block's end prunes, whatever it is. A signature touches
// five entries of the store, a key or a reshare with its test nine at most, so 500 touch
// 4,500: a quarter of what as many expiries do.
const MaxPrunesPerBlock = 500

// decidedRequest names a key or a reshare that is over: from which height, kind, id.
type decidedRequest = collections.Triple[int64, uint32, string]

// noteDecided makes a key or a reshare one that is pruned some day.
func (k *Keeper) noteDecided(ctx context.Context, height int64, kind types.RequestKind, id string) error {
	if err := k.decidedRequests.Set(ctx, collections.Join3(height, uint32(kind), id)); err != nil {
		return fmt.Errorf("index %s by its end: %w", nameOf(kind, id), err)
	}
	return nil
}

func nameOf(kind types.RequestKind, id string) string {
	return mpctypes.RequestID{Kind: mpctypes.RequestKind(kind), ID: id}.String()
}

// prunable is what is over for so long that it is not kept.
type prunable struct {
	since int64
	kind  types.RequestKind
	id    string
}

func comparePrunables(a, b prunable) int {
	return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(a.kind, b.kind), cmp.Compare(a.id, b.id))
}

// duePrunes lists what is over for more than retention_blocks, the oldest first, up to the
// limit. The parameter counts as it is now: who sets it lets the past be pruned, too. What
// was decided since the oldest hook began to wait stays, so that the module which waits to be
// told finds it. A hook that could not be called steps aside for RetryBlocks and waits since its
// next turn then: what it is about may be pruned before that, and nobody is told of it any more.
func (k *Keeper) duePrunes(ctx context.Context) (list []due, err error) {
	params, err := k.Params(ctx)
	if err != nil || params.RetentionBlocks == 0 {
		return nil, err
	}
	retention := int64(params.RetentionBlocks)
	oldest := sdk.UnwrapSDKContext(ctx).BlockHeight() - retention
	waits, is, err := k.oldestQueuedHook(ctx)
	if err != nil {
		return nil, err
	}
	if is {
		oldest = min(oldest, waits-1)
	}
	old, err := k.prunables(ctx, oldest)
	for _, p := range old {
		list = append(list, k.duePrune(p, retention))
	}
	return list, err
}

// prunables lists what is over since a height or before, the oldest first, up to the limit.
func (k *Keeper) prunables(ctx context.Context, oldest int64) ([]prunable, error) {
	var signatures, others []prunable
	err := errors.Join(
		k.decidedSignatures.Walk(ctx, collections.NewPrefixUntilPairRange[int64, string](oldest),
			func(at collections.Pair[int64, string]) (bool, error) {
				signatures = append(signatures, prunable{at.K1(), types.REQUEST_KIND_SIGN, at.K2()})
				return len(signatures) == MaxPrunesPerBlock, nil
			}),
		k.decidedRequests.Walk(ctx, collections.NewPrefixUntilTripleRange[int64, uint32, string](oldest),
			func(at decidedRequest) (bool, error) {
				others = append(others, prunable{at.K1(), types.RequestKind(at.K2()), at.K3()})
				return len(others) == MaxPrunesPerBlock, nil
			}),
	)
	if err != nil {
		err = fmt.Errorf("list what is pruned: %w", err)
	}
	all := slices.Concat(signatures, others)
	slices.SortFunc(all, comparePrunables)
	return all[:min(len(all), MaxPrunesPerBlock)], err
}

func (k *Keeper) duePrune(p prunable, retention int64) due {
	d := due{
		name:   "the pruning of " + nameOf(p.kind, p.id),
		settle: func(ctx context.Context) error { return k.prune(ctx, p.kind, p.id) },
	}
	if p.kind == types.REQUEST_KIND_SIGN {
		d.remove = func(ctx context.Context) error {
			return k.decidedSignatures.Remove(ctx, collections.Join(p.since, p.id))
		}
		d.enter = func(ctx context.Context, height int64) error {
			return k.decidedSignatures.Set(ctx, collections.Join(height-retention, p.id))
		}
		return d
	}
	d.remove = func(ctx context.Context) error {
		return k.decidedRequests.Remove(ctx, collections.Join3(p.since, uint32(p.kind), p.id))
	}
	d.enter = func(ctx context.Context, height int64) error {
		return k.noteDecided(ctx, height-retention, p.kind, p.id)
	}
	return d
}

// prune forgets what is over, but for ever not what its id was given to: nodes have bound
// it to that, and nothing else may be asked under it.
func (k *Keeper) prune(ctx context.Context, kind types.RequestKind, id string) error {
	switch kind {
	case types.REQUEST_KIND_SIGN:
		return k.pruneSignature(ctx, id)
	case types.REQUEST_KIND_RESHARE:
		return k.pruneReshare(ctx, id)
	case types.REQUEST_KIND_KEYGEN:
		return k.pruneKey(ctx, id)
	}
	return fmt.Errorf("%s is of a kind that is not pruned", nameOf(kind, id))
}

func (k *Keeper) pruneSignature(ctx context.Context, id string) error {
	s, err := k.Signature(ctx, id)
	if err != nil {
		return err
	}
	if !s.Prunes() {
		return fmt.Errorf("signature %s is %s and not to be pruned", id, s.Status)
	}
	return k.forgetSignature(ctx, s)
}

func (k *Keeper) forgetSignature(ctx context.Context, s types.Signature) error {
	if err := k.prunedSignatures.Set(ctx, s.Id, s.ContentHash); err != nil {
		return fmt.Errorf("store what is left of signature %s: %w", s.Id, err)
	}
	if err := k.signatures.Remove(ctx, s.Id); err != nil {
		return fmt.Errorf("remove signature %s: %w", s.Id, err)
	}
	return nil
}

// pruneReshare forgets a reshare and its test. What it did is in its key; a node that has a
// share by one that failed hears that it is over, for ever.
func (k *Keeper) pruneReshare(ctx context.Context, id string) error {
	r, err := k.Reshare(ctx, id)
	if err != nil {
		return err
	}
	if r.Open() {
		return fmt.Errorf("reshare %s is %s and not to be pruned", id, r.Status)
	}
	if len(r.Session) > 0 { // it came to a test
		test, err := k.Signature(ctx, r.TestID())
		if err != nil {
			return err
		}
		if err := k.forgetSignature(ctx, test); err != nil {
			return err
		}
	}
	if err := k.forgetRequest(ctx, types.REQUEST_KIND_RESHARE, id, r.ContentHash); err != nil {
		return err
	}
	if err := k.reshares.Remove(ctx, id); err != nil {
		return fmt.Errorf("remove reshare %s: %w", id, err)
	}
	return nil
}

// pruneKey forgets a key that failed. One that was deleted since stays, a tombstone.
func (k *Keeper) pruneKey(ctx context.Context, id string) error {
	key, err := k.Key(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case key.Status == types.KEY_STATUS_DELETING || key.Status == types.KEY_STATUS_DELETED:
		return nil
	case !key.Prunes():
		return fmt.Errorf("key %s is %s and not to be pruned", id, key.Status)
	}
	if err := k.forgetRequest(ctx, types.REQUEST_KIND_KEYGEN, id, key.ContentHash); err != nil {
		return err
	}
	if err := k.keys.Remove(ctx, id); err != nil {
		return fmt.Errorf("remove key %s: %w", id, err)
	}
	return k.noteKeyChange(ctx, id)
}

func (k *Keeper) forgetRequest(ctx context.Context, kind types.RequestKind, id string, hash []byte) error {
	if err := k.prunedRequests.Set(ctx, collections.Join(uint32(kind), id), hash); err != nil {
		return fmt.Errorf("store what is left of %s: %w", nameOf(kind, id), err)
	}
	return nil
}

// whyNone tells a key, a signature or a reshare that was pruned from one that never was.
func (k *Keeper) whyNone(ctx context.Context, kind types.RequestKind, id string, unknown *errorsmod.Error) error {
	_, err := k.prunedContent(ctx, kind, id)
	switch {
	case err == nil:
		return types.ErrPruned.Wrap(nameOf(kind, id))
	case errors.Is(err, collections.ErrNotFound):
		return unknown.Wrapf("%q", clip(id, mpctypes.MaxIDBytes))
	}
	return err
}

// prunedContent is the hash of what was asked under an id that was pruned.
func (k *Keeper) prunedContent(ctx context.Context, kind types.RequestKind, id string) (hash []byte, err error) {
	if kind == types.REQUEST_KIND_SIGN {
		hash, err = k.prunedSignatures.Get(ctx, id)
	} else {
		hash, err = k.prunedRequests.Get(ctx, collections.Join(uint32(kind), id))
	}
	if err != nil {
		return nil, fmt.Errorf("load what is left of %s: %w", nameOf(kind, clip(id, mpctypes.MaxIDBytes)), err)
	}
	return hash, nil
}

// askedOfPruned is the answer to who asks with an id that was pruned: the same is not done
// again, the answer is not there any more, and anything else cannot have the id.
func (k *Keeper) askedOfPruned(ctx context.Context, kind types.RequestKind, id string, hash mpctypes.Hash) error {
	stored, err := k.prunedContent(ctx, kind, id)
	if err != nil {
		return err
	}
	if err := sameContent(stored, hash, false, id); err != nil {
		return err
	}
	return types.ErrPruned.Wrap(nameOf(kind, id))
}
