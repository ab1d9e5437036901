package keeper

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common/hexutil"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// x/mpc tells the module what became of its keys and signatures.
var _ mpctypes.Hooks = (*Keeper)(nil)

// AfterKeyReady implements mpctypes.Hooks: the key takes over the purposes that it was made
// for. A hook that had to wait may come after catchUpKey, and after the end of the key: then
// nothing is left to do.
func (k *Keeper) AfterKeyReady(ctx context.Context, made mpctypes.Key) error {
	key, err := k.Key(ctx, made.Id)
	if err != nil || key.Status != types.KEY_STATUS_PENDING {
		return err
	}
	takes := key.Takes
	if err := k.beginKey(ctx, &key, made); err != nil {
		return err
	}
	for _, purpose := range takes {
		if err := k.setPurpose(ctx, purpose, key.Id); err != nil {
			return err
		}
	}
	return nil
}

// beginKey makes a key READY, with the address that x/mpc's key has.
func (k *Keeper) beginKey(ctx context.Context, key *types.Key, made mpctypes.Key) (err error) {
	if key.Address, err = mpctypes.EthereumAddress(made.PublicKey); err != nil {
		return err
	}
	key.Status, key.Takes = types.KEY_STATUS_READY, nil
	return k.changeKey(ctx, *key)
}

// AfterKeyFailed implements mpctypes.Hooks: its purposes stay where they are.
func (k *Keeper) AfterKeyFailed(ctx context.Context, failed mpctypes.Key) error {
	key, err := k.Key(ctx, failed.Id)
	if err != nil {
		return err
	}
	key.Status, key.Takes, key.Reason = types.KEY_STATUS_FAILED, nil, failed.Reason
	return k.changeKey(ctx, key)
}

// AfterKeyDeleted implements mpctypes.Hooks: its purposes have no key any more.
func (k *Keeper) AfterKeyDeleted(ctx context.Context, deleted mpctypes.Key) error {
	key, err := k.Key(ctx, deleted.Id)
	if err != nil {
		return err
	}
	return k.buryKey(ctx, &key)
}

// buryKey makes a key DELETED, and takes its purposes from it.
func (k *Keeper) buryKey(ctx context.Context, key *types.Key) error {
	key.Status, key.Takes = types.KEY_STATUS_DELETED, nil
	if err := k.changeKey(ctx, *key); err != nil {
		return err
	}
	for _, purpose := range types.Purposes() {
		line, err := k.line(ctx, purpose)
		if err != nil {
			return err
		}
		if line.KeyId != key.Id {
			continue
		}
		if err := k.setPurpose(ctx, purpose, ""); err != nil {
			return err
		}
	}
	return nil
}

// AfterSignatureReady implements mpctypes.Hooks: the transaction can be sent.
func (k *Keeper) AfterSignatureReady(ctx context.Context, s mpctypes.Signature) error {
	return k.afterSignature(ctx, s)
}

// AfterSignFailed implements mpctypes.Hooks: MsgBumpFee asks again.
func (k *Keeper) AfterSignFailed(ctx context.Context, s mpctypes.Signature) error {
	return k.afterSignature(ctx, s)
}

// afterSignature notes it, unless another attempt was included before, or catchUp came before
// a hook that had to wait.
func (k *Keeper) afterSignature(ctx context.Context, s mpctypes.Signature) error {
	t, err := k.signedBy(ctx, s.Id)
	switch {
	case errors.Is(err, types.ErrAlreadyIncluded), errors.Is(err, types.ErrPruned), t.After(s.Id):
		return nil
	case err != nil:
		return err
	case t.Current().Status != types.ATTEMPT_STATUS_SIGNING:
		return nil
	}
	if err := k.decideAttempt(ctx, &t, s); err != nil {
		return err
	}
	return k.setTransaction(ctx, t)
}

// decideAttempt notes in the newest attempt what became of its signature. Nothing, as long
// as x/mpc does not know.
func (k *Keeper) decideAttempt(ctx context.Context, t *types.Transaction, s mpctypes.Signature) error {
	a := t.Current()
	switch s.Status {
	case mpctypes.SIGNATURE_STATUS_READY:
		finished, ok, err := k.mpc.Finished(ctx, s)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("signature %s is READY without a signed transaction", s.Id)
		}
		a.Status, a.Raw, a.Hash = types.ATTEMPT_STATUS_SIGNED, finished.Raw, hexutil.Encode(finished.Hash)
		k.emit(ctx, &types.EventTransactionSigned{TransactionId: t.Id, Attempt: a.Number, Hash: a.Hash})
	case mpctypes.SIGNATURE_STATUS_ERROR:
		a.Status, a.Reason = types.ATTEMPT_STATUS_FAILED, s.Reason
		k.emit(ctx, &types.EventSignatureFailed{TransactionId: t.Id, Attempt: a.Number, Reason: a.Reason})
	default:
		return nil
	}
	a.DecidedHeight = sdk.UnwrapSDKContext(ctx).BlockHeight()
	return nil
}

// signedBy is the transaction whose newest attempt waits for a signature. An included
// one's is of no use any more, and is refused.
func (k *Keeper) signedBy(ctx context.Context, signatureID string) (types.Transaction, error) {
	id, _, ok := types.ParseSignatureID(signatureID)
	if !ok {
		return types.Transaction{}, types.ErrNotOurs.Wrapf("signature %.80q", signatureID)
	}
	t, err := k.Transaction(ctx, id)
	switch {
	case err != nil:
		return t, err
	case t.Status != types.TRANSACTION_STATUS_OPEN:
		return t, types.ErrAlreadyIncluded.Wrapf("transaction %d", id)
	case t.Current().SignatureId != signatureID:
		return t, types.ErrNotOurs.Wrapf("%s is not the newest attempt of transaction %d", signatureID, id)
	}
	return t, nil
}
