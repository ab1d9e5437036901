package keeper

import "context"

// keygenReadiness says whether a keygen could be asked for now, and who would take
// part. An empty owner asks for nobody in particular: only the participants are
// looked at.
func (k *Keeper) keygenReadiness(ctx context.Context, owner, module string, threshold uint32, participants []string) ([]string, error) {
	params, err := k.Params(ctx)
	if err != nil {
		return nil, err
	}
	if owner != "" {
		if err := k.mayAsk(ctx, params, owner, module); err != nil {
			return nil, err
		}
	}
	members, err := k.keygenMembers(ctx, params, threshold, participants)
	if err != nil {
		return nil, err
	}
	if owner != "" {
		if err := k.canPay(ctx, owner, module, params.KeygenFee); err != nil {
			return nil, err
		}
	}
	return operatorsOf(members), nil
}

// signReadiness says whether a signature could be asked for now, and made. An empty owner
// stands for the key's own.
func (k *Keeper) signReadiness(ctx context.Context, keyID, owner, module string) error {
	key, err := k.Key(ctx, keyID)
	if err != nil {
		return err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	if owner == "" {
		owner, module = key.Owner, key.Module
	}
	members, err := k.maySign(ctx, params, key, owner, module)
	if err != nil {
		return err
	}
	if err := key.EnoughShares(operatorsOf(members)); err != nil {
		return err
	}
	return k.canPay(ctx, owner, module, params.SignFee)
}

// reshareReadiness says whether a reshare could be asked for now, and made, and who would
// be the new committee. An empty owner stands for the key's own.
func (k *Keeper) reshareReadiness(
	ctx context.Context, keyID, owner, module string, threshold uint32, participants []string,
) ([]string, error) {
	key, err := k.Key(ctx, keyID)
	if err != nil {
		return nil, err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return nil, err
	}
	if owner == "" {
		owner, module = key.Owner, key.Module
	}
	l, err := k.mayReshare(ctx, params, key, owner, module, threshold, participants)
	if err != nil {
		return nil, err
	}
	if err := key.EnoughShares(operatorsOf(l.members)); err != nil {
		return nil, err
	}
	if err := k.canPay(ctx, owner, module, params.ReshareFee); err != nil {
		return nil, err
	}
	return l.receivers, nil
}
