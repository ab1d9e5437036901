package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// newTransaction makes the transaction that settles a batch, with the next nonce of the
// line's key, and asks for its signature.
func (k *Keeper) newTransaction(ctx context.Context, line types.Line, batch uint64, r types.Range) (uint64, error) {
	params, err := k.Params(ctx)
	if err != nil {
		return 0, err
	}
	destination, ok := params.Destination(line.Purpose)
	if !ok || line.KeyId == "" {
		return 0, types.ErrNotConfigured.Wrap(line.Purpose.String())
	}
	nonce, err := k.takeNonce(ctx, params, line.KeyId)
	if err != nil {
		return 0, err
	}
	id, err := k.nextID(ctx)
	if err != nil {
		return 0, err
	}
	t := types.Transaction{
		Id: id, Purpose: line.Purpose, Batch: batch, KeyId: line.KeyId, Nonce: nonce, ChainId: params.ChainId,
		Contract: destination.Contract, Data: destination.Call(r),
		Status: types.TRANSACTION_STATUS_OPEN, CreatedHeight: sdk.UnwrapSDKContext(ctx).BlockHeight(),
	}
	before, err := k.offered(ctx, line.KeyId)
	if err != nil {
		return 0, err
	}
	t.Begin(params, before)
	if err := k.open.Set(ctx, collections.Join(t.KeyId, t.Nonce), t.Id); err != nil {
		return 0, fmt.Errorf("index transaction %d: %w", t.Id, err)
	}
	return t.Id, k.askSignature(ctx, t)
}

// takeNonce is the next nonce of a key. Nobody but the module has the key sign, so nonces
// are counted here and never read from the other chain; so they are of one chain, that of the
// first one.
func (k *Keeper) takeNonce(ctx context.Context, params types.Params, keyID string) (uint64, error) {
	key, err := k.readyKey(ctx, keyID)
	if err != nil {
		return 0, err
	}
	if key.ChainId != 0 && key.ChainId != params.ChainId {
		return 0, types.ErrOtherChain.Wrapf("key %s has %d nonces on chain %d, chain_id is %d", keyID, key.NextNonce, key.ChainId, params.ChainId)
	}
	open := 0
	err = k.open.Walk(ctx, collections.NewPrefixedPairRange[string, uint64](keyID), func(collections.Pair[string, uint64], uint64) (bool, error) {
		open++
		return false, nil
	})
	switch {
	case err != nil:
		return 0, fmt.Errorf("count the open transactions of key %s: %w", keyID, err)
	case open >= int(params.MaxOpen):
		return 0, types.ErrTooManyOpen.Wrapf("key %s has %d", keyID, open)
	}
	nonce := key.NextNonce
	key.NextNonce, key.ChainId = nonce+1, params.ChainId
	return nonce, k.setKey(ctx, key)
}

func (k *Keeper) nextID(ctx context.Context) (uint64, error) {
	last, err := k.lastID(ctx)
	if err != nil {
		return 0, err
	}
	return last + 1, k.transactionID.Set(ctx, last+1)
}

// lastID is that of the newest transaction; 0 if there was none.
func (k *Keeper) lastID(ctx context.Context) (uint64, error) {
	last, err := k.transactionID.Get(ctx)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return 0, fmt.Errorf("load the id of the last transaction: %w", err)
	}
	return last, nil
}

// askSignature asks for the signature of the newest attempt. The transaction is stored
// first: CheckSign looks for it.
func (k *Keeper) askSignature(ctx context.Context, t types.Transaction) error {
	if err := k.setTransaction(ctx, t); err != nil {
		return err
	}
	attempt := *t.Current()
	payload, err := t.Payload(attempt)
	if err != nil {
		return err
	}
	if _, err := k.mpc.KeySign(ctx, attempt.SignatureId, t.KeyId, payload); err != nil {
		return err
	}
	k.emit(ctx, &types.EventSignatureAsked{TransactionId: t.Id, KeyId: t.KeyId, Nonce: t.Nonce, Attempt: attempt})
	return nil
}

