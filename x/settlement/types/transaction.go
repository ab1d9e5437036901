package types

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Selector is what the data of a destination's calls begins with.
func (d Destination) Selector() []byte { return crypto.Keccak256([]byte(d.Function))[:4] }

// Call is the data of the call that settles a range: the selector, the root, and the first
// and last block in 32 bytes each.
func (d Destination) Call(r Range) []byte {
	data := append(d.Selector(), r.StateRoot...)
	for _, n := range []uint64{r.FirstBlock, r.LastBlock} {
		data = append(data, common.BigToHash(new(big.Int).SetUint64(n)).Bytes()...)
	}
	return data
}

// SignatureID names, in x/mpc, the signature of an attempt.
func SignatureID(transactionID uint64, attempt uint32) string {
	return fmt.Sprintf("%stx-%d-%d", IDPrefix, transactionID, attempt)
}

// ParseSignatureID is the reverse; false for other ids.
func ParseSignatureID(id string) (transactionID uint64, attempt uint32, ok bool) {
	rest, found := strings.CutPrefix(id, IDPrefix+"tx-")
	tx, try, two := strings.Cut(rest, "-")
	t, err := strconv.ParseUint(tx, 10, 64)
	if !found || !two || err != nil {
		return 0, 0, false
	}
	a, err := strconv.ParseUint(try, 10, 32)
	if err != nil || SignatureID(t, uint32(a)) != id {
		return 0, 0, false
	}
	return t, uint32(a), true
}

// Payload is what x/mpc is asked to have signed of an attempt: an EIP-1559 transaction
// without value.
func (t Transaction) Payload(a Attempt) (mpctypes.SignPayload, error) {
	chain, to := new(big.Int).SetUint64(t.ChainId), common.HexToAddress(t.Contract)
	data, err := ethereum.UnsignedTransaction(ethtypes.NewTx(&ethtypes.DynamicFeeTx{
		ChainID: chain, Nonce: t.Nonce, GasTipCap: new(big.Int).SetUint64(a.TipPerGas), GasFeeCap: new(big.Int).SetUint64(a.FeePerGas),
		Gas: a.GasLimit, To: &to, Value: new(big.Int), Data: t.Data,
	}), chain)
	if err != nil {
		return mpctypes.SignPayload{}, fmt.Errorf("build transaction %d: %w", t.Id, err)
	}
	return mpctypes.KindPayload(ethereum.TransactionKind, data), nil
}

// Current is the newest attempt.
func (t *Transaction) Current() *Attempt { return &t.Attempts[len(t.Attempts)-1] }

// After reports whether a signature is of an attempt of the transaction that has been followed
// by another.
func (t *Transaction) After(signatureID string) bool {
	id, attempt, ok := ParseSignatureID(signatureID)
	return ok && id == t.Id && len(t.Attempts) > 0 && attempt < t.Current().Number
}

// Begin adds the first attempt. before is what the transaction of its key before it was included with.
func (t *Transaction) Begin(p Params, before Offer) {
	offer := p.start(before)
	t.Attempts = []Attempt{{
		Number: 1, SignatureId: SignatureID(t.Id, 1), GasLimit: p.GasLimit,
		FeePerGas: offer.Fee, TipPerGas: offer.Tip, Status: ATTEMPT_STATUS_SIGNING,
	}}
}

// Retry adds the next attempt: in the place of a failed one, or after a signed one with a
// higher offer and the gas of the parameters. So too little gas for the other chain strands no
// nonce: the authority sets gas_limit, and no one else has a say in it. It never has less gas than
// the attempts before: x/mpc signs nothing in their place that might run out of gas. first says that
// the key has no open transaction before this one, before is what the one before it was included
// with. Of more than MaxAttempts the oldest is forgotten.
func (t *Transaction) Retry(p Params, height int64, first bool, before Offer) error {
	last := *t.Current()
	next := Attempt{
		Number: last.Number + 1, SignatureId: SignatureID(t.Id, last.Number+1),
		FeePerGas: last.FeePerGas, TipPerGas: last.TipPerGas, GasLimit: last.GasLimit, Status: ATTEMPT_STATUS_SIGNING,
	}
	switch {
	case t.Status != TRANSACTION_STATUS_OPEN:
		return ErrAlreadyIncluded.Wrapf("transaction %d", t.Id)
	case last.Status == ATTEMPT_STATUS_SIGNING:
		return ErrStillSigning.Wrapf("transaction %d, signature %s", t.Id, last.SignatureId)
	case last.Status == ATTEMPT_STATUS_FAILED:
		// What failed may have been signed: with the same fees and gas it is the same transaction.
		*t.Current() = next
		return nil
	case !first:
		return ErrTooEarly.Wrapf("transaction %d waits for another one of key %s", t.Id, t.KeyId)
	case height < last.DecidedHeight+int64(p.BumpBlocks):
		return ErrTooEarly.Wrapf("transaction %d can offer more from height %d on", t.Id, last.DecidedHeight+int64(p.BumpBlocks))
	}
	next.GasLimit = max(t.mostGas(), p.GasLimit)
	switch offer := p.bump(t.Offer(), before); {
	case offer.replaces(t.Offer()):
		next.FeePerGas, next.TipPerGas = offer.Fee, offer.Tip
	case next.GasLimit == last.GasLimit || last.FeePerGas > p.MaxFeePerGas:
		return ErrFeeLimit.Wrapf("transaction %d offers %d wei per gas, at most %d are allowed", t.Id, last.FeePerGas, p.MaxFeePerGas)
	default:
		// Nodes that took too little gas for nothing have nothing that a higher fee would have to replace.
	}
	t.Attempts = append(t.Attempts, next)
	t.Attempts = t.Attempts[max(len(t.Attempts)-MaxAttempts, 0):]
	return nil
}

// mostGas is that of the attempt that has the most.
func (t *Transaction) mostGas() (gas uint64) {
	for _, a := range t.Attempts {
		gas = max(gas, a.GasLimit)
	}
	return gas
}

// Include ends the wait: of the attempts the one remains that was included, if it is known.
func (t *Transaction) Include(r Receipt) {
	t.Receipt, t.Status = &r, TRANSACTION_STATUS_REVERTED
	if r.Success {
		t.Status = TRANSACTION_STATUS_SUCCEEDED
	}
	for _, a := range t.Attempts {
		if a.Hash == r.Hash {
			t.Attempts = []Attempt{a}
			return
		}
	}
}

// Shift moves the transaction in time, for a chain that starts anew: what happened stays as
// long ago as it was, if need be before the first block. 0 stands for what is not done, so
// what is done is so since the first block at the earliest, and is kept the longer.
func (t *Transaction) Shift(blocks int64) {
	t.CreatedHeight += blocks
	if t.DoneHeight != 0 {
		t.DoneHeight = max(t.DoneHeight+blocks, 1)
	}
	t.Attempts = slices.Clone(t.Attempts)
	for i := range t.Attempts {
		if a := &t.Attempts[i]; a.Status != ATTEMPT_STATUS_SIGNING {
			a.DecidedHeight += blocks
		}
	}
}

// newest is the latest height of this chain in the transaction.
func (t *Transaction) newest() int64 {
	height := max(t.CreatedHeight, t.DoneHeight)
	for _, a := range t.Attempts {
		height = max(height, a.DecidedHeight)
	}
	return height
}

// Validate checks the form of a receipt.
func (r Receipt) Validate() error {
	for _, hash := range []string{r.Hash, r.BlockHash} {
		if !hashForm.MatchString(hash) {
			return ErrBadReceipt.Wrapf("%.80q is no hash", hash)
		}
	}
	return nil
}
