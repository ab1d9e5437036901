package main

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"

	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// transactionChain is Sepolia: what is shown is good there, for whoever owns the key.
var transactionChain = big.NewInt(11155111)

// signTransaction has an Ethereum transaction signed, which every node decodes before it
// signs, and looks at the finished one as a node of Ethereum would.
func (s *story) signTransaction(ctx context.Context) error {
	s.out.title("A transaction of the key's address, ready to be sent")
	to := common.HexToAddress("0x000000000000000000000000000000000000dEaD")
	payload, err := ethereum.UnsignedTransaction(types.NewTx(&types.DynamicFeeTx{
		ChainID: transactionChain, GasTipCap: big.NewInt(params.GWei), GasFeeCap: big.NewInt(20 * params.GWei),
		Gas: params.TxGas, To: &to, Value: big.NewInt(params.GWei),
	}), transactionChain)
	if err != nil {
		return err
	}
	sig, err := s.follow(ctx, s.payloadOf("demo-transaction", ethereum.TransactionKind, payload))
	if err != nil {
		return err
	}
	resp, err := s.requester.Query.Signature(ctx, &mpctypes.QuerySignatureRequest{SignatureId: sig.Id})
	if err != nil {
		return err
	}
	if resp.Finished == nil {
		return fmt.Errorf("the chain does not say what became of %s", sig.Id)
	}
	var tx types.Transaction
	if err := tx.UnmarshalBinary(common.FromHex(resp.Finished.Raw)); err != nil {
		return fmt.Errorf("decode the signed transaction: %w", err)
	}
	sender, err := types.Sender(types.LatestSignerForChainID(transactionChain), &tx)
	if err != nil {
		return fmt.Errorf("look for the sender of %s: %w", tx.Hash(), err)
	}
	s.out.sayf("transaction %s: %s", resp.Finished.Hash, resp.Finished.Raw)
	if sender.Hex() != s.address || tx.Hash().Hex() != resp.Finished.Hash {
		return fmt.Errorf("the transaction %s is of %s, but the key is %s", tx.Hash(), sender, s.address)
	}
	s.out.sayf("its sender is %s: it is the key's", sender)
	return nil
}
