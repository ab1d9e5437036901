package keeper

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// MaxHealthChecksPerBlock is how many READY keys one block's end looks at, in the
	// order of their ids, round and round. One of 64 participants reads 130 entries of
	// the store, 10 of them 1,300: some hundredths of a second. 1,000 keys are seen every
	// 100 blocks.
	MaxHealthChecksPerBlock = 10
	// MaxOpenAutoReshares is how many reshares that the module asked for may be open when
	// it asks for another; what owners ask for takes it no room. A resharing takes each of
	// its nodes tens of seconds, and they work in order: of hundreds at once, when a
	// validator leaves, most would expire.
	MaxOpenAutoReshares = 4
	// MaxOpenRepairs is how many of these may be for nothing but a missing share. Anybody
	// can say that its share is missing, of every key that it takes part in, and spoil the
	// reshares that come of it: the keys of those who left have the other half.
	MaxOpenRepairs = MaxOpenAutoReshares / 2
)

// dueHealthChecks lists the READY keys whose turn it is. Nothing is lost that happens
// between two turns: a key is judged by what is, not by what happened to it.
func (k *Keeper) dueHealthChecks(ctx context.Context) (list []due, err error) {
	params, err := k.Params(ctx)
	if err != nil || !params.AutoReshare {
		return nil, err
	}
	ready := collections.NewPrefixedPairRange[uint32, string](uint32(types.KEY_STATUS_READY))
	place, err := k.autoResharePlace.Get(ctx)
	switch {
	case err == nil:
		ready = ready.StartExclusive(place)
	case !errors.Is(err, collections.ErrNotFound):
		return nil, fmt.Errorf("load the place of health checks: %w", err)
	}
	nothing := func(context.Context, int64) error { return nil } // its next turn comes by itself
	err = k.keys.Indexes.status.Walk(ctx, ready, func(_ uint32, id string) (bool, error) {
		list = append(list, due{
			name:   "health of key " + id,
			remove: func(ctx context.Context) error { return k.autoResharePlace.Set(ctx, id) },
			settle: func(ctx context.Context) error { return k.checkHealth(ctx, params, id) },
			enter:  nothing,
		})
		return len(list) == MaxHealthChecksPerBlock, nil
	})
	if err != nil {
		return list, fmt.Errorf("list READY keys: %w", err)
	}
	if len(list) < MaxHealthChecksPerBlock { // the round is over
		list = append(list, due{
			name:   "round of health checks",
			remove: k.autoResharePlace.Remove,
			settle: k.forgetAbsentees,
			enter:  nothing,
		})
	}
	return list, nil
}

// checkHealth asks for a reshare of a key that needs one, with the same threshold: to
// those of its participants who can go on, and to the strongest others in the place of
// the rest.
func (k *Keeper) checkHealth(ctx context.Context, params types.Params, id string) error {
	key, err := k.Key(ctx, id)
	if err != nil {
		return err
	}
	if key, err = k.noteReturn(ctx, key); err != nil {
		return err
	}
	able, may, urgent, err := k.mayCheck(ctx, key)
	if err != nil || !may {
		return err
	}
	if key.SharesLeft() <= int(key.Threshold) {
		return k.reportLost(ctx, key)
	}
	if k.rests(ctx, params, key) && len(able) > int(key.Threshold) {
		return nil
	}
	safe := int(min(key.Threshold+1+params.AutoReshareMargin, params.MaxParticipants))
	lost := shareLost(ctx, params, key)
	if len(able) == len(key.Participants) && len(able) >= safe && !lost {
		return k.waitNoMore(ctx, key)
	}
	members, err := k.nextCommittee(ctx, key, able, nextSize(params, key, safe))
	if err != nil {
		return err
	}
	if !gains(key, able, members, lost) {
		why := types.ErrTooFewParticipants.Wrapf("%d of the participants of key %s can go on, %d should, and too few are there to add", len(able), key.Id, safe)
		if lost {
			why = types.ErrTooFewParticipants.Wrapf("participants of key %s miss their share, and are left out for a while because of reshares that failed: %s",
				key.Id, strings.Join(key.MissingShares, ", "))
		}
		return k.wait(ctx, params, key, len(able), why, false)
	}
	if len(members) < min(len(key.Participants), safe) {
		if waits, err := k.awaitReturn(ctx, params, &key, able); err != nil || waits {
			return err
		}
	}
	asking := key
	if urgent {
		asking.Hasten(operatorsOf(able))
	}
	err = k.autoReshare(ctx, params, asking, members)
	switch {
	case types.ReasonOf(err) == "":
		return err
	case errors.Is(err, types.ErrTooManyPending):
		return k.wait(ctx, params, key, len(able), err, true)
	}
	return k.reportEndangered(ctx, params, key, len(able), err)
}

