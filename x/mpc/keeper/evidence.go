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
// ago, or with presignatures of a key's present epoch; both headers are signed by the
// identity that it had for that, revoked since or not; nothing was proved of the same
// session before, and fewer than mpctypes.MaxProofs count against it.
//
// Any other identity of it proves nothing: it may have been replaced because it was stolen.
func (k *Keeper) CheckEvidence(ctx context.Context, e mpctypes.Evidence) error {
	if err := e.ValidateBasic(sdk.UnwrapSDKContext(ctx).ChainID()); err != nil {
		return types.ErrBadResult.Wrap(err.Error())
	}
	if err := k.isNewFault(ctx, types.EquivocationFault(e, 0, 0)); err != nil {
		return err
	}
	identity, err := k.culpritKey(ctx, e)
	if err != nil {
		return err
	}
	proofs, err := k.provenTimes(ctx, string(e.Culprit()))
	if err != nil {
		return err
	}
	if proofs >= mpctypes.MaxProofs {
		return types.ErrAlreadyDecided.Wrapf("%d proofs count against %s, it needs no more", proofs, e.Culprit())
	}
	if err := e.Verify(sdk.UnwrapSDKContext(ctx).ChainID(), identity); err != nil {
		return types.ErrBadResult.Wrap(err.Error())
	}
	return nil
}

// culpritKey is the identity key that evidence must be against: the one that its request
// pinned. What a request pinned that is decided is not in state any more: it was the
// current one when that was committed.
func (k *Keeper) culpritKey(ctx context.Context, e mpctypes.Evidence) ([]byte, error) {
	r, open, err := k.request(ctx, requestKeyOf(e.Request()))
	if err != nil {
		return nil, err
	}
	if open {
		return pinnedKey(r, e)
	}
	had, err := k.involved(ctx, e)
	if errors.Is(err, types.ErrPruned) {
		return nil, types.ErrAlreadyDecided.Wrap(e.Request().String())
	}
	if err != nil {
		return nil, err
	}
	if !slices.Contains(had.operators, string(e.Culprit())) {
		return nil, types.ErrUnknownParticipant.Wrapf("%s has nothing to do with %s", e.Culprit(), e.Request())
	}
	p, err := k.Participant(ctx, string(e.Culprit()))
	if err != nil {
		return nil, err
	}
	id, ok := p.CurrentBetween(e.IdentityVersion(), had.from, had.to)
	if !ok {
		return nil, types.ErrUnknownParticipant.Wrapf("version %d was not the identity of %s for %s", e.IdentityVersion(), e.Culprit(), e.Request())
	}
	return id.PublicKey, nil
}

// pinnedKey is the identity key of a member of an open request.
func pinnedKey(r types.Request, e mpctypes.Evidence) ([]byte, error) {
	for _, m := range r.Members {
		if m.Operator == string(e.Culprit()) && m.IdentityVersion == e.IdentityVersion() {
			return m.IdentityKey, nil
		}
	}
	return nil, types.ErrUnknownParticipant.Wrapf("%s with identity version %d is no member of %s", e.Culprit(), e.IdentityVersion(), e.Request())
}

// involvement is who may have signed something in a session, and from which height to
// which it may have got the identity for that.
type involvement struct {
	operators []string
	from, to  int64
}

// asked is that of a request that was committed at a height.
func asked(height int64, operators ...[]string) involvement {
	return involvement{slices.Concat(operators...), height, height}
}

// involved finds who may have signed something in the session of evidence, of which no
// request is open: whoever has or had a share of its key. An error if the time for it is
// over.
func (k *Keeper) involved(ctx context.Context, e mpctypes.Evidence) (involvement, error) {
	switch id := e.Request(); id.Kind {
	case mpctypes.KindKeygen:
		key, err := k.Key(ctx, id.ID)
		if err != nil {
			return involvement{}, err
		}
		return asked(key.RequestedHeight, key.Participants, key.Holders), k.decidedLately(ctx, id, key.DecidedHeight)
	case mpctypes.KindSign:
		return k.signers(ctx, id)
	case mpctypes.KindReshare:
		reshare, err := k.Reshare(ctx, id.ID)
		if err != nil {
			return involvement{}, err
		}
		had := asked(reshare.RequestedHeight, reshare.Participants, reshare.OldParticipants)
		if reshare.Open() { // its shares are tested
			return had, nil
		}
		return had, k.decidedLately(ctx, id, reshare.DecidedHeight)
	case mpctypes.KindPresign:
		return k.presigners(ctx, e)
	}
	return involvement{}, types.ErrUnknownRequest.Wrap(e.Request().String())
}

// signers are who could sign what was asked for. A test has the members of its reshare.
func (k *Keeper) signers(ctx context.Context, id mpctypes.RequestID) (involvement, error) {
	s, err := k.Signature(ctx, id.ID)
	if err != nil {
		return involvement{}, err
	}
	key, err := k.Key(ctx, s.KeyId)
	if err != nil {
		return involvement{}, err
	}
	had := asked(s.RequestedHeight, key.Participants, key.Holders)
	if s.Test {
		reshare, err := k.Reshare(ctx, types.ReshareOfTest(s.Id))
		if err != nil {
			return involvement{}, err
		}
		had = asked(reshare.RequestedHeight, reshare.Participants)
	}
	return had, k.decidedLately(ctx, id, s.DecidedHeight)
}

// presigners are who makes presignatures of the key that evidence names, since it has the
// shares that they are of. They end with the identities of those who made them, and what
// was done in them counts for fault_blocks from there on.
func (k *Keeper) presigners(ctx context.Context, e mpctypes.Evidence) (involvement, error) {
	key, err := k.Key(ctx, string(e.KeyID))
	if err != nil {
		return involvement{}, err
	}
	if key.Status != types.KEY_STATUS_READY || hexOf(key.Session) != e.Request().ID {
		return involvement{}, types.ErrAlreadyDecided.Wrapf("key %s is %s, or has other shares than those of %s", key.Id, key.Status, e.Request())
	}
	params, err := k.Params(ctx)
	if err != nil {
		return involvement{}, err
	}
	now := sdk.UnwrapSDKContext(ctx).BlockHeight()
	return involvement{key.Participants, max(key.DecidedHeight, now-int64(params.FaultBlocks)), now}, nil
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
