package app

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"testing"
	"time"

	geth "github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	settlementtypes "github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// Settled implements relay.Sequencer.
func (n *operatorsNode) Settled(_ context.Context, keyID string, from, to uint64) (found []settlementtypes.Transaction, err error) {
	answer, err := n.s.query.Transactions(n.s.app.NewContext(true), &settlementtypes.QueryTransactionsRequest{Pagination: &query.PageRequest{}})
	if err != nil {
		return nil, err
	}
	for _, t := range answer.Transactions {
		if t.KeyId == keyID && t.Nonce >= from && t.Nonce < to {
			found = append(found, t)
		}
	}
	return found, nil
}

// settlingOn is a chain that settles on a simulated one, and offers enough at once.
func settlingOn(t *testing.T) (*settlers, chain.Secret, *simulated.Backend) {
	t.Helper()
	s := newSettlers(t)
	secret := chain.NewSecret(stateKeyID)
	public, err := crypto.DecompressPubkey(secret.PublicKey())
	require.NoError(t, err)
	l1 := simulated.NewBackend(ethtypes.GenesisAlloc{
		crypto.PubkeyToAddress(*public): {Balance: ether(1)}, stateContract: {Code: codeOf(stateDestination), Balance: new(big.Int)},
	})
	t.Cleanup(func() { require.NoError(t, l1.Close()) })
	mine(t, l1)
	p := settlementParams()
	p.StartFeePerGas *= 10
	s.begin(secret, p)
	return s, secret, l1
}

// takeBack has the other chain go back to a block, and its node forget what was in later ones.
func takeBack(t *testing.T, l1 *simulated.Backend, to common.Hash, lost ...common.Hash) {
	t.Helper()
	require.NoError(t, l1.Fork(to))
	for _, hash := range lost { // the node keeps it at first, for the next block
		require.Eventually(t, func() bool {
			_, pending, err := l1.Client().TransactionByHash(t.Context(), hash)
			return err == nil && pending
		}, time.Minute, time.Millisecond)
	}
	l1.Rollback()
	for _, hash := range lost {
		require.Eventually(t, func() bool {
			_, err := l1.Client().TransactionReceipt(t.Context(), hash)
			return errors.Is(err, geth.NotFound)
		}, time.Minute, time.Millisecond)
	}
}

// newest is the newest block of the other chain.
func newest(t *testing.T, l1 *simulated.Backend) common.Hash {
	t.Helper()
	header, err := l1.Client().HeaderByNumber(t.Context(), nil)
	require.NoError(t, err)
	return header.Hash()
}

// leaked is the transaction that is to be signed as a member may have it, with so much more tip.
func (s *settlers) leaked(secret chain.Secret, id, more uint64) *ethtypes.Transaction {
	s.t.Helper()
	asked, signer := s.transaction(id), ethtypes.LatestSignerForChainID(simulatedChain)
	tx := ethtypes.NewTx(&ethtypes.DynamicFeeTx{
		ChainID: simulatedChain, Nonce: asked.Nonce, GasTipCap: new(big.Int).SetUint64(asked.Current().TipPerGas + more),
		GasFeeCap: new(big.Int).SetUint64(asked.Current().FeePerGas),
		Gas:       asked.Current().GasLimit, To: &stateContract, Value: new(big.Int), Data: asked.Data,
	})
	made := secret.Sign("", signer.Hash(tx).Bytes())
	tx, err := tx.WithSignature(signer, append(append(bytes.Clone(made.R), made.S...), byte(made.V)))
	require.NoError(s.t, err)
	return tx
}

// A receipt that is gone before it has its confirmations was never there: the transaction is
// sent again, and reported where it is included in the end.
func TestReceiptIsTakenBack(t *testing.T) {
	s, secret, l1 := settlingOn(t)
	before := newest(t, l1)
	s.propose(1, 100, common.Hash{1})
	s.members(secret)
	r := s.relays(l1.Client())
	r.step()
	sent := s.transaction(1)
	hash := common.HexToHash(sent.Current().Hash)
	mine(t, l1)
	r.step()
	r.said("included in block 2, waits for 2 confirmations")
	first, err := l1.Client().TransactionReceipt(t.Context(), hash)
	require.NoError(t, err)

	takeBack(t, l1, before, hash)
	r.step()
	r.said("sent: nonce 0, " + hash.Hex())
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_OPEN, s.transaction(1).Status)
	mine(t, l1)
	mine(t, l1)
	r.step()
	settled := s.transaction(1)
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_SUCCEEDED, settled.Status)
	second, err := l1.Client().TransactionReceipt(t.Context(), hash)
	require.NoError(t, err)
	require.Equal(t, second.BlockHash.Hex(), settled.Receipt.BlockHash)
	require.NotEqual(t, first.BlockHash, second.BlockHash)
}

// What a member sent is gone with its block, too; another that it sends is found in its place.
func TestForeignIsTakenBack(t *testing.T) {
	s, secret, l1 := settlingOn(t)
	before := newest(t, l1)
	s.propose(1, 100, common.Hash{1})
	r := s.relays(l1.Client())
	first, second := s.leaked(secret, 1, 0), s.leaked(secret, 1, 1)
	require.NoError(t, l1.Client().SendTransaction(t.Context(), first))
	mine(t, l1)
	r.step()
	r.said("waits for 2 confirmations, by " + first.Hash().Hex() + ", which this chain did not get the signature of")

	takeBack(t, l1, before, first.Hash())
	r.step()
	r.said("is being signed")
	require.NoError(t, l1.Client().SendTransaction(t.Context(), second))
	mine(t, l1)
	mine(t, l1)
	r.step()
	r.said("by " + second.Hash().Hex() + ", which this chain did not get the signature of")
	settled := s.transaction(1)
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_SUCCEEDED, settled.Status)
	require.Equal(t, second.Hash().Hex(), settled.Receipt.Hash)
}

// What was reported and is taken back all the same is sent again, for what waits behind it.
func TestSettledIsTakenBack(t *testing.T) {
	s, secret, l1 := settlingOn(t)
	before := newest(t, l1)
	s.propose(1, 100, common.Hash{1})
	s.members(secret)
	r := s.relays(l1.Client())
	r.step()
	mine(t, l1)
	mine(t, l1)
	r.step()
	first := s.transaction(1)
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_SUCCEEDED, first.Status)

	hash := common.HexToHash(first.Receipt.Hash)
	takeBack(t, l1, before, hash)
	s.propose(101, 200, common.Hash{2})
	s.members(secret)
	r.step()
	r.said("transaction 2: waits for nonce 0 of its key, which the other chain took back; it was sent again")
	mine(t, l1)
	r.step()
	mine(t, l1)
	mine(t, l1)
	r.step()
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_SUCCEEDED, s.transaction(2).Status)
	for block, root := range map[int64]common.Hash{1: {1}, 101: {2}} {
		stored, err := l1.Client().StorageAt(t.Context(), stateContract, common.BigToHash(big.NewInt(block)), nil)
		require.NoError(t, err)
		require.Equal(t, root[:], stored)
	}
}
