package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// checkRefusal says whether a refusal would apply to this state: the request waits for a
// signature, the member signed this refusal, and has not refused before, or not for good.
func (k *Keeper) checkRefusal(ctx context.Context, a *mpctypes.Accusation) (types.Request, error) {
	r, err := k.requestOfFault(ctx, a.Request)
	if err != nil {
		return r, err
	}
	before, err := k.refusals.Get(ctx, collections.Join(r.Id, string(a.Operator)))
	switch {
	case errors.Is(err, collections.ErrNotFound):
	case err != nil:
		return r, fmt.Errorf("look up refusals of %s: %w", r.Id, err)
	case !mpctypes.ReplacesRefusal(mpctypes.Reason(before), a.Reason):
		return r, types.ErrAlreadyDecided.Wrapf("%s refused %s before (%s)", a.Operator, a.Request, before)
	}
	key, err := k.Key(ctx, r.KeyId)
	if err != nil {
		return r, err
	}
	engine, chainID := r.ToEngine(key), sdk.UnwrapSDKContext(ctx).ChainID()
	if err := engine.CheckRefusal(chainID, a); err != nil {
		return r, types.FromReason(err)
	}
	m, _ := engine.Member(a.Operator)
	if err := a.Verify(chainID, m.IdentityKey); err != nil {
		return r, types.ErrBadResult.Wrap(err.Error())
	}
	return r, nil
}

// applyRefusal notes a refusal. When so many refuse for good that too few are left to
// sign, the request fails at the end of the block, for the reason that most of them gave.
// As many could keep it from its end by silence; a signature that is there already comes
// first, see package abci.
func (k *Keeper) applyRefusal(ctx context.Context, a *mpctypes.Accusation) error {
	r, err := k.checkRefusal(ctx, a)
	if err != nil {
		return err
	}
	if err := k.setRefusal(ctx, r.Id, types.Refusal{Operator: string(a.Operator), Reason: string(a.Reason)}); err != nil {
		return err
	}
	k.emit(ctx, &types.EventSignRefused{
		SignatureId: r.Id, KeyId: r.KeyId, Owner: r.Owner, Operator: string(a.Operator), Reason: string(a.Reason),
	})
	all, err := k.refusalsOf(ctx, r.Id)
	if err != nil {
		return err
	}
	if reason, hopeless := types.Hopeless(all, len(r.Members), int(r.Threshold)+1); hopeless {
		return k.condemnRequest(ctx, keyOf(r), reason)
	}
	return nil
}

func (k *Keeper) setRefusal(ctx context.Context, id string, r types.Refusal) error {
	if err := k.refusals.Set(ctx, collections.Join(id, r.Operator), r.Reason); err != nil {
		return fmt.Errorf("store the refusal of %s by %s: %w", id, r.Operator, err)
	}
	return nil
}

// refusalsOf lists who will not sign what is PENDING, ascending; at most one for each of
// its members.
func (k *Keeper) refusalsOf(ctx context.Context, id string) (all []types.Refusal, err error) {
	err = k.refusals.Walk(ctx, collections.NewPrefixedPairRange[string, string](id), func(at refusalKey, reason string) (bool, error) {
		all = append(all, types.Refusal{Operator: at.K2(), Reason: reason})
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list refusals of %s: %w", id, err)
	}
	return all, nil
}

// withRefusals adds those of a signature that is PENDING; a decided one has them.
func (k *Keeper) withRefusals(ctx context.Context, s types.Signature) (_ types.Signature, err error) {
	if s.Status == types.SIGNATURE_STATUS_PENDING && !s.Test {
		s.Refusals, err = k.refusalsOf(ctx, s.Id)
	}
	return s, err
}

// settleRefusals takes those of a signature that is PENDING out of it, to their place, and
// forgets that place when it is decided.
func (k *Keeper) settleRefusals(ctx context.Context, s *types.Signature) error {
	for _, r := range s.Refusals {
		if s.Status == types.SIGNATURE_STATUS_PENDING {
			if err := k.setRefusal(ctx, s.Id, r); err != nil {
				return err
			}
		} else if err := k.refusals.Remove(ctx, collections.Join(s.Id, r.Operator)); err != nil {
			return fmt.Errorf("remove the refusal of %s by %s: %w", s.Id, r.Operator, err)
		}
	}
	if s.Status == types.SIGNATURE_STATUS_PENDING {
		s.Refusals = nil
	}
	return nil
}

// refusedBy is who refuses each open request, and why.
func (k *Keeper) refusedBy(ctx context.Context) (map[string]map[mpctypes.Operator]mpctypes.Reason, error) {
	by := make(map[string]map[mpctypes.Operator]mpctypes.Reason)
	err := eachReadable(ctx, k, "refusal", k.refusals, func(at refusalKey, reason string) {
		if by[at.K1()] == nil {
			by[at.K1()] = make(map[mpctypes.Operator]mpctypes.Reason)
		}
		by[at.K1()][mpctypes.Operator(at.K2())] = mpctypes.Reason(reason)
	})
	if err != nil {
		return nil, fmt.Errorf("list refusals: %w", err)
	}
	return by, nil
}
