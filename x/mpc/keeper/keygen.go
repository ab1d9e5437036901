package keeper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Key returns a key; types.ErrUnknownKey if there is none, types.ErrPruned if it failed
// and there is none any more.
func (k *Keeper) Key(ctx context.Context, id string) (types.Key, error) {
	key, err := k.keys.Get(ctx, id)
	switch {
	case errors.Is(err, collections.ErrNotFound):
		return key, k.whyNone(ctx, types.REQUEST_KIND_KEYGEN, id, types.ErrUnknownKey)
	case err != nil:
		return key, fmt.Errorf("load key %s: %w", id, err)
	}
	return key, nil
}

// setKey stores a key. One that is ERROR is pruned some day after its retire height: until
// then nodes keep what they staged for it, as a rollback may bring its keygen back.
func (k *Keeper) setKey(ctx context.Context, key types.Key) error {
	if err := k.keys.Set(ctx, key.Id, key); err != nil {
		return fmt.Errorf("store key %s: %w", key.Id, err)
	}
	if key.Prunes() {
		if err := k.noteDecided(ctx, key.RetireHeight, types.REQUEST_KIND_KEYGEN, key.Id); err != nil {
			return err
		}
	}
	return k.noteKeyChange(ctx, key.Id)
}

// keyGen asks for a key for an account, or for a module of this name. The same
// again gives the stored answer.
func (k *Keeper) keyGen(ctx context.Context, msg types.MsgKeyGen, module string) (types.Key, error) {
	if err := msg.ValidateBasic(); err != nil {
		return types.Key{}, err
	}
	var err error
	if msg.Requester, msg.Participants, err = k.canonicalAsker(msg.Requester, msg.Participants); err != nil {
		return types.Key{}, err
	}
	hash := msg.ContentHash()
	stored, err := k.Key(ctx, msg.KeyId)
	if err == nil {
		return stored, sameContent(stored.ContentHash, hash, stored.Status == types.KEY_STATUS_PENDING, stored.Id)
	}
	if errors.Is(err, types.ErrPruned) {
		return types.Key{}, k.askedOfPruned(ctx, types.REQUEST_KIND_KEYGEN, msg.KeyId, hash)
	}
	if !errors.Is(err, types.ErrUnknownKey) {
		return types.Key{}, err
	}
	if err := mayName(msg.KeyId, module); err != nil {
		return types.Key{}, err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return types.Key{}, err
	}
	if err := k.mayAsk(ctx, params, msg.Requester, module); err != nil {
		return types.Key{}, err
	}
	members, err := k.keygenMembers(ctx, params, msg.Threshold, msg.Participants)
	if err != nil {
		return types.Key{}, err
	}
	if err := k.charge(ctx, msg.Requester, module, params.KeygenFee); err != nil {
		return types.Key{}, err
	}
	return k.openKeygen(ctx, params, msg, hash, module, members)
}

// openKeygen stores key and request with everything that they depend on.
func (k *Keeper) openKeygen(
	ctx context.Context, params types.Params, msg types.MsgKeyGen, hash mpctypes.Hash, module string, members []types.Member,
) (types.Key, error) {
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	key := types.Key{
		Id: msg.KeyId, Algorithm: msg.Algorithm, Threshold: msg.Threshold,
		Participants: operatorsOf(members), Status: types.KEY_STATUS_PENDING,
		Owner: msg.Requester, Module: module, RequestedHeight: height, ContentHash: hash[:],
		AllowRaw: msg.AllowRaw,
	}
	request := types.Request{
		Kind: types.REQUEST_KIND_KEYGEN, Id: key.Id, KeyId: key.Id, Algorithm: key.Algorithm,
		Threshold: key.Threshold, Members: members, Height: height,
		ExpiryHeight:  height + int64(params.KeygenLifetimeBlocks),
		AttemptBlocks: params.KeygenAttemptBlocks, StartTimeout: params.StartTimeout, Owner: key.Owner,
	}
	if err := k.setKey(ctx, key); err != nil {
		return types.Key{}, err
	}
	if err := k.openRequest(ctx, request); err != nil {
		return types.Key{}, err
	}
	k.emit(ctx, &types.EventKeyGenRequested{
		KeyId: key.Id, Owner: key.Owner, Threshold: key.Threshold,
		Participants: uint32(len(members)), ExpiryHeight: request.ExpiryHeight, AllowRaw: key.AllowRaw,
	})
	return key, nil
}

// failKey makes a PENDING key ERROR; its request is closed already.
func (k *Keeper) failKey(ctx context.Context, id string, reason mpctypes.Reason) error {
	key, err := k.Key(ctx, id)
	if err != nil {
		return err
	}
	retire, err := k.retireHeight(ctx)
	if err != nil {
		return err
	}
	if err := key.Fail(reason, sdk.UnwrapSDKContext(ctx).BlockHeight(), retire); err != nil {
		return err
	}
	if err := k.setKey(ctx, key); err != nil {
		return err
	}
	k.reportKeyFailed(ctx, key)
	return nil
}

