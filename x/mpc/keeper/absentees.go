package keeper

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Whoever is bonded and dead would keep a reshare of each key from its end in turn, until
// each key found out by itself. So what one key found out of an operator the others go by as
// well, where they choose newcomers: of their own participants each has its own word.
//
// A committee of conspirators can tell lies that way. So only reshares count that the module
// asked for, whose newcomers nobody chooses; a key of threshold t goes by what more than t
// said alone; and never is somebody shut out: all others come first.

// noteAbsentees lets all keys know who was accused of not coming to a reshare of this one.
func (k *Keeper) noteAbsentees(ctx context.Context, key types.Key, absent []types.Absentee) error {
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	for _, a := range absent {
		noted, known := key.Absentee(a.Operator, height)
		if !known || !noted.Accused {
			continue
		}
		before, err := k.absentee(ctx, a.Operator)
		if err != nil {
			return err
		}
		if err := k.setAbsentee(ctx, noted.Joined(before, height)); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) setAbsentee(ctx context.Context, a types.Absentee) error {
	if err := k.absentees.Set(ctx, a.Operator, a); err != nil {
		return fmt.Errorf("note the absence of %s: %w", a.Operator, err)
	}
	return nil
}

// absentee is what is noted of an operator; zero if nothing is.
func (k *Keeper) absentee(ctx context.Context, operator string) (types.Absentee, error) {
	a, err := k.absentees.Get(ctx, operator)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return types.Absentee{}, fmt.Errorf("look up the absence of %s: %w", operator, err)
	}
	return a, nil
}

// heeding is a key with those among its absentees, too, who did not come to reshares of
// other keys. It is for choosing its next committee, and not to be stored.
func (k *Keeper) heeding(ctx context.Context, key types.Key) (types.Key, error) {
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	key.Absentees = slices.Clone(key.Absentees)
	err := k.absentees.Walk(ctx, nil, func(_ string, a types.Absentee) (bool, error) {
		key.Heed(a, height)
		return false, nil
	})
	if err != nil {
		return key, fmt.Errorf("list absentees: %w", err)
	}
	return key, nil
}

// forgiveAbsentees forgets what was noted of those who came.
func (k *Keeper) forgiveAbsentees(ctx context.Context, operators []string) error {
	for _, operator := range operators {
		if err := k.absentees.Remove(ctx, operator); err != nil {
			return fmt.Errorf("forget the absence of %s: %w", operator, err)
		}
	}
	return nil
}

// forgetAbsentees forgets those whose time has passed. There is at most one for each
// registered validator.
func (k *Keeper) forgetAbsentees(ctx context.Context) error {
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	var passed []string
	err := k.absentees.Walk(ctx, nil, func(operator string, a types.Absentee) (bool, error) {
		if a.UntilHeight <= height {
			passed = append(passed, operator)
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("list absentees: %w", err)
	}
	return k.forgiveAbsentees(ctx, passed)
}
