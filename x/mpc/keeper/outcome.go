package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// EngineOutcome reads how a request of a key, a signature or a reshare ended, with the
// zero outcome while it did not. False if the chain does not know it, as after a rollback,
// or not any more.
//
// A key's block may be that which began a later epoch.
func (k *Keeper) EngineOutcome(ctx context.Context, id mpctypes.RequestID) (out mpctypes.Outcome, known bool, err error) {
	switch id.Kind {
	case mpctypes.KindKeygen:
		var key types.Key
		key, err = k.Key(ctx, id.ID)
		out = mpctypes.Outcome{Height: key.DecidedHeight, Reason: mpctypes.Reason(key.Reason)}
	case mpctypes.KindSign:
		var s types.Signature
		s, err = k.Signature(ctx, id.ID)
		out = mpctypes.Outcome{Height: s.DecidedHeight, Reason: mpctypes.Reason(s.Reason)}
	case mpctypes.KindReshare:
		var r types.Reshare
		r, err = k.Reshare(ctx, id.ID)
		out = mpctypes.Outcome{Height: r.DecidedHeight, Reason: mpctypes.Reason(r.Reason)}
	default:
		return mpctypes.Outcome{}, false, nil
	}
	for _, unknown := range []error{types.ErrUnknownKey, types.ErrUnknownSignature, types.ErrPruned, types.ErrUnknownReshare} {
		if errors.Is(err, unknown) {
			return mpctypes.Outcome{}, false, nil
		}
	}
	return out, err == nil, err
}

// EngineFailedSigns lists, the newest first, the signatures that failed among the last decided
// ones, of which it looks at so many. Tests of new shares are none of them.
func (k *Keeper) EngineFailedSigns(ctx context.Context, looks int) (ids []string, err error) {
	newest := new(collections.Range[collections.Pair[int64, string]]).Descending()
	err = k.decidedSignatures.Walk(ctx, newest, func(at collections.Pair[int64, string]) (bool, error) {
		if looks--; looks < 0 {
			return true, nil
		}
		s, err := k.Signature(ctx, at.K2())
		if err != nil {
			k.unreadable(ctx, "signature "+at.K2(), err)
			return false, nil
		}
		if s.Status == types.SIGNATURE_STATUS_ERROR {
			ids = append(ids, s.Id)
		}
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list signatures that failed: %w", err)
	}
	return ids, nil
}
