package types

import "fmt"

// DefaultGenesis is the state of a new chain: nothing is settled.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks that the parts fit together.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	if g.ExportHeight < 0 {
		return ErrBadGenesis.Wrapf("export_height %d is below 0", g.ExportHeight)
	}
	keys, err := g.validateKeys()
	if err != nil {
		return err
	}
	transactions, err := g.validateTransactions(keys)
	if err != nil {
		return err
	}
	lines, err := g.validateLines(keys)
	if err != nil {
		return err
	}
	if err := g.validateBatches(lines, transactions); err != nil {
		return err
	}
	return g.validateVotes(lines, transactions)
}

// LastID is that of the newest transaction that there was; 0: none was.
func (g GenesisState) LastID() uint64 {
	if n := len(g.Transactions); g.LastTransactionId == 0 && n > 0 {
		return g.Transactions[n-1].Id
	}
	return g.LastTransactionId
}

func (g GenesisState) validateKeys() (map[string]Key, error) {
	keys := make(map[string]Key, len(g.Keys))
	for _, key := range g.Keys {
		msg := MsgMakeKey{KeyId: key.Id, Takes: key.Takes}
		if err := msg.ValidateBasic(); err != nil {
			return nil, ErrBadGenesis.Wrapf("keys: %s", err)
		}
		if _, twice := keys[key.Id]; twice {
			return nil, ErrBadGenesis.Wrapf("keys: %s is there twice", key.Id)
		}
		if _, known := KeyStatus_name[int32(key.Status)]; !known || key.Status == KEY_STATUS_UNSPECIFIED {
			return nil, ErrBadGenesis.Wrapf("keys: %s has status %d", key.Id, key.Status)
		}
		keys[key.Id] = key
	}
	return keys, nil
}

// validateTransactions checks each, and that no nonce is there twice, or above the key's.
func (g GenesisState) validateTransactions(keys map[string]Key) (map[uint64]Transaction, error) {
	nonces, all := make(map[string]bool, len(g.Transactions)), make(map[uint64]Transaction, len(g.Transactions))
	before := uint64(0)
	for _, t := range g.Transactions {
		key, known := keys[t.KeyId]
		at := fmt.Sprint(t.KeyId, " ", t.Nonce)
		switch {
		case t.Id <= before || t.Id > g.LastID():
			return nil, ErrBadGenesis.Wrapf("transactions: %d stands after %d, of %d in all", t.Id, before, g.LastID())
		case !known || t.Nonce >= key.NextNonce || nonces[at]:
			return nil, ErrBadGenesis.Wrapf("transactions: %d has nonce %d of key %.80q, which it cannot have", t.Id, t.Nonce, t.KeyId)
		case key.ChainId != 0 && t.ChainId != key.ChainId:
			return nil, ErrBadGenesis.Wrapf("transactions: %d is for chain %d, the nonces of key %.80q are of chain %d", t.Id, t.ChainId, t.KeyId, key.ChainId)
		case len(t.Attempts) == 0:
			return nil, ErrBadGenesis.Wrapf("transactions: %d has no attempt", t.Id)
		case t.Purpose.Validate() != nil || !addressForm.MatchString(t.Contract):
			return nil, ErrBadGenesis.Wrapf("transactions: %d has purpose %d, contract %.80q", t.Id, t.Purpose, t.Contract)
		case t.Current().SignatureId != SignatureID(t.Id, t.Current().Number):
			return nil, ErrBadGenesis.Wrapf("transactions: %d has signature %.80q", t.Id, t.Current().SignatureId)
		case t.mostGas() == 0 || t.mostGas() > MaxGasLimit:
			return nil, ErrBadGenesis.Wrapf("transactions: %d has %d gas, not 1 to %d", t.Id, t.mostGas(), MaxGasLimit)
		case t.DoneHeight < 0 || t.DoneHeight > 0 && t.Status == TRANSACTION_STATUS_OPEN:
			return nil, ErrBadGenesis.Wrapf("transactions: %d is %s and done since height %d", t.Id, t.Status, t.DoneHeight)
		case t.newest() > g.ExportHeight:
			return nil, ErrBadGenesis.Wrapf("transactions: %d has height %d, export_height is %d: it must be the height of the chain whose state this is",
				t.Id, t.newest(), g.ExportHeight)
		}
		nonces[at], all[t.Id], before = true, t, t.Id
	}
	return all, nil
}

