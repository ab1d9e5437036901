package keeper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Who is jailed for downtime has its share, and is back in some minutes. A reshare to those
// who are left takes the share from it for good: the key would be without any redundancy
// where there is nobody to add. So the module waits for a while before it does that.

// noteReturn forgets that a key waited for participants to come back, once all can go on,
// also while the module leaves the key alone: who is jailed when that is over is waited for
// as long as anybody.
func (k *Keeper) noteReturn(ctx context.Context, key types.Key) (types.Key, error) {
	if key.ReturnHeight == 0 {
		return key, nil
	}
	able, err := k.able(ctx, key)
	if err != nil || len(able) < len(key.Participants) {
		return key, err
	}
	key.ForgetReturn()
	return key, k.setKey(ctx, key)
}

// awaitReturn says whether a key is not reshared to fewer than it should have yet, since
// participants may be back: auto_reshare_pause_blocks from when one more of them was jailed,
// when it tells of the key. A key whose able participants have too few shares to sign does
// not wait.
func (k *Keeper) awaitReturn(ctx context.Context, params types.Params, key *types.Key, able []types.Member) (bool, error) {
	if key.EnoughShares(operatorsOf(able)) != nil {
		return false, nil //nolint:nilerr // then it must not wait
	}
	away, err := k.mayReturn(ctx, *key)
	if err != nil {
		return false, err
	}
	if len(away) == 0 { // who was waited for is back, or gone: the next one has its time anew
		if key.ReturnHeight == 0 {
			return false, nil
		}
		key.ForgetReturn()
		return false, k.setKey(ctx, *key)
	}
	waits, began := key.AwaitReturn(away, sdk.UnwrapSDKContext(ctx).BlockHeight(), params.AutoResharePauseBlocks)
	if !began {
		return waits, nil
	}
	key.EndangeredHeight = key.ReturnHeight
	if err := k.setKey(ctx, *key); err != nil {
		return false, err
	}
	k.emitEndangered(ctx, *key, len(able), types.ErrTooFewParticipants.Wrapf(
		"%d of the %d participants of key %s can go on, and too few are there to add; it is reshared to fewer at height %d, if none of those is back who are jailed: %s",
		len(able), len(key.Participants), key.Id, key.ReturnHeight, strings.Join(away, ", ")))
	return waits, nil
}

// mayReturn lists the participants of a key who are jailed and may be back with their shares.
func (k *Keeper) mayReturn(ctx context.Context, key types.Key) (away []string, err error) {
	for _, operator := range key.Participants {
		may, err := k.mayBeBack(ctx, key, operator)
		if err != nil {
			return nil, err
		}
		if may {
			away = append(away, operator)
		}
	}
	return away, nil
}

// mayBeBack: a participant is jailed, not for ever, has stake that is bound and an identity,
// and did not say that its share is missing.
func (k *Keeper) mayBeBack(ctx context.Context, key types.Key, operator string) (bool, error) {
	if slices.Contains(key.MissingShares, operator) {
		return false, nil
	}
	canonical, address, err := k.operator(operator)
	if err != nil {
		return false, err
	}
	v, err := k.validator(ctx, canonical, address)
	switch {
	case errors.Is(err, types.ErrUnknownParticipant):
		return false, nil
	case err != nil:
		return false, err
	case !v.IsJailed() || v.IsUnbonded() || !v.GetTokens().IsPositive():
		return false, nil
	}
	consensus, err := v.GetConsAddr()
	if err != nil {
		return false, fmt.Errorf("consensus address of %s: %w", canonical, err)
	}
	if k.slashing != nil && k.slashing.IsTombstoned(ctx, consensus) {
		return false, nil
	}
	_, err = k.member(ctx, operator)
	if errors.Is(err, types.ErrUnregistered) {
		return false, nil
	}
	return err == nil, err
}
