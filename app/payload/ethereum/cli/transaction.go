package cli

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	mpcnodecli "github.com/sequencer-mpc/sequencer/app/mpcnode/cli"
	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
)

const (
	flagJSON   = "json"
	flagCreate = "create"
)

func transactionBuilder() mpcnodecli.PayloadBuilder {
	flags := new(transactionArgs)
	cmd := &cobra.Command{
		Use:   ethereum.TransactionKind,
		Short: "A transaction, as eth_signTransaction signs it",
		Long: `Makes the payload of a transaction from flags, or from a file with the JSON of
eth_signTransaction (--json FILE, - for standard input), where flags take the place of
what the file says. A from in the file is compared with nothing: the key that signs says
who sends.

Nobody is asked, so say what a wallet would find out: the nonce (eth_getTransactionCount of
the key's address, which sequencerd query mpc key shows), the gas (eth_estimateGas; 21000
for a transaction without data), and the fees. --max-fee and --max-priority-fee make an
EIP-1559 transaction, --gas-price a legacy one (EIP-155), with --access-list one of
EIP-2930, and --blob-hashes one of EIP-4844, whose blobs whoever sends it adds.

Amounts are in wei, or have a unit: 1.5ether, 20gwei. What is signed is told by
sequencerd mpc payload show ethereum-tx, before anybody signs it.`,
		Example: `  sequencerd mpc payload ethereum-tx --chain-id 11155111 --nonce 0 --to 0x000000000000000000000000000000000000dEaD --value 1gwei --max-fee 20gwei --max-priority-fee 1gwei
  sequencerd mpc payload ethereum-tx --json transaction.json --nonce 7`,
		Args: cobra.NoArgs,
	}
	flags.addTo(cmd.Flags())
	cmd.Flags().String(flagJSON, "", "file with the JSON of eth_signTransaction, - for standard input")
	cmd.Flags().Bool(flagCreate, false, "make a contract: there is nobody that it is sent to")
	return mpcnodecli.PayloadBuilder{
		Kind: ethereum.TransactionKind, Command: cmd,
		Build: func(cmd *cobra.Command, _ []string) ([]byte, error) { return buildTransaction(cmd, flags) },
	}
}

func buildTransaction(cmd *cobra.Command, args *transactionArgs) ([]byte, error) {
	path, err := cmd.Flags().GetString(flagJSON)
	if err != nil {
		return nil, err
	}
	if path != "" {
		data, err := readInput(cmd, path)
		if err != nil {
			return nil, err
		}
		file := new(transactionArgs)
		if err := decodeStrictly(data, file); err != nil {
			return nil, fmt.Errorf("read the JSON of eth_signTransaction, whose numbers are hex as in 0x5208, "+
				"without anything that is not signed, such as blobs or a signature: %w", err)
		}
		args = args.over(file)
	}
	create, err := cmd.Flags().GetBool(flagCreate)
	if err != nil {
		return nil, err
	}
	tx, chain, err := args.transaction(create)
	if err != nil {
		return nil, err
	}
	return ethereum.UnsignedTransaction(tx, chain)
}

// transactionArgs are what a transaction is made of, as eth_signTransaction takes it: the
// TransactionArgs of go-ethereum, which it keeps to itself.
type transactionArgs struct {
	// From stands in no transaction: the key that signs says whose it is.
	From                 *address          `json:"from"`
	To                   *address          `json:"to"`
	Gas                  *hexutil.Uint64   `json:"gas"`
	GasPrice             *hexutil.Big      `json:"gasPrice"`
	MaxFeePerGas         *hexutil.Big      `json:"maxFeePerGas"`
	MaxPriorityFeePerGas *hexutil.Big      `json:"maxPriorityFeePerGas"`
	Value                *hexutil.Big      `json:"value"`
	Nonce                *hexutil.Uint64   `json:"nonce"`
	Data                 *hexutil.Bytes    `json:"data"`
	Input                *hexutil.Bytes    `json:"input"`
	AccessList           *types.AccessList `json:"accessList"`
	ChainID              *hexutil.Big      `json:"chainId"`
	MaxFeePerBlobGas     *hexutil.Big      `json:"maxFeePerBlobGas"`
	BlobHashes           *[]common.Hash    `json:"blobVersionedHashes"`
	Type                 *hexutil.Uint64   `json:"type"`
}

