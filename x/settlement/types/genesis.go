package types

import "fmt"

// DefaultGenesis is the state of a new chain: nothing is settled.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks that the parts fit together.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	keys, err := g.validateKeys()
	if err != nil {
		return err
	}
	if err := g.validateTransactions(keys); err != nil {
		return err
	}
	lines, err := g.validateLines(keys)
	if err != nil {
		return err
	}
	if err := g.validateBatches(lines); err != nil {
		return err
	}
	return g.validateVotes(lines)
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
func (g GenesisState) validateTransactions(keys map[string]Key) error {
	nonces := make(map[string]bool, len(g.Transactions))
	for i, t := range g.Transactions {
		key, known := keys[t.KeyId]
		at := fmt.Sprint(t.KeyId, " ", t.Nonce)
		switch {
		case t.Id != uint64(i)+1:
			return ErrBadGenesis.Wrapf("transactions: %d stands where %d belongs", t.Id, i+1)
		case !known || t.Nonce >= key.NextNonce || nonces[at]:
			return ErrBadGenesis.Wrapf("transactions: %d has nonce %d of key %.80q, which it cannot have", t.Id, t.Nonce, t.KeyId)
		case len(t.Attempts) == 0:
			return ErrBadGenesis.Wrapf("transactions: %d has no attempt", t.Id)
		case t.Purpose.Validate() != nil || !addressForm.MatchString(t.Contract):
			return ErrBadGenesis.Wrapf("transactions: %d has purpose %d, contract %.80q", t.Id, t.Purpose, t.Contract)
		case t.Current().SignatureId != SignatureID(t.Id, t.Current().Number):
			return ErrBadGenesis.Wrapf("transactions: %d has signature %.80q", t.Id, t.Current().SignatureId)
		}
		nonces[at] = true
	}
	return nil
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

// validateBatches checks that each line has all its batches, without a gap.
func (g GenesisState) validateBatches(lines map[Purpose]Line) error {
	again := make(map[Purpose]Line, len(lines))
	for _, b := range g.Batches {
		l, begun := again[b.Purpose]
		if !begun {
			l = NewLine(b.Purpose)
		}
		if b.Number != l.NextBatch || b.TransactionId == 0 || b.TransactionId > uint64(len(g.Transactions)) {
			return ErrBadGenesis.Wrapf("batches: %s %d, transaction %d", b.Purpose, b.Number, b.TransactionId)
		}
		if t := g.Transactions[b.TransactionId-1]; t.Purpose != b.Purpose || t.Batch != b.Number {
			return ErrBadGenesis.Wrapf("batches: transaction %d does not settle %s %d", t.Id, b.Purpose, b.Number)
		}
		if _, err := l.Accept(b.Range, b.TransactionId, b.AcceptedHeight); err != nil {
			return ErrBadGenesis.Wrapf("batches: %s", err)
		}
		again[b.Purpose] = l
	}
	for _, l := range lines {
		got, begun := again[l.Purpose]
		if !begun {
			got = NewLine(l.Purpose)
		}
		if got.NextBatch != l.NextBatch || got.NextBlock != l.NextBlock {
			return ErrBadGenesis.Wrapf("lines: %s goes on at batch %d, block %d, its batches end before %d, %d",
				l.Purpose, l.NextBatch, l.NextBlock, got.NextBatch, got.NextBlock)
		}
		delete(again, l.Purpose)
	}
	if len(again) > 0 {
		return ErrBadGenesis.Wrap("batches: there are some of a purpose without a line")
	}
	return nil
}

func (g GenesisState) validateVotes(lines map[Purpose]Line) error {
	for _, p := range g.Proposals {
		l := lines[p.Purpose]
		if p.Operator == "" || p.Batch != l.NextBatch || l.Follows(p.Range) != nil {
			return ErrBadGenesis.Wrapf("proposals: that of %.80q is not of the next batch of %s", p.Operator, p.Purpose)
		}
	}
	for _, r := range g.Reports {
		if r.Operator == "" || r.TransactionId == 0 || r.TransactionId > uint64(len(g.Transactions)) ||
			g.Transactions[r.TransactionId-1].Status != TRANSACTION_STATUS_OPEN || r.Receipt.Validate() != nil {
			return ErrBadGenesis.Wrapf("reports: that of %.80q is not of an open transaction", r.Operator)
		}
	}
	return nil
}
