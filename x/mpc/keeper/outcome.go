package keeper

import (
	"context"
	"errors"

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