func (g GenesisState) validateLines(keys map[string]Key) (map[Purpose]Line, error) {
	lines := make(map[Purpose]Line, len(g.Lines))
	for _, l := range g.Lines {
		_, twice := lines[l.Purpose]
		switch {
		case twice || l.Purpose.Validate() != nil:
			return nil, ErrBadGenesis.Wrapf("lines: purpose %d is there twice, or unknown", l.Purpose)
		case l.NextBatch == 0:
			return nil, ErrBadGenesis.Wrapf("lines: batches of %s are counted from 1", l.Purpose)
		case l.KeyId != "" && keys[l.KeyId].Status != KEY_STATUS_READY:
			return nil, ErrBadGenesis.Wrapf("lines: %s has key %.80q, which is not READY", l.Purpose, l.KeyId)
		}
		lines[l.Purpose] = l
	}
	return lines, nil
}

// validateBatches checks that the batches of a line follow each other up to its newest one,
// which is always there; of those before some may be gone. A transaction has its batch.
func (g GenesisState) validateBatches(lines map[Purpose]Line, transactions map[uint64]Transaction) error {
	newest, there := make(map[Purpose]Batch, len(lines)), make(map[string]bool, len(g.Batches))
	for _, b := range g.Batches {
		before, begun := newest[b.Purpose]
		t := transactions[b.TransactionId]
		switch {
		case b.Range.Validate() != nil:
			return ErrBadGenesis.Wrapf("batches: %s %d: %s", b.Purpose, b.Number, b.Range.Validate())
		case b.Number == 0 || b.Number >= lines[b.Purpose].NextBatch:
			return ErrBadGenesis.Wrapf("batches: the line of %s has no batch %d yet", b.Purpose, b.Number)
		case begun && !b.comesAfter(before):
			return ErrBadGenesis.Wrapf("batches: %s %d does not come after %d", b.Purpose, b.Number, before.Number)
		case b.TransactionId == 0 || t.Id != b.TransactionId || t.Purpose != b.Purpose || t.Batch != b.Number:
			return ErrBadGenesis.Wrapf("batches: transaction %d does not settle %s %d", b.TransactionId, b.Purpose, b.Number)
		case b.AcceptedHeight > g.ExportHeight:
			return ErrBadGenesis.Wrapf("batches: %s %d was accepted at height %d, export_height is %d: it must be the height of the chain whose state this is",
				b.Purpose, b.Number, b.AcceptedHeight, g.ExportHeight)
		}
		newest[b.Purpose], there[b.name()] = b, true
	}
	for _, t := range g.Transactions {
		if b := (Batch{Purpose: t.Purpose, Number: t.Batch}); !there[b.name()] {
			return ErrBadGenesis.Wrapf("transactions: %d settles %s %d, which is not there", t.Id, t.Purpose, t.Batch)
		}
	}
	for _, l := range lines {
		next, nextBlock := uint64(1), uint64(0)
		if b, begun := newest[l.Purpose]; begun {
			next, nextBlock = b.Number+1, b.Range.LastBlock+1
		}
		if next != l.NextBatch || nextBlock != l.NextBlock {
			return ErrBadGenesis.Wrapf("lines: %s goes on at batch %d, block %d, its batches end before %d, %d",
				l.Purpose, l.NextBatch, l.NextBlock, next, nextBlock)
		}
	}
	return nil
}

func (b Batch) name() string { return fmt.Sprint(b.Purpose, " ", b.Number) }

// comesAfter: of two batches of a line, with or without others between them.
func (b Batch) comesAfter(before Batch) bool {
	next := before.Range.LastBlock + 1
	if b.Number == before.Number+1 {
		return b.Range.FirstBlock == next
	}
	return b.Number > before.Number && b.Range.FirstBlock > next
}

func (g GenesisState) validateVotes(lines map[Purpose]Line, transactions map[uint64]Transaction) error {
	for _, p := range g.Proposals {
		l := lines[p.Purpose]
		if p.Operator == "" || p.Batch != l.NextBatch || l.Follows(p.Range) != nil {
			return ErrBadGenesis.Wrapf("proposals: that of %.80q is not of the next batch of %s", p.Operator, p.Purpose)
		}
	}
	for _, r := range g.Reports {
		if r.Operator == "" || transactions[r.TransactionId].Status != TRANSACTION_STATUS_OPEN || r.Receipt.Validate() != nil {
			return ErrBadGenesis.Wrapf("reports: that of %.80q is not of an open transaction", r.Operator)
		}
	}
	return nil
}