func (k *Keeper) reportKeyFailed(ctx context.Context, key types.Key) {
	k.emit(ctx, &types.EventKeyFailed{KeyId: key.Id, Owner: key.Owner, Reason: key.Reason})
	k.runHook(ctx, hookCall{key.Module, "AfterKeyFailed", key.Id, func(ctx context.Context, h types.Hooks) error {
		return h.AfterKeyFailed(ctx, key)
	}})
}

// keygenMembers pins who takes part: those named, or, if nobody is, all bonded
// registered validators by power up to the maximum.
func (k *Keeper) keygenMembers(ctx context.Context, p types.Params, threshold uint32, named []string) ([]types.Member, error) {
	if threshold < 1 {
		return nil, types.ErrBadThreshold.Wrap("t = 0")
	}
	if len(named) == 0 {
		return k.strongestMembers(ctx, p, threshold)
	}
	if len(named) > int(p.MaxParticipants) {
		return nil, types.ErrTooManyParticipants.Wrapf("%d, max_participants is %d", len(named), p.MaxParticipants)
	}
	if int(threshold) >= len(named) {
		return nil, types.ErrBadThreshold.Wrapf("t = %d of %d participants", threshold, len(named))
	}
	members := make([]types.Member, len(named))
	for i, name := range named {
		m, err := k.namedMember(ctx, name)
		if err != nil {
			return nil, err
		}
		members[i] = m
	}
	sortMembers(members)
	for i := 1; i < len(members); i++ {
		if members[i-1].Operator == members[i].Operator {
			return nil, types.ErrDuplicateParticipant.Wrap(members[i].Operator)
		}
	}
	return members, nil
}

// namedMember checks and pins an operator that the requester named.
func (k *Keeper) namedMember(ctx context.Context, name string) (types.Member, error) {
	operator, address, err := k.operator(name)
	if err != nil {
		return types.Member{}, err
	}
	v, err := k.validator(ctx, operator, address)
	if err != nil {
		return types.Member{}, err
	}
	if !v.IsBonded() || v.IsJailed() {
		return types.Member{}, types.ErrNotBonded.Wrap(operator)
	}
	return k.member(ctx, operator)
}

// strongestMembers pins the bonded registered validators with the most power.
func (k *Keeper) strongestMembers(ctx context.Context, p types.Params, threshold uint32) ([]types.Member, error) {
	members, _, err := k.fillUp(ctx, nil, int(p.MaxParticipants), func(string) bool { return false })
	if err != nil {
		return nil, err
	}
	if int(threshold) >= len(members) {
		return nil, types.ErrTooFewParticipants.Wrapf("t = %d needs %d bonded registered validators, there are %d (max_participants %d)",
			threshold, threshold+1, len(members), p.MaxParticipants)
	}
	sortMembers(members)
	return members, nil
}

// fillUp adds the bonded registered validators with the most power to members, up to a
// size, and lists in the same order those whom it passes over on its way.
func (k *Keeper) fillUp(
	ctx context.Context, members []types.Member, size int, pass func(operator string) bool,
) (filled, passed []types.Member, err error) {
	if len(members) >= size {
		return members, nil, nil
	}
	known := make(map[string]bool, size)
	for _, m := range members {
		known[m.Operator] = true
	}
	var failed error
	err = k.staking.IterateBondedValidatorsByPower(ctx, func(_ int64, v stakingtypes.ValidatorI) bool {
		if v.IsJailed() || known[v.GetOperator()] {
			return false
		}
		m, err := k.member(ctx, v.GetOperator())
		switch {
		case err == nil && pass(m.Operator):
			passed = append(passed, m)
		case err == nil:
			members = append(members, m)
		case !errors.Is(err, types.ErrUnregistered):
			failed = err
		}
		return failed != nil || len(members) >= size
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, nil, fmt.Errorf("look for participants: %w", err)
	}
	return members, passed, nil
}

// canonicalAsker writes the addresses of who asks, and of whom it names, in their one
// form.
func (k *Keeper) canonicalAsker(requester string, named []string) (string, []string, error) {
	requester, err := k.account(requester)
	if err != nil {
		return "", nil, err
	}
	named = slices.Clone(named)
	for i, name := range named {
		if named[i], _, err = k.operator(name); err != nil {
			return "", nil, err
		}
	}
	return requester, named, nil
}

// sameContent says what asking again for an id means: nothing happens if all is
// the same, otherwise the id is taken.
func sameContent(stored []byte, asked mpctypes.Hash, pending bool, id string) error {
	switch {
	case string(stored) == string(asked[:]):
		return nil
	case pending:
		return types.ErrRequestPending.Wrap(id)
	}
	return types.ErrIDTaken.Wrap(id)
}

func sortMembers(members []types.Member) {
	slices.SortFunc(members, func(a, b types.Member) int { return strings.Compare(a.Operator, b.Operator) })
}

func operatorsOf(members []types.Member) []string {
	ops := make([]string, len(members))
	for i, m := range members {
		ops[i] = m.Operator
	}
	return ops
}
