package keeper

import (
	"bytes"
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	coretypes "github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

var _ mpctypes.SignPolicy = (*Keeper)(nil)

// CheckSign implements mpctypes.SignPolicy: the module's keys sign the newest attempts of
// its open transactions, to the byte, and nothing else. x/mpc asks when the module itself
// asks for a signature, and each participant asks again before it signs: then the
// transaction may have been included meanwhile, and is not signed any more.
//
// A transaction that is new must be within the parameters, too. One that offers more than
// before keeps the contract that it had: the nonce must be used up. Its fee and gas are of the
// parameters of the block that added the attempt, see types.Transaction.Retry.
func (k *Keeper) CheckSign(ctx context.Context, c mpctypes.SignCheck) error {
	t, err := k.signedBy(ctx, c.SignatureID)
	if err != nil {
		return err
	}
	attempt := *t.Current()
	want, err := t.Payload(attempt)
	switch {
	case err != nil:
		return err
	case c.Key.Id != t.KeyId || !samePayload(want, c.Payload):
		return types.ErrNotOurs.Wrapf("signature %s is not of transaction %d", c.SignatureID, t.Id)
	case attempt.Number > 1 || c.Again:
		return nil
	}
	limits, err := k.limits(ctx, t.Purpose)
	if err != nil {
		return err
	}
	return limits.Check(ethereum.TransactionKind, c.Decoded.Claims())
}

// limits is what the parameters allow a purpose.
func (k *Keeper) limits(ctx context.Context, purpose types.Purpose) (*coretypes.Policy, error) {
	p, err := k.Params(ctx)
	if err != nil {
		return nil, err
	}
	destination, ok := p.Destination(purpose)
	if !ok {
		return nil, types.ErrNotConfigured.Wrap(purpose.String())
	}
	fee := new(big.Int).Mul(new(big.Int).SetUint64(p.MaxFeePerGas), new(big.Int).SetUint64(p.GasLimit))
	return &coretypes.Policy{
		Kinds: []string{ethereum.TransactionKind}, ChainIDs: []string{fmt.Sprint(p.ChainId)}, To: []string{destination.Contract},
		Calls: []string{hexutil.Encode(destination.Selector())}, MaxValue: new(big.Int), MaxFee: fee,
	}, nil
}

func samePayload(a, b mpctypes.SignPayload) bool {
	x, y := a.GetTyped(), b.GetTyped()
	return x != nil && y != nil && x.Kind == y.Kind && bytes.Equal(x.Data, y.Data)
}
