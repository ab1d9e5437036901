package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// Of a request that failed here, or was signed twice, a member may have a signature that this
// chain never saw, and may send it. It is the same call with the same nonce, under a hash that
// nobody here knows. That the nonce is used up tells of it.

// unknown finds the receipt of what used up a transaction's nonce under another hash; nil if
// nothing did. used is how many nonces its key has used up.
func (r *Relay) unknown(ctx context.Context, t types.Transaction, head uint64) (receipt *ethtypes.Receipt, used uint64, err error) {
	if hash, found := r.foreign[t.Id]; found {
		receipt, err := r.ethereum.TransactionReceipt(ctx, hash)
		if err == nil || !errors.Is(err, ethereum.NotFound) {
			return receipt, 0, private(err)
		}
		delete(r.foreign, t.Id) // its block is gone
	}
	from, err := r.address(ctx, t.KeyId)
	if err != nil {
		return nil, 0, err
	}
	if used, err = r.ethereum.NonceAt(ctx, from, nil); err != nil {
		return nil, 0, fmt.Errorf("ask for the nonce of %s: %w", from, private(err))
	}
	if used <= t.Nonce {
		return nil, used, nil
	}
	receipt, err = r.foreignReceipt(ctx, t, from, head)
	return receipt, used, err
}

// foreignReceipt is that of what used up a transaction's nonce, which must be the same call.
func (r *Relay) foreignReceipt(ctx context.Context, t types.Transaction, from common.Address, head uint64) (*ethtypes.Receipt, error) {
	tx, err := r.user(ctx, from, t.Nonce, head)
	if err != nil {
		return nil, fmt.Errorf("look for what used nonce %d of %s: %w", t.Nonce, from, private(err))
	}
	if !sameCall(tx, t) {
		return nil, fmt.Errorf("nonce %d of %s was used by %s, which does something else: somebody has the key, or a part of it that is enough; move the purpose to another key", t.Nonce, from, tx.Hash())
	}
	receipt, err := r.ethereum.TransactionReceipt(ctx, tx.Hash())
	if err != nil {
		return nil, fmt.Errorf("ask for the receipt of %s: %w", tx.Hash(), private(err))
	}
	if !ours(tx.Hash(), t) { // the block of an attempt may have come a moment ago
		r.foreign[t.Id] = tx.Hash()
	}
	return receipt, nil
}

// ours: it is one of the attempts that this chain has the signature of.
func ours(hash common.Hash, t types.Transaction) bool {
	return slices.ContainsFunc(t.Attempts, func(a types.Attempt) bool {
		return a.Status == types.ATTEMPT_STATUS_SIGNED && common.HexToHash(a.Hash) == hash
	})
}

// address is that of a key, which never changes.
func (r *Relay) address(ctx context.Context, keyID string) (common.Address, error) {
	if a, known := r.addresses[keyID]; known {
		return a, nil
	}
	text, err := r.sequencer.Address(ctx, keyID)
	if err != nil {
		return common.Address{}, fmt.Errorf("ask for the address of key %s: %w", keyID, err)
	}
	r.addresses[keyID] = common.HexToAddress(text)
	return r.addresses[keyID], nil
}

// user is the transaction of an account that used a nonce.
func (r *Relay) user(ctx context.Context, from common.Address, nonce, head uint64) (*ethtypes.Transaction, error) {
	number, err := r.usedIn(ctx, from, nonce, head)
	if err != nil {
		return nil, err
	}
	block, err := r.ethereum.BlockByNumber(ctx, new(big.Int).SetUint64(number))
	if err != nil {
		return nil, err
	}
	for _, tx := range block.Transactions() {
		if tx.Nonce() != nonce {
			continue
		}
		if sender, err := ethtypes.Sender(ethtypes.LatestSignerForChainID(tx.ChainId()), tx); err == nil && sender == from {
			return tx, nil
		}
	}
	return nil, fmt.Errorf("block %d should have it and has not", number) // a block that was taken back
}

// usedIn is the first block after which an account has used a nonce. It looks backwards from
// the newest one, in steps that double, and then between the last two: nodes that are no
// archives answer for new blocks only.
func (r *Relay) usedIn(ctx context.Context, from common.Address, nonce, head uint64) (uint64, error) {
	used := func(block uint64) (bool, error) {
		next, err := r.ethereum.NonceAt(ctx, from, new(big.Int).SetUint64(block))
		return next > nonce, err
	}
	if is, err := used(head); err != nil || !is {
		return 0, errors.Join(err, errYoung)
	}
	first, before := head, uint64(0)
	for step := uint64(1); step <= first; step *= 2 {
		is, err := used(first - step)
		if err != nil {
			return 0, err
		}
		if !is {
			before = first - step
			break
		}
		first -= step
	}
	for first > before+1 {
		middle := before + (first-before)/2
		is, err := used(middle)
		if err != nil {
			return 0, err
		}
		if is {
			first = middle
		} else {
			before = middle
		}
	}
	return first, nil
}

// errYoung: a block came since the height was asked for.
var errYoung = errors.New("it is in a block that has just come; looking again")

// sameCall: a signed transaction is one of ours, whatever it pays.
func sameCall(tx *ethtypes.Transaction, t types.Transaction) bool {
	return tx.To() != nil && *tx.To() == common.HexToAddress(t.Contract) && bytes.Equal(tx.Data(), t.Data) &&
		tx.Value().Sign() == 0 && tx.ChainId().Cmp(new(big.Int).SetUint64(t.ChainId)) == 0
}
