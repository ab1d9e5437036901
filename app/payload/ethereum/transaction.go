package ethereum

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/holiman/uint256"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// transactionKind is a transaction in the encoding whose hash is signed: of a legacy one
// (EIP-155) the list of its six fields, the chain id and two zeros; of the others
// (EIP-2930, EIP-1559, EIP-4844) the type and the list without the signature.
type transactionKind struct{}

// Name implements mpctypes.PayloadKind.
func (transactionKind) Name() string { return TransactionKind }

// Decode implements mpctypes.PayloadKind.
func (transactionKind) Decode(data []byte) (mpctypes.DecodedPayload, error) {
	u, err := decodeUnsigned(data)
	if err != nil {
		return nil, err
	}
	if l, ok := u.(*legacy); ok && l.ZeroR|l.ZeroS != 0 {
		return nil, bad("where r and s will be there are zeros before it is signed")
	}
	if err := checkChain(u.chain()); err != nil {
		return nil, err
	}
	tx := types.NewTx(u.fields())
	// The chain id of a legacy transaction is in its signature only, so what go-ethereum
	// signs tells whether all of the payload was understood.
	signer := types.LatestSignerForChainID(u.chain())
	digest := crypto.Keccak256Hash(data)
	if signer.Hash(tx) != digest {
		return nil, notCanonical("the transaction would be written in other bytes")
	}
	if err := checkTransaction(tx); err != nil {
		return nil, err
	}
	return &transaction{tx: tx, signer: signer, digest: mpctypes.Hash(digest), claims: claimsOf(tx, u.chain())}, nil
}

// unsigned is what is encoded of one type of transactions.
type unsigned interface {
	// chain is the id of the chain.
	chain() *big.Int
	// fields are the transaction's, without a signature.
	fields() types.TxData
}

// decodeUnsigned reads the fields. RLP has one encoding for a number, but not for
// everything that go-ethereum takes for one; Decode compares.
func decodeUnsigned(data []byte) (unsigned, error) {
	if len(data) == 0 {
		return nil, bad("the transaction has no bytes")
	}
	var u unsigned
	body := data[1:]
	switch {
	case data[0] >= 0xc0: // a list: no type
		u, body = new(legacy), data
	case data[0] == types.AccessListTxType:
		u = new(accessList)
	case data[0] == types.DynamicFeeTxType:
		u = new(dynamicFee)
	case data[0] == types.BlobTxType:
		u = new(blob)
	default:
		return nil, bad("transactions of type %d are not known", data[0])
	}
	if err := rlp.DecodeBytes(body, u); err != nil {
		return nil, bad("decode the transaction: %w", err)
	}
	return u, nil
}

type legacy struct {
	Nonce    uint64
	GasPrice *big.Int
	Gas      uint64
	To       *common.Address `rlp:"nil"`
	Value    *big.Int
	Data     []byte
	ChainID  *big.Int
	// ZeroR and ZeroS stand where the signature will be.
	ZeroR, ZeroS uint
}

func (u *legacy) chain() *big.Int { return u.ChainID }

func (u *legacy) fields() types.TxData {
	return &types.LegacyTx{Nonce: u.Nonce, GasPrice: u.GasPrice, Gas: u.Gas, To: u.To, Value: u.Value, Data: u.Data}
}

type accessList struct {
	ChainID    *big.Int
	Nonce      uint64
	GasPrice   *big.Int
	Gas        uint64
	To         *common.Address `rlp:"nil"`
	Value      *big.Int
	Data       []byte
	AccessList types.AccessList
}

func (u *accessList) chain() *big.Int { return u.ChainID }

func (u *accessList) fields() types.TxData {
	return &types.AccessListTx{
		ChainID: u.ChainID, Nonce: u.Nonce, GasPrice: u.GasPrice, Gas: u.Gas, To: u.To, Value: u.Value, Data: u.Data,
		AccessList: u.AccessList,
	}
}

type dynamicFee struct {
	ChainID    *big.Int
	Nonce      uint64
	GasTipCap  *big.Int
	GasFeeCap  *big.Int
	Gas        uint64
	To         *common.Address `rlp:"nil"`
	Value      *big.Int
	Data       []byte
	AccessList types.AccessList
}

func (u *dynamicFee) chain() *big.Int { return u.ChainID }

func (u *dynamicFee) fields() types.TxData {
	return &types.DynamicFeeTx{
		ChainID: u.ChainID, Nonce: u.Nonce, GasTipCap: u.GasTipCap, GasFeeCap: u.GasFeeCap, Gas: u.Gas, To: u.To,
		Value: u.Value, Data: u.Data, AccessList: u.AccessList,
	}
}

type blob struct {
	ChainID    *uint256.Int
	Nonce      uint64
	GasTipCap  *uint256.Int
	GasFeeCap  *uint256.Int
	Gas        uint64
	To         common.Address
	Value      *uint256.Int
	Data       []byte
	AccessList types.AccessList
	BlobFeeCap *uint256.Int
	BlobHashes []common.Hash
}

func (u *blob) chain() *big.Int { return u.ChainID.ToBig() }

func (u *blob) fields() types.TxData {
	return &types.BlobTx{
		ChainID: u.ChainID, Nonce: u.Nonce, GasTipCap: u.GasTipCap, GasFeeCap: u.GasFeeCap, Gas: u.Gas, To: u.To,
		Value: u.Value, Data: u.Data, AccessList: u.AccessList, BlobFeeCap: u.BlobFeeCap, BlobHashes: u.BlobHashes,
	}
}