func (a *transactionArgs) addTo(flags *pflag.FlagSet) {
	amount := func(to **hexutil.Big) pflag.Value { return field[hexutil.Big]{to, parseWei, "amount"} }
	number := func(to **hexutil.Uint64) pflag.Value { return field[hexutil.Uint64]{to, parseNumber, "number"} }
	flags.Var(field[hexutil.Big]{&a.ChainID, parseChain, "number"}, "chain-id", "id of the chain that it is for, 1 for Ethereum's main one")
	flags.Var(number(&a.Nonce), "nonce", "how many transactions the key's address has sent before")
	flags.Var(field[address]{&a.To, parseAddress, "address"}, "to", "whom it pays or calls")
	flags.Var(amount(&a.Value), "value", "what it pays; nothing if not given")
	flags.Var(field[hexutil.Bytes]{&a.Data, parseData, "hex"}, "data", "what it calls a contract with, or the code of one: 0x and hex, or @ and a file with hex")
	flags.Var(number(&a.Gas), "gas", "most gas that it may use; 21000 if there is no data and no access list")
	flags.Var(amount(&a.MaxFeePerGas), "max-fee", "most that a gas may cost")
	flags.Var(amount(&a.MaxPriorityFeePerGas), "max-priority-fee", "most of it that goes to whoever includes the transaction")
	flags.Var(amount(&a.GasPrice), "gas-price", "what a gas costs, in place of the two")
	flags.Var(field[types.AccessList]{&a.AccessList, parseAccessList, "json"}, "access-list", "addresses and slots that it uses: JSON, or @ and a file with it")
	flags.Var(field[[]common.Hash]{&a.BlobHashes, parseHashes, "hashes"}, "blob-hashes", "versioned hashes of its blobs, with commas between them")
	flags.Var(amount(&a.MaxFeePerBlobGas), "max-blob-fee", "most that a gas of blobs may cost")
}

func parseChain(text string) (hexutil.Big, error) {
	n, err := parseNumber(text)
	return hexutil.Big(*new(big.Int).SetUint64(uint64(n))), err
}

// over gives what a file says, but what was given by flags in its place. Fees are said
// together: a flag for one of them takes the place of all that contradict it.
func (a *transactionArgs) over(file *transactionArgs) *transactionArgs {
	both := *file
	if a.GasPrice != nil {
		both.MaxFeePerGas, both.MaxPriorityFeePerGas, both.Type = nil, nil, nil
	}
	if a.MaxFeePerGas != nil || a.MaxPriorityFeePerGas != nil {
		both.GasPrice, both.Type = nil, nil
	}
	if a.Data != nil {
		both.Input = nil
	}
	take(&both.To, a.To)
	take(&both.Gas, a.Gas)
	take(&both.GasPrice, a.GasPrice)
	take(&both.MaxFeePerGas, a.MaxFeePerGas)
	take(&both.MaxPriorityFeePerGas, a.MaxPriorityFeePerGas)
	take(&both.Value, a.Value)
	take(&both.Nonce, a.Nonce)
	take(&both.Data, a.Data)
	take(&both.AccessList, a.AccessList)
	take(&both.ChainID, a.ChainID)
	take(&both.MaxFeePerBlobGas, a.MaxFeePerBlobGas)
	take(&both.BlobHashes, a.BlobHashes)
	return &both
}

// take sets what is given.
func take[T any](to **T, given *T) {
	if given != nil {
		*to = given
	}
}

// transaction makes the transaction, and says which chain it is for.
func (a *transactionArgs) transaction(create bool) (*types.Transaction, *big.Int, error) {
	data, err := a.data()
	if err != nil {
		return nil, nil, err
	}
	if err := a.complete(create, data); err != nil {
		return nil, nil, err
	}
	fields, err := a.fields(data)
	if err != nil {
		return nil, nil, err
	}
	tx := types.NewTx(fields)
	if a.Type != nil && uint64(*a.Type) != uint64(tx.Type()) {
		return nil, nil, fmt.Errorf("the file says type %d, but what it has makes a transaction of type %d: leave type out, or give what that type has", *a.Type, tx.Type())
	}
	return tx, (*big.Int)(a.ChainID), nil
}

// data is what the transaction carries: the field has two names.
func (a *transactionArgs) data() ([]byte, error) {
	switch {
	case a.Data != nil && a.Input != nil && !bytes.Equal(*a.Data, *a.Input):
		return nil, errors.New("data and input in the file are two names of one thing, and differ: leave one out")
	case a.Input != nil:
		return *a.Input, nil
	case a.Data != nil:
		return *a.Data, nil
	}
	return nil, nil
}

