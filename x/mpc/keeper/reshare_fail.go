package keeper

import (
	"context"
	"fmt"
	"strings"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// failReshare makes an open reshare ERROR; its request, or that of its test, is
// closed already. The key goes on as it is.
func (k *Keeper) failReshare(ctx context.Context, id string, reason mpctypes.Reason, absent []types.Absentee) error {
	reshare, err := k.Reshare(ctx, id)
	if err != nil {
		return err
	}
	key, err := k.Key(ctx, reshare.KeyId)
	if err != nil {
		return err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	if err := reshare.Fail(reason, height); err != nil {
		return err
	}
	key.DropReshare(height + int64(params.RetireBlocks))
	key.FailAutoReshare(absent, height, params.AutoResharePauseBlocks)
	if err := k.setReshare(ctx, reshare); err != nil {
		return err
	}
	if err := k.setKey(ctx, key); err != nil {
		return err
	}
	k.emit(ctx, &types.EventReshareFailed{ReshareId: reshare.Id, KeyId: key.Id, Owner: reshare.Owner, Reason: reshare.Reason})
	if err := k.reportFailures(ctx, key, reshare, absent); err != nil {
		return err
	}
	k.runReshareHook(ctx, reshare, "AfterReshareFailed", func(ctx context.Context, h types.ReshareHooks) error {
		return h.AfterReshareFailed(ctx, reshare)
	})
	return nil
}

// reportFailures tells that a reshare which the module asked for expired, if it was not
// the first one in this epoch: by itself the module does not get any further.
func (k *Keeper) reportFailures(ctx context.Context, key types.Key, reshare types.Reshare, absent []types.Absentee) error {
	if !reshare.Auto || reshare.Reason != string(mpctypes.ErrExpired) || key.FailedReshares < 2 {
		return nil
	}
	able, err := k.able(ctx, key)
	if err != nil {
		return err
	}
	who := "nobody knows who"
	if len(absent) > 0 {
		names := make([]string, len(absent))
		for i, a := range absent {
			names[i] = a.Operator
		}
		who = strings.Join(names, ", ")
	}
	k.emitEndangered(ctx, key, len(able), fmt.Errorf("%d reshares of this epoch failed, and %s did not come to the last one: %w: %s",
		key.FailedReshares, who, mpctypes.ErrExpired, mpctypes.ErrExpired.Remedy()))
	return nil
}

// absentFrom lists who did not come to a reshare that expired before all of its committee
// had a share; nobody, if the request is none or fails for another reason. It looks for at
// most 64 accusations of each of 64.
func (k *Keeper) absentFrom(ctx context.Context, r types.Request, reason mpctypes.Reason) ([]types.Absentee, error) {
	expired := reason == mpctypes.ErrExpired
	if r.Kind != types.REQUEST_KIND_RESHARE || !expired {
		return nil, nil
	}
	reshare, err := k.Reshare(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	attested, err := k.attestedReshare(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	came := make(map[string]bool, len(attested))
	for _, operator := range attested {
		came[operator] = true
	}
	var suspects []types.Suspect
	for _, operator := range reshare.Participants {
		if came[operator] {
			continue
		}
		accusers, err := k.accusersOf(ctx, operator, reshare.OldParticipants)
		if err != nil {
			return nil, err
		}
		suspects = append(suspects, types.Suspect{Operator: operator, Accusers: accusers})
	}
	return reshare.Absent(suspects), nil
}

// attestedReshare lists who attested something for an open reshare, ascending. Its
// attestations go when it is tested.
func (k *Keeper) attestedReshare(ctx context.Context, id string) ([]string, error) {
	var operators []string
	of := collections.NewSuperPrefixedQuadRange[uint32, string, string, uint32](uint32(types.REQUEST_KIND_RESHARE), id)
	err := k.attestedAttempts.Walk(ctx, of, func(at attemptKey) (bool, error) {
		if n := len(operators); n == 0 || operators[n-1] != at.K3() { // they come by operator
			operators = append(operators, at.K3())
		}
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list who attested reshare %s: %w", id, err)
	}
	return operators, nil
}