// mayCheck lists the participants of a key who can go on, and says whether the module may ask
// for a reshare of it in this block, and whether it does so though the key is left alone,
// because so few are left.
func (k *Keeper) mayCheck(ctx context.Context, key types.Key) (able []types.Member, may, urgent bool, err error) {
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	due := key.MayAutoReshare(height)
	if !due && !key.CouldHasten(height) {
		return nil, false, false, nil
	}
	if able, err = k.able(ctx, key); err != nil {
		return nil, false, false, err
	}
	return able, due || key.MayHasten(operatorsOf(able), height), !due, nil
}

// rests: the key was reshared a moment ago. Two validators that take each other's place
// in the set again and again must not keep everybody busy; a key whose able participants
// are too few to sign does not wait.
func (k *Keeper) rests(ctx context.Context, params types.Params, key types.Key) bool {
	return key.Epoch > 0 && !k.settled(ctx, params, key)
}

// shareLost says whether a participant needs a new share for the one that it lost. It
// gets one once in auto_reshare_pause_blocks at most, and more rarely if it loses it again
// and again: it costs nothing to say so, and saying so in every epoch must not keep all
// others busy.
func shareLost(ctx context.Context, params types.Params, key types.Key) bool {
	return key.RepairDue(sdk.UnwrapSDKContext(ctx).BlockHeight(), params.AutoResharePauseBlocks)
}

// settled: the epoch of the key began auto_reshare_pause_blocks ago.
func (k *Keeper) settled(ctx context.Context, params types.Params, key types.Key) bool {
	return sdk.UnwrapSDKContext(ctx).BlockHeight() >= key.DecidedHeight+int64(params.AutoResharePauseBlocks)
}

// able lists the participants of a key who are bonded, not jailed, and have an
// identity.
func (k *Keeper) able(ctx context.Context, key types.Key) ([]types.Member, error) {
	members := make([]types.Member, 0, len(key.Participants))
	for _, operator := range key.Participants {
		m, err := k.namedMember(ctx, operator)
		switch {
		case err == nil:
			members = append(members, m)
		case types.ReasonOf(err) == "":
			return nil, err
		}
	}
	return members, nil
}

