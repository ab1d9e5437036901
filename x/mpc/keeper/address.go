package keeper

import (
	"github.com/sequencer-mpc/sequencer/x/mpc/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Bech32 lets an address be written in upper case, too. State knows only the
// form that the codecs write, so that one account is one owner.

// operator parses a validator operator address and returns its one form.
func (k *Keeper) operator(address string) (string, sdk.ValAddress, error) {
	bz, err := k.validatorCodec.StringToBytes(address)
	if err != nil {
		return "", nil, types.ErrUnknownParticipant.Wrapf("%q is no operator address: %s", clip(address, maxShownAddress), err)
	}
	canonical, err := k.validatorCodec.BytesToString(bz)
	if err != nil {
		return "", nil, types.ErrUnknownParticipant.Wrapf("operator address: %s", err)
	}
	return canonical, bz, nil
}

// account parses an account address and returns its one form.
func (k *Keeper) account(address string) (string, error) {
	bz, err := k.accountCodec.StringToBytes(address)
	if err != nil {
		return "", types.ErrBadAddress.Wrapf("%q is no account address: %s", clip(address, maxShownAddress), err)
	}
	return k.accountCodec.BytesToString(bz)
}

// requireAccount says whether state may hold an account address: it is in its one form.
func (k *Keeper) requireAccount(address string) error {
	canonical, err := k.account(address)
	if err != nil {
		return err
	}
	if canonical != address {
		return types.ErrBadAddress.Wrapf("%q is not the form %q", address, canonical)
	}
	return nil
}

// requireOperators is the same for the addresses of operators.
func (k *Keeper) requireOperators(addresses ...string) error {
	for _, address := range addresses {
		canonical, _, err := k.operator(address)
		if err != nil {
			return err
		}
		if canonical != address {
			return types.ErrBadAddress.Wrapf("%q is not the form %q", address, canonical)
		}
	}
	return nil
}

// maxShownAddress bounds what of a wrong address is repeated in an error.
const maxShownAddress = 90
