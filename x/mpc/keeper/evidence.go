package keeper

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// CheckEvidence says whether evidence would apply to this state: it is against somebody
// who had to do with a request that is open or was decided no more than fault_blocks
// ago, or with presignatures of a key's present epoch; both headers are signed by one
// of its identities, revoked or not; nothing was proved of the same session before, and
// fewer than mpctypes.MaxProofs count against it.
func (k *Keeper) CheckEvidence(ctx context.Context, e mpctypes.Evidence) error {
	if err := e.ValidateBasic(sdk.UnwrapSDKContext(ctx).ChainID()); err != nil {
		return types.ErrBadResult.Wrap(err.Error())
	}
	if err := k.isNewFault(ctx, types.EquivocationFault(e, 0, 0)); err != nil {
		return err
	}
	involved, err := k.involved(ctx, e)
	if err != nil {
		return err
	}
	if !slices.Contains(involved, string(e.Culprit())) {
		return types.ErrUnknownParticipant.Wrapf("%s has nothing to do with %s", e.Culprit(), e.Request())
	}
	proofs, err := k.provenTimes(ctx, string(e.Culprit()))
	if err != nil {
		return err
	}
	if proofs >= mpctypes.MaxProofs {
		return types.ErrAlreadyDecided.Wrapf("%d proofs count against %s, it needs no more", proofs, e.Culprit())
	}
	p, err := k.Participant(ctx, string(e.Culprit()))
	if err != nil {
		return err
	}
	id, ok := p.EverIdentity(e.IdentityVersion())
	if !ok {
		return types.ErrUnknownParticipant.Wrapf("%s never had an identity of version %d", e.Culprit(), e.IdentityVersion())
	}
	if err := e.Verify(sdk.UnwrapSDKContext(ctx).ChainID(), id.PublicKey); err != nil {
		return types.ErrBadResult.Wrap(err.Error())
	}
	return nil
}

// involved lists who may have signed something in the session of evidence: the members
// of its request while that is open, and afterwards whoever has or had a share of its
// key. An error if the time for it is over.
func (k *Keeper) involved(ctx context.Context, e mpctypes.Evidence) ([]string, error) {
	id := e.Request()
	r, open, err := k.request(ctx, requestKeyOf(id))
	if err != nil {
		return nil, err
	}
	if open {
		operators := make([]string, len(r.Members))
		for i, m := range r.Members {
			operators[i] = m.Operator
		}
		return operators, nil
	}
	switch id.Kind {
	case mpctypes.KindKeygen:
		key, err := k.Key(ctx, id.ID)
		if err != nil {
			return nil, err
		}
		return slices.Concat(key.Participants, key.Holders), k.decidedLately(ctx, id, key.DecidedHeight)
	case mpctypes.KindSign:
		s, err := k.Signature(ctx, id.ID)
		if errors.Is(err, types.ErrPruned) {
			return nil, types.ErrAlreadyDecided.Wrap(id.String())
		}
		if err != nil {
			return nil, err
		}
		key, err := k.Key(ctx, s.KeyId)
		if err != nil {
			return nil, err
		}
		return slices.Concat(key.Participants, key.Holders), k.decidedLately(ctx, id, s.DecidedHeight)
	case mpctypes.KindReshare:
		reshare, err := k.Reshare(ctx, id.ID)
		if err != nil {
			return nil, err
		}
		if reshare.Open() { // its shares are tested
			return slices.Concat(reshare.Participants, reshare.OldParticipants), nil
		}
		return slices.Concat(reshare.Participants, reshare.OldParticipants), k.decidedLately(ctx, id, reshare.DecidedHeight)
	case mpctypes.KindPresign:
		return k.presigners(ctx, e)
	}
	return nil, types.ErrUnknownRequest.Wrap(id.String())
}

// presigners are who makes presignatures of the key that evidence names.
func (k *Keeper) presigners(ctx context.Context, e mpctypes.Evidence) ([]string, error) {
	key, err := k.Key(ctx, string(e.KeyID))
	if err != nil {
		return nil, err
	}
	if key.Status != types.KEY_STATUS_READY || hexOf(key.Session) != e.Request().ID {
		return nil, types.ErrAlreadyDecided.Wrapf("key %s is %s, or has other shares than those of %s", key.Id, key.Status, e.Request())
	}
	return key.Participants, nil
}

// decidedLately says whether proof of what was done in a request that was decided at a
// height is still taken. A key's height may be that of a later epoch: that only makes it
// longer.
func (k *Keeper) decidedLately(ctx context.Context, id mpctypes.RequestID, height int64) error {
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	if now := sdk.UnwrapSDKContext(ctx).BlockHeight(); now > height+int64(params.FaultBlocks) {
		return types.ErrAlreadyDecided.Wrapf("%s was decided at height %d, more than %d blocks ago", id, height, params.FaultBlocks)
	}
	return nil
}

// provenTimes counts the proofs of a participant that count.
func (k *Keeper) provenTimes(ctx context.Context, operator string) (uint32, error) {
	n, err := k.proofs.Get(ctx, operator)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return 0, fmt.Errorf("count the proofs of %s: %w", operator, err)
	}
	return n, nil
}

// countProof counts a proof that begins to count, or ceases to.
func (k *Keeper) countProof(ctx context.Context, operator string, begins bool) error {
	n, err := k.provenTimes(ctx, operator)
	switch {
	case err != nil:
		return err
	case begins:
		err = k.proofs.Set(ctx, operator, n+1)
	case n > 1:
		err = k.proofs.Set(ctx, operator, n-1)
	default:
		err = k.proofs.Remove(ctx, operator)
	}
	if err != nil {
		return fmt.Errorf("count the proofs of %s: %w", operator, err)
	}
	return nil
}