// autoReshare asks for a reshare in the name of the key's owner. A typed error says why it
// is not possible: types.ErrTooManyPending, that there is no room for it in this block.
func (k *Keeper) autoReshare(ctx context.Context, params types.Params, key types.Key, members []types.Member) error {
	if int(key.Threshold) >= len(members) {
		return types.ErrTooFewParticipants.Wrapf("t = %d needs %d bonded registered validators, there are %d (max_participants %d)",
			key.Threshold, key.Threshold+1, len(members), params.MaxParticipants)
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	l, err := k.lineUp(ctx, key, members, true, func(operator string) bool {
		a, absent := key.Absentee(operator, height)
		return absent && a.Accused // it may end the reshare as well as help it
	})
	if err != nil {
		return err
	}
	if err := key.EnoughShares(operatorsOf(l.members)); err != nil {
		return err
	}
	id := types.AutoReshareID(key.Id, height)
	reshare := key.Reshare(id, key.Threshold, l.receivers)
	reshare.Auto = true
	if err := k.roomFor(ctx, params, reshare, key.Owner); err != nil {
		return err
	}
	asked := types.MsgKeyReshare{
		Requester: key.Owner, ReshareId: id, KeyId: key.Id, Threshold: reshare.Threshold, Participants: reshare.Participants,
	}
	hash := asked.ContentHash()
	reshare.Owner, reshare.ContentHash = key.Owner, hash[:]
	_, err = k.openReshare(ctx, params, key, reshare, l.members)
	return err
}

// roomFor says whether there is room for one more: few enough of the module's own are open,
// those for nothing but a missing share take half of the room, and the limits of open
// requests hold. An id may be taken on a chain that started anew, whose heights come again.
func (k *Keeper) roomFor(ctx context.Context, params types.Params, reshare types.Reshare, owner string) error {
	switch _, err := k.Reshare(ctx, reshare.Id); {
	case err == nil, errors.Is(err, types.ErrPruned):
		return types.ErrTooManyPending.Wrapf("another reshare has, or had, the id %s of this block", reshare.Id)
	case !errors.Is(err, types.ErrUnknownReshare):
		return err
	}
	open, repairs, err := k.openAutoReshares(ctx)
	switch {
	case err != nil:
		return err
	case open >= MaxOpenAutoReshares:
		return types.ErrTooManyPending.Wrapf("%d reshares that the module asked for are open, the limit", open)
	case reshare.Repairs() && repairs >= MaxOpenRepairs:
		return types.ErrTooManyPending.Wrapf("%d reshares that the module asked for because of a missing share are open, the limit", repairs)
	}
	return k.mayAsk(ctx, params, owner, types.ModuleName)
}

// openAutoReshares counts those that the module asked for and that are open, up to the
// limit, and those of them that it asked for because of a missing share alone.
func (k *Keeper) openAutoReshares(ctx context.Context) (open, repairs int, err error) {
	for _, status := range []types.ReshareStatus{types.RESHARE_STATUS_PENDING, types.RESHARE_STATUS_TESTING} {
		first, end := types.AutoIDs()
		of := collections.NewPrefixedPairRange[uint32, string](uint32(status)).StartInclusive(first).EndExclusive(end)
		err := k.reshares.Indexes.status.Walk(ctx, of, func(_ uint32, id string) (bool, error) {
			r, err := k.Reshare(ctx, id)
			open++
			if r.Repairs() {
				repairs++
			}
			return open >= MaxOpenAutoReshares, err
		})
		if err != nil {
			return 0, 0, fmt.Errorf("count open reshares: %w", err)
		}
	}
	return open, repairs, nil
}

// reportEndangered tells that a key needs a reshare and cannot have one now, and leaves
// it alone for a while. The key keeps that it waits, as one that is not left alone; where
// the module looks at no key, nothing would ever make it forget that.
func (k *Keeper) reportEndangered(ctx context.Context, params types.Params, key types.Key, able int, why error) error {
	again := sdk.UnwrapSDKContext(ctx).BlockHeight() + int64(params.AutoResharePauseBlocks)
	key.PauseAutoReshare(again)
	if params.AutoReshare {
		key.EndangeredHeight = again
	}
	if err := k.setKey(ctx, key); err != nil {
		return err
	}
	k.emitEndangered(ctx, key, able, why)
	return nil
}

// wait tells, once in auto_reshare_pause_blocks, that a key cannot have the reshare that
// it needs in this block. It is not left alone: it may be possible in the next one, and
// then, if the wait may well be short, nobody is told at all.
func (k *Keeper) wait(ctx context.Context, params types.Params, key types.Key, able int, why error, short bool) error {
	say, noted := key.Await(sdk.UnwrapSDKContext(ctx).BlockHeight(), params.AutoResharePauseBlocks, short)
	if say {
		k.emitEndangered(ctx, key, able, why)
	}
	if !noted {
		return nil
	}
	return k.setKey(ctx, key)
}

// waitNoMore forgets that a key waited for a reshare.
func (k *Keeper) waitNoMore(ctx context.Context, key types.Key) error {
	if key.EndangeredHeight == 0 {
		return nil
	}
	key.EndangeredHeight = 0
	return k.setKey(ctx, key)
}

// emitEndangered tells of a key; why has a typed reason of types.EndangeredReasons.
func (k *Keeper) emitEndangered(ctx context.Context, key types.Key, able int, why error) {
	k.emit(ctx, &types.EventKeyEndangered{
		KeyId: key.Id, Owner: key.Owner, Threshold: key.Threshold,
		Able: uint32(able), Participants: uint32(len(key.Participants)), Reason: why.Error(), TypedReason: string(types.ReasonOf(why)),
	})
}