// checkChain refuses ids that no chain can have: v of a legacy transaction is twice the
// id, and 35 or 36.
func checkChain(id *big.Int) error {
	if id.Sign() == 0 || id.BitLen() > 62 {
		return bad("a chain id is above 0 and has at most 62 bits, this one has %d", id.BitLen())
	}
	return nil
}

// checkTransaction refuses what no chain takes, so that nobody waits for it.
func checkTransaction(tx *types.Transaction) error {
	switch {
	case tx.Nonce() == math.MaxUint64:
		return bad("the nonce %d cannot be used (EIP-2681)", tx.Nonce())
	case tx.Gas() == 0:
		return bad("a gas limit of 0")
	case max(tx.Value().BitLen(), tx.GasFeeCap().BitLen(), tx.GasTipCap().BitLen()) > 256:
		return bad("a value or fee has more than 256 bits")
	case tx.GasFeeCapIntCmp(tx.GasTipCap()) < 0:
		return bad("max fee per gas %s is below the tip %s", tx.GasFeeCap(), tx.GasTipCap())
	case tx.Type() == types.BlobTxType && len(tx.BlobHashes()) == 0:
		return bad("a blob transaction without blobs")
	}
	for i, h := range tx.BlobHashes() {
		if h[0] != 0x01 {
			return bad("the hash of blob %d is of version %d, not 1", i, h[0])
		}
	}
	return nil
}

// claimsOf says what a transaction does.
func claimsOf(tx *types.Transaction, chain *big.Int) mpctypes.Claims {
	c := mpctypes.Claims{
		ChainID: chain.String(), Value: tx.Value(), Fee: feeOf(tx),
		Place: fmt.Sprintf("%s/%d", chain, tx.Nonce()), Effect: effectOf(tx, chain),
		Gas: tx.Gas(),
	}
	if to := tx.To(); to != nil {
		c.To = strings.ToLower(to.Hex())
	}
	if data := tx.Data(); tx.To() != nil && len(data) >= 4 {
		c.Calls = []string{fmt.Sprintf("0x%x", data[:4])}
	}
	return c
}

// feeOf is the most that the inclusion of a transaction costs.
func feeOf(tx *types.Transaction) *big.Int {
	fee := new(big.Int).Mul(tx.GasFeeCap(), new(big.Int).SetUint64(tx.Gas()))
	if tx.Type() == types.BlobTxType {
		fee.Add(fee, new(big.Int).Mul(tx.BlobGasFeeCap(), new(big.Int).SetUint64(tx.BlobGas())))
	}
	return fee
}

// effectOf hashes what a transaction does: all but gas and its price. So it is the same
// for one that is sent again with other fees, of another type too. An access list takes gas
// from what comes after it, and makes that cheaper: how much is enough depends on it.
func effectOf(tx *types.Transaction, chain *big.Int) mpctypes.Hash {
	to := []byte{}
	if tx.To() != nil {
		to = tx.To().Bytes()
	}
	fields := []any{chain, tx.Nonce(), to, tx.Value(), tx.Data(), tx.BlobHashes()}
	if list := tx.AccessList(); len(list) > 0 {
		fields = append(fields, list)
	}
	encoded, err := rlp.EncodeToBytes(fields)
	if err != nil {
		panic(fmt.Sprintf("encode decoded fields: %v", err)) // numbers and bytes have no error
	}
	return mpctypes.Hash(crypto.Keccak256Hash([]byte("effect"), encoded))
}

// transaction is an unsigned transaction.
type transaction struct {
	tx     *types.Transaction
	signer types.Signer
	digest mpctypes.Hash
	claims mpctypes.Claims
}

// Digest implements mpctypes.DecodedPayload.
func (t *transaction) Digest() mpctypes.Hash { return t.digest }

// Claims implements mpctypes.DecodedPayload.
func (t *transaction) Claims() mpctypes.Claims { return t.claims }

// Finish implements mpctypes.DecodedPayload: the signed transaction, as a node takes it,
// and its hash. A blob transaction comes without its blobs, which whoever sends it adds.
func (t *transaction) Finish(publicKey []byte, s *mpctypes.SignatureResult) (mpctypes.FinishedPayload, error) {
	key, err := crypto.DecompressPubkey(publicKey)
	if err != nil {
		return mpctypes.FinishedPayload{}, fmt.Errorf("public key: %w", err)
	}
	tx, err := t.tx.WithSignature(t.signer, append(compact(s), byte(s.V)))
	if err != nil {
		return mpctypes.FinishedPayload{}, fmt.Errorf("sign the transaction: %w", err)
	}
	sender, err := types.Sender(t.signer, tx)
	if err != nil {
		return mpctypes.FinishedPayload{}, fmt.Errorf("look for the sender: %w", err)
	}
	if want := crypto.PubkeyToAddress(*key); sender != want {
		return mpctypes.FinishedPayload{}, fmt.Errorf("the transaction would be sent by %s, not by the key's address %s", sender, want)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return mpctypes.FinishedPayload{}, fmt.Errorf("encode the signed transaction: %w", err)
	}
	return mpctypes.FinishedPayload{Raw: raw, Hash: tx.Hash().Bytes()}, nil
}
