package keeper

import (
	"context"
	"errors"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// A hook of x/mpc that fails is rolled back, and x/mpc calls it once only. So whoever needs
// what it should have noted looks itself.

// catchUp notes what became of the signature of a transaction's newest attempt, if no hook
// told. It reports whether it found that the attempt is signed.
func (k *Keeper) catchUp(ctx context.Context, t *types.Transaction) (signed bool, err error) {
	if t.Status != types.TRANSACTION_STATUS_OPEN || t.Current().Status != types.ATTEMPT_STATUS_SIGNING {
		return false, nil
	}
	s, err := k.mpc.Signature(ctx, t.Current().SignatureId)
	if errors.Is(err, mpctypes.ErrPruned) {
		// x/mpc decided it so long ago that it does not know how. As failed it is asked for
		// again, with the same fees, whichever it was.
		s, err = mpctypes.Signature{Id: t.Current().SignatureId, Status: mpctypes.SIGNATURE_STATUS_ERROR, Reason: prunedReason}, nil
	}
	if err != nil {
		return false, err
	}
	err = k.decideAttempt(ctx, t, s)
	return t.Current().Status == types.ATTEMPT_STATUS_SIGNED, err
}

// prunedReason is why an attempt failed whose signature x/mpc does not keep any more.
const prunedReason = "pruned"

// catchUpKey notes what became of a key, if no hook told. It takes over no purpose: since it
// should have, the authority may have decided otherwise.
func (k *Keeper) catchUpKey(ctx context.Context, key types.Key) (types.Key, error) {
	if key.Status != types.KEY_STATUS_PENDING && key.Status != types.KEY_STATUS_READY {
		return key, nil
	}
	made, err := k.mpc.Key(ctx, key.Id)
	if errors.Is(err, mpctypes.ErrPruned) {
		return key, nil // it failed, long ago
	}
	if err != nil {
		return key, err
	}
	switch {
	case made.Status == mpctypes.KEY_STATUS_DELETED:
		err = k.buryKey(ctx, &key)
	case made.Status == mpctypes.KEY_STATUS_READY && key.Status == types.KEY_STATUS_PENDING:
		err = k.beginKey(ctx, &key, made)
	}
	return key, err
}
