package keeper

import (
	"context"
	"fmt"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// AddPolicy registers a module's check of what its keys sign. It panics if it is called
// twice for a module, without a check, or after the keeper was sealed.
func (k *Keeper) AddPolicy(module string, policy types.SignPolicy) *Keeper {
	switch _, taken := k.policies[module]; {
	case k.hooks.sealed:
		panic("x/mpc: the policy of module " + module + " comes too late; add it before the modules register their services")
	case taken:
		panic("x/mpc: the policy of module " + module + " is added twice")
	case module == "" || policy == nil:
		panic("x/mpc: a policy needs the name of a module and an implementation")
	}
	k.policies[module] = policy
	return k
}

// checkPolicies refuses what a key may not sign: by the policy that was pinned, then by
// its module's.
func (k *Keeper) checkPolicies(ctx context.Context, policy *types.KeyPolicy, c types.SignCheck) error {
	if err := checkPolicy(policy, c); err != nil {
		return types.FromReason(err)
	}
	check, ok := k.policyOf(c.Key)
	if !ok {
		return nil
	}
	err := askModule(sdk.UnwrapSDKContext(ctx), check, c)
	switch {
	case err == nil || types.ReasonOf(err) != "":
		return types.FromReason(err)
	case c.Again && types.LocalError(err):
		return fmt.Errorf("check of module %s: %w", c.Key.Module, err)
	}
	return types.ErrPolicy.Wrapf("module %s: %s", c.Key.Module, err)
}

// policyOf is the check of a key's module; false if it has none.
func (k *Keeper) policyOf(key types.Key) (types.SignPolicy, bool) {
	check, ok := k.policies[key.Module]
	return check, ok && key.Module != ""
}

// askModule gives a check as much gas when a request is made as when participants ask again:
// what was admitted and then cost more would be refused by all of them. The gas is the
// request's.
func askModule(ctx sdk.Context, check types.SignPolicy, c types.SignCheck) (err error) {
	limit := min(HookGasLimit, ctx.GasMeter().GasRemaining())
	meter := storetypes.NewGasMeter(limit)
	defer func() {
		recovered := recover()
		ctx.GasMeter().ConsumeGas(meter.GasConsumedToLimit(), "check of a module's policy")
		switch _, out := recovered.(storetypes.ErrorOutOfGas); {
		case recovered == nil:
		case out && meter.IsPastLimit() && limit == HookGasLimit:
			err = fmt.Errorf("its check takes more than %d gas", limit)
		default:
			panic(recovered)
		}
	}()
	return check.CheckSign(ctx.WithGasMeter(meter), c)
}

func checkPolicy(policy *types.KeyPolicy, c types.SignCheck) error {
	switch {
	case policy == nil:
		return nil
	case c.Decoded == nil:
		return policy.ToEngine().CheckRaw()
	}
	return policy.ToEngine().Check(c.Payload.GetTyped().Kind, c.Decoded.Claims())
}

// EngineCheckSign asks again, on behalf of a participant that is about to sign, whether
// the module of the key allows it. What a check does here has no effect, costs at most
// what a hook may, and ends nothing: a panic refuses. What this node alone could not read
// is no refusal: the error has no reason then. Where no module has a check nothing is
// decoded: the participant did so itself, and looked at the policy that was pinned.
func (k *Keeper) EngineCheckSign(ctx context.Context, id string) (err error) {
	r, err := k.openSignRequest(ctx, id)
	if err != nil {
		return err
	}
	s, err := k.Signature(ctx, id)
	if err != nil {
		return err
	}
	key, err := k.Key(ctx, s.KeyId)
	if err != nil {
		return err
	}
	if _, asks := k.policyOf(key); !asks {
		return nil
	}
	digest, decoded, err := s.Payload.Signed(k.kinds)
	if err != nil {
		return err
	}
	if string(digest) != string(s.Digest) {
		return types.FromReason(fmt.Errorf("%w: %s", mpctypes.ErrDigestDiffers, id))
	}
	cached, _ := sdk.UnwrapSDKContext(ctx).CacheContext()
	defer func() {
		switch recovered := recover(); {
		case recovered == nil:
		case types.LocalFailure(recovered):
			err = fmt.Errorf("check of module %s: %w", key.Module, panicError(recovered))
		default:
			err = types.ErrPolicy.Wrapf("module %s: %s", key.Module, panicError(recovered))
		}
	}()
	return k.checkPolicies(cached.WithGasMeter(storetypes.NewGasMeter(HookGasLimit)), r.Policy, types.SignCheck{
		Key: key, SignatureID: s.Id, Payload: s.Payload, Decoded: decoded, Digest: s.Digest, Again: true,
	})
}
