package keeper

import (
	"context"
	"errors"
	"fmt"
	"math"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// MaxLapsesPerBlock bounds the faults that lapse in one block.
const MaxLapsesPerBlock = 1000

// faultKey names a fault: participant and place among its faults.
type faultKey = collections.Pair[string, string]

// lapseKey finds a fault by the height at which it lapses.
type lapseKey = collections.Triple[int64, string, string]

func faultKeyOf(f types.Fault) faultKey { return collections.Join(f.Participant, f.Place()) }

// ApplyEvidence checks evidence and records what it proves. After an error the
// state is undefined; callers run it in a cache context.
func (k *Keeper) ApplyEvidence(ctx context.Context, e mpctypes.Evidence) error {
	if err := k.CheckEvidence(ctx, e); err != nil {
		return err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	if err := k.addFault(ctx, types.EquivocationFault(e, height, height+int64(params.FaultBlocks))); err != nil {
		return err
	}
	if !params.JailEquivocation {
		return nil
	}
	p, err := k.Participant(ctx, string(e.Culprit()))
	if err != nil {
		return err
	}
	// Whoever stole the key of an identity that was revoked can still make such proof.
	if _, valid := p.Identity(e.IdentityVersion()); !valid {
		k.logger(ctx).Info("not jailed for what a revoked identity signed", "operator", p.Operator, "version", e.IdentityVersion())
		return nil
	}
	return k.jail(ctx, string(e.Culprit()))
}

// CheckAccusation says whether an accusation would apply to this state: both are
// members of a request that is open, the chain has none of the same two, and the
// accuser signed it. Of a refusal, which accuses who signed it, see checkRefusal.
func (k *Keeper) CheckAccusation(ctx context.Context, a *mpctypes.Accusation) error {
	if a.IsRefusal() {
		_, err := k.checkRefusal(ctx, a)
		return err
	}
	r, err := k.requestOfFault(ctx, a.Request)
	if err != nil {
		return err
	}
	m, ok := r.Member(string(a.Operator))
	if !ok || m.IdentityVersion != a.IdentityVersion {
		return types.ErrUnknownParticipant.Wrapf("%s with identity version %d is no member of %s", a.Operator, a.IdentityVersion, a.Request)
	}
	accuser, err := k.Participant(ctx, string(a.Operator))
	if err != nil {
		return err
	}
	// A reshare that goes on without the accuser still has the identity that it revoked.
	if _, valid := accuser.Identity(a.IdentityVersion); !valid {
		return types.ErrUnregistered.Wrapf("%s revoked identity version %d", a.Operator, a.IdentityVersion)
	}
	if _, ok := r.Member(string(a.Accused)); !ok {
		return types.ErrUnknownParticipant.Wrapf("%s is no member of %s", a.Accused, a.Request)
	}
	if now := r.Attempt(sdk.UnwrapSDKContext(ctx).BlockHeight()); a.Attempt > now {
		return types.ErrBadResult.Wrapf("attempt %d of %s, the chain is at %d", a.Attempt, a.Request, now)
	}
	if err := a.Verify(sdk.UnwrapSDKContext(ctx).ChainID(), m.IdentityKey); err != nil {
		return types.ErrBadResult.Wrap(err.Error())
	}
	return k.isNewFault(ctx, types.AccusationFault(a, 0, 0))
}

// ApplyAccusation checks an accusation and records it until it lapses; a refusal it notes
// with the request. After an
// error the state is undefined; callers run it in a cache context.
func (k *Keeper) ApplyAccusation(ctx context.Context, a *mpctypes.Accusation) error {
	if a.IsRefusal() {
		return k.applyRefusal(ctx, a)
	}
	if err := k.CheckAccusation(ctx, a); err != nil {
		return err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	return k.addFault(ctx, types.AccusationFault(a, height, height+int64(params.FaultBlocks)))
}

// requestOfFault loads the open request of which somebody is accused. What comes
// after the decision comes too late: who the members were is not known any more, and an
// accusation is for the next attempts.
func (k *Keeper) requestOfFault(ctx context.Context, id mpctypes.RequestID) (types.Request, error) {
	r, open, err := k.waiting(ctx, requestKeyOf(id))
	switch {
	case err != nil:
		return r, err
	case open:
		return r, nil
	}
	switch id.Kind {
	case mpctypes.KindKeygen, mpctypes.KindSign, mpctypes.KindReshare:
		return r, k.whyClosed(ctx, id)
	}
	return r, types.ErrUnknownRequest.Wrap(id.String())
}

func (k *Keeper) isNewFault(ctx context.Context, f types.Fault) error {
	known, err := k.faults.Has(ctx, faultKeyOf(f))
	switch {
	case err != nil:
		return fmt.Errorf("look up fault: %w", err)
	case known:
		return types.ErrAlreadyDecided.Wrapf("%s of %s", f.Place(), f.Participant)
	}
	return nil
}

// addFault records a fault and tells everybody who wants to know.
func (k *Keeper) addFault(ctx context.Context, f types.Fault) error {
	if err := k.setFault(ctx, f); err != nil {
		return err
	}
	k.emit(ctx, &types.EventFault{
		Kind: f.Kind, Participant: f.Participant, Accuser: f.Accuser, Reason: f.Reason,
		RequestKind: f.RequestKind, RequestId: f.RequestId, Session: hexOf(f.Session),
	})
	return k.runResultFaultHooks(ctx, f)
}

func (k *Keeper) setFault(ctx context.Context, f types.Fault) error {
	if err := k.faults.Set(ctx, faultKeyOf(f), f); err != nil {
		return fmt.Errorf("store fault of %s: %w", f.Participant, err)
	}
	if err := k.faultLapses.Set(ctx, collections.Join3(f.LapseHeight, f.Participant, f.Place())); err != nil {
		return fmt.Errorf("index fault of %s by its lapse: %w", f.Participant, err)
	}
	if f.Kind != types.FAULT_KIND_EQUIVOCATION {
		return nil
	}
	return k.countProof(ctx, f.Participant, true)
}

// atAnyTime is before each height: a chain that starts anew has what was recorded before its
// first block at 0 and below.
const atAnyTime = math.MinInt64

// accusersOf finds those who accuse an operator of something that counts, and was recorded
// after a height.
func (k *Keeper) accusersOf(ctx context.Context, operator string, among []string, since int64) ([]string, error) {
	var accusers []string
	for _, accuser := range among {
		f := types.Fault{Kind: types.FAULT_KIND_ACCUSATION, Participant: operator, Accuser: accuser}
		known, err := k.faults.Get(ctx, faultKeyOf(f))
		switch {
		case errors.Is(err, collections.ErrNotFound):
		case err != nil:
			return nil, fmt.Errorf("look up fault of %s: %w", operator, err)
		case known.Height > since:
			accusers = append(accusers, accuser)
		}
	}
	return accusers, nil
}

// jail takes a validator out of the set. One that is there no more, is jailed, or is
// the last one is left as it is: CometBFT stops for ever with an empty set.
func (k *Keeper) jail(ctx context.Context, operator string) error {
	canonical, address, err := k.operator(operator)
	if err != nil {
		return err
	}
	v, err := k.validator(ctx, canonical, address)
	if err != nil || v.IsJailed() {
		k.logger(ctx).Info("nobody to jail", "operator", canonical, "err", err)
		return nil
	}
	last, err := k.lastValidator(ctx, canonical)
	if err != nil {
		return err
	}
	if last {
		k.logger(ctx).Error("not jailed, no other validator is left; jail it by governance when there is one", "operator", canonical)
		return nil
	}
	consensus, err := v.GetConsAddr()
	if err != nil {
		return fmt.Errorf("consensus address of %s: %w", canonical, err)
	}
	if err := k.slashing.Jail(ctx, consensus); err != nil {
		return fmt.Errorf("jail %s: %w", canonical, err)
	}
	return nil
}

// lastValidator: there is no other that is bonded and not jailed.
func (k *Keeper) lastValidator(ctx context.Context, operator string) (bool, error) {
	last := true
	err := k.staking.IterateBondedValidatorsByPower(ctx, func(_ int64, v stakingtypes.ValidatorI) bool {
		last = v.IsJailed() || v.GetOperator() == operator
		return !last
	})
	if err != nil {
		return false, fmt.Errorf("look for other validators: %w", err)
	}
	return last, nil
}

// dueFaults lists the faults that lapse, the oldest first, up to the limit.
// Accusations are forgotten; proof stays and only stops to count.
func (k *Keeper) dueFaults(ctx context.Context) (list []due, err error) {
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	err = k.faultLapses.Walk(ctx, collections.NewPrefixUntilTripleRange[int64, string, string](height),
		func(at lapseKey) (bool, error) {
			list = append(list, due{
				name:   "fault " + at.K3() + " of " + at.K2(),
				remove: func(ctx context.Context) error { return k.faultLapses.Remove(ctx, at) },
				settle: func(ctx context.Context) error { return k.lapse(ctx, collections.Join(at.K2(), at.K3())) },
				enter: func(ctx context.Context, height int64) error {
					return k.faultLapses.Set(ctx, collections.Join3(height, at.K2(), at.K3()))
				},
			})
			return len(list) == MaxLapsesPerBlock, nil
		})
	if err != nil {
		return list, fmt.Errorf("list faults that lapse: %w", err)
	}
	return list, nil
}

func (k *Keeper) lapse(ctx context.Context, id faultKey) error {
	f, err := k.faults.Get(ctx, id)
	if err != nil {
		return fmt.Errorf("load fault: %w", err)
	}
	if f.Kind != types.FAULT_KIND_ACCUSATION {
		return k.countProof(ctx, f.Participant, false)
	}
	if err := k.faults.Remove(ctx, id); err != nil {
		return fmt.Errorf("forget fault: %w", err)
	}
	return nil
}