// complete refuses what a wallet would fill in, and fills in what has one right value.
func (a *transactionArgs) complete(create bool, data []byte) error {
	switch {
	case a.ChainID == nil:
		return errors.New("say which chain it is for: --chain-id, or chainId in the file")
	case a.Nonce == nil:
		return errors.New("say its nonce, which eth_getTransactionCount of the key's address gives: --nonce, or nonce in the file")
	case a.To == nil && !create:
		return errors.New("say whom it is sent to: --to, or to in the file; --create makes a contract")
	case a.To != nil && create:
		return errors.New("--create makes a contract, and --to sends to somebody: leave one out")
	case create && len(data) == 0:
		return errors.New("give the code of the contract that --create makes: --data, or data in the file")
	case a.Gas == nil && (len(data) > 0 || a.AccessList != nil):
		return errors.New("say how much gas it may use, which eth_estimateGas gives: --gas, or gas in the file")
	case a.GasPrice == nil && (a.MaxFeePerGas == nil || a.MaxPriorityFeePerGas == nil):
		return errors.New("say what it may cost: --max-fee and --max-priority-fee (maxFeePerGas and maxPriorityFeePerGas in the file), or --gas-price (gasPrice)")
	case a.GasPrice != nil && (a.MaxFeePerGas != nil || a.MaxPriorityFeePerGas != nil):
		return errors.New("--gas-price (gasPrice) is of legacy transactions, --max-fee and --max-priority-fee (maxFeePerGas and maxPriorityFeePerGas) are of others: leave the one or the others out")
	}
	if a.Gas == nil {
		a.Gas = new(hexutil.Uint64)
		*a.Gas = hexutil.Uint64(params.TxGas)
	}
	if a.Value == nil {
		a.Value = new(hexutil.Big)
	}
	return nil
}

// fields are those of the type that what is there makes.
func (a *transactionArgs) fields(data []byte) (types.TxData, error) {
	var (
		chain, value = (*big.Int)(a.ChainID), (*big.Int)(a.Value)
		nonce, gas   = uint64(*a.Nonce), uint64(*a.Gas)
		to           = (*common.Address)(a.To)
		list         types.AccessList
	)
	if a.AccessList != nil {
		list = *a.AccessList
	}
	switch {
	case a.BlobHashes != nil || a.MaxFeePerBlobGas != nil:
		return a.blob(data, list)
	case a.GasPrice != nil && a.AccessList != nil:
		return &types.AccessListTx{
			ChainID: chain, Nonce: nonce, GasPrice: (*big.Int)(a.GasPrice), Gas: gas, To: to, Value: value, Data: data, AccessList: list,
		}, nil
	case a.GasPrice != nil:
		return &types.LegacyTx{Nonce: nonce, GasPrice: (*big.Int)(a.GasPrice), Gas: gas, To: to, Value: value, Data: data}, nil
	}
	return &types.DynamicFeeTx{
		ChainID: chain, Nonce: nonce, GasTipCap: (*big.Int)(a.MaxPriorityFeePerGas), GasFeeCap: (*big.Int)(a.MaxFeePerGas), Gas: gas,
		To: to, Value: value, Data: data, AccessList: list,
	}, nil
}

func (a *transactionArgs) blob(data []byte, list types.AccessList) (types.TxData, error) {
	switch {
	case a.BlobHashes == nil || a.MaxFeePerBlobGas == nil:
		return nil, errors.New("a blob transaction has --blob-hashes and --max-blob-fee (blobVersionedHashes and maxFeePerBlobGas in the file)")
	case a.GasPrice != nil:
		return nil, errors.New("a blob transaction has --max-fee and --max-priority-fee, not --gas-price")
	case a.To == nil:
		return nil, errors.New("a blob transaction makes no contract: say whom it is sent to (--to)")
	}
	tx := &types.BlobTx{Nonce: uint64(*a.Nonce), Gas: uint64(*a.Gas), To: common.Address(*a.To), Data: data, AccessList: list, BlobHashes: *a.BlobHashes}
	for to, from := range map[**uint256.Int]*hexutil.Big{
		&tx.ChainID: a.ChainID, &tx.GasTipCap: a.MaxPriorityFeePerGas, &tx.GasFeeCap: a.MaxFeePerGas, &tx.Value: a.Value, &tx.BlobFeeCap: a.MaxFeePerBlobGas,
	} {
		*to = uint256.MustFromBig((*big.Int)(from)) // hexutil reads no more than 256 bits, and parseAmount as many
	}
	return tx, nil
}
