package ethereum

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/holiman/uint256"
)

// UnsignedTransaction is the payload that asks for the signature of a transaction on a
// chain. It fails where the payload would be refused. Of a blob transaction the blobs are
// left out: their hashes are what is signed.
func UnsignedTransaction(tx *types.Transaction, chain *big.Int) ([]byte, error) {
	if tx.Type() != types.LegacyTxType && tx.ChainId().Cmp(chain) != 0 {
		return nil, bad("the transaction is for chain %s, not %s", tx.ChainId(), chain)
	}
	u, err := unsignedOf(tx, chain)
	if err != nil {
		return nil, err
	}
	data, err := rlp.EncodeToBytes(u)
	if err != nil {
		return nil, fmt.Errorf("encode the transaction: %w", err)
	}
	if tx.Type() != types.LegacyTxType {
		data = append([]byte{tx.Type()}, data...)
	}
	_, err = transactionKind{}.Decode(data)
	return data, err
}

func unsignedOf(tx *types.Transaction, chain *big.Int) (unsigned, error) {
	switch tx.Type() {
	case types.LegacyTxType:
		return &legacy{
			Nonce: tx.Nonce(), GasPrice: tx.GasPrice(), Gas: tx.Gas(), To: tx.To(), Value: tx.Value(), Data: tx.Data(), ChainID: chain,
		}, nil
	case types.AccessListTxType:
		return &accessList{
			ChainID: chain, Nonce: tx.Nonce(), GasPrice: tx.GasPrice(), Gas: tx.Gas(), To: tx.To(), Value: tx.Value(), Data: tx.Data(),
			AccessList: tx.AccessList(),
		}, nil
	case types.DynamicFeeTxType:
		return &dynamicFee{
			ChainID: chain, Nonce: tx.Nonce(), GasTipCap: tx.GasTipCap(), GasFeeCap: tx.GasFeeCap(), Gas: tx.Gas(), To: tx.To(),
			Value: tx.Value(), Data: tx.Data(), AccessList: tx.AccessList(),
		}, nil
	case types.BlobTxType:
		b := &blob{Nonce: tx.Nonce(), Gas: tx.Gas(), To: *tx.To(), Data: tx.Data(), AccessList: tx.AccessList(), BlobHashes: tx.BlobHashes()}
		for _, n := range []struct {
			to   **uint256.Int
			from *big.Int
		}{{&b.ChainID, chain}, {&b.GasTipCap, tx.GasTipCap()}, {&b.GasFeeCap, tx.GasFeeCap()}, {&b.Value, tx.Value()}, {&b.BlobFeeCap, tx.BlobGasFeeCap()}} {
			*n.to = uint256.MustFromBig(n.from) // they were 256 bits before
		}
		return b, nil
	}
	return nil, bad("transactions of type %d are not known", tx.Type())
}