// bumpFee asks for a transaction's signature again. If it is there, and only nobody told, it
// says what that offers.
func (k *Keeper) bumpFee(ctx context.Context, operator string, id uint64) (types.Attempt, error) {
	if _, _, err := k.voter(ctx, operator); err != nil {
		return types.Attempt{}, err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return types.Attempt{}, err
	}
	t, err := k.Transaction(ctx, id)
	if err != nil {
		return types.Attempt{}, err
	}
	switch signed, err := k.catchUp(ctx, &t); {
	case err != nil:
		return types.Attempt{}, err
	case signed:
		return *t.Current(), k.setTransaction(ctx, t)
	}
	first, err := k.firstOpen(ctx, t.KeyId)
	if err != nil {
		return types.Attempt{}, err
	}
	before, err := k.offered(ctx, t.KeyId)
	if err != nil {
		return types.Attempt{}, err
	}
	if err := t.Retry(params, sdk.UnwrapSDKContext(ctx).BlockHeight(), first == id, before); err != nil {
		return types.Attempt{}, err
	}
	return *t.Current(), k.askSignature(ctx, t)
}

// firstOpen is the transaction of a key that the other chain can include next; 0 if there
// is none.
func (k *Keeper) firstOpen(ctx context.Context, keyID string) (first uint64, err error) {
	err = k.open.Walk(ctx, collections.NewPrefixedPairRange[string, uint64](keyID), func(_ collections.Pair[string, uint64], id uint64) (bool, error) {
		first = id
		return true, nil
	})
	if err != nil {
		return 0, fmt.Errorf("look for the first open transaction of key %s: %w", keyID, err)
	}
	return first, nil
}

// giveUp refuses where a transaction settled its batch, or still may.
func (k *Keeper) giveUp(ctx context.Context, id uint64) error {
	t, err := k.Transaction(ctx, id)
	if err != nil {
		return err
	}
	if t.Status == types.TRANSACTION_STATUS_REVERTED {
		if err := k.setDone(ctx, &t); err != nil {
			return err
		}
		return k.setTransaction(ctx, t)
	}
	key, err := k.Key(ctx, t.KeyId)
	if err == nil {
		key, err = k.catchUpKey(ctx, key)
	}
	switch {
	case err != nil:
		return err
	case t.Status != types.TRANSACTION_STATUS_OPEN || key.Status != types.KEY_STATUS_DELETED:
		return types.ErrNotReverted.Wrapf("transaction %d is %s", t.Id, t.Status)
	}
	t.Status = types.TRANSACTION_STATUS_ABANDONED
	if err := k.setDone(ctx, &t); err != nil {
		return err
	}
	return k.closeTransaction(ctx, t)
}

// closeTransaction stores a transaction that waits for nothing any more.
func (k *Keeper) closeTransaction(ctx context.Context, t types.Transaction) error {
	if err := k.open.Remove(ctx, collections.Join(t.KeyId, t.Nonce)); err != nil {
		return fmt.Errorf("close transaction %d: %w", t.Id, err)
	}
	if err := k.reports.Clear(ctx, collections.NewPrefixedPairRange[uint64, string](t.Id)); err != nil {
		return fmt.Errorf("remove the reports of transaction %d: %w", t.Id, err)
	}
	return k.setTransaction(ctx, t)
}

// Transaction returns a transaction; types.ErrUnknownTx if there was none, types.ErrPruned
// if it is not kept.
func (k *Keeper) Transaction(ctx context.Context, id uint64) (types.Transaction, error) {
	t, err := k.transactions.Get(ctx, id)
	switch {
	case errors.Is(err, collections.ErrNotFound):
		if last, err := k.lastID(ctx); err != nil {
			return t, err
		} else if id > 0 && id <= last {
			return t, types.ErrPruned.Wrapf("transaction %d", id)
		}
		return t, types.ErrUnknownTx.Wrapf("%d", id)
	case err != nil:
		return t, fmt.Errorf("load transaction %d: %w", id, err)
	}
	return t, nil
}

func (k *Keeper) setTransaction(ctx context.Context, t types.Transaction) error {
	if err := k.transactions.Set(ctx, t.Id, t); err != nil {
		return fmt.Errorf("store transaction %d: %w", t.Id, err)
	}
	return nil
}
