package types

import "math"

// RootBytes is the length of a state root.
const RootBytes = 32

// Validate checks what needs no state.
func (r Range) Validate() error {
	switch {
	case len(r.StateRoot) != RootBytes:
		return ErrBadBatch.Wrapf("the root has %d bytes", len(r.StateRoot))
	case r.LastBlock < r.FirstBlock:
		return ErrBadBatch.Wrapf("from %d to %d", r.FirstBlock, r.LastBlock)
	case r.LastBlock == math.MaxUint64:
		return ErrBadBatch.Wrap("no batch could follow")
	}
	return nil
}

// NewLine is the line of a purpose that settled nothing yet.
func NewLine(purpose Purpose) Line { return Line{Purpose: purpose, NextBatch: 1} }

// Accept takes a range as the line's next batch. Of the first batch of all the range says
// where the line begins.
func (l *Line) Accept(r Range, transactionID uint64, height int64) (Batch, error) {
	if err := l.Follows(r); err != nil {
		return Batch{}, err
	}
	b := Batch{Purpose: l.Purpose, Number: l.NextBatch, Range: r, TransactionId: transactionID, AcceptedHeight: height}
	l.NextBatch, l.NextBlock = l.NextBatch+1, r.LastBlock+1
	return b, nil
}

// Shift moves the batch in time, for a chain that starts anew.
func (b *Batch) Shift(blocks int64) { b.AcceptedHeight += blocks }

// Follows says whether a range is the next one of the line.
func (l *Line) Follows(r Range) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if l.NextBatch > 1 && r.FirstBlock != l.NextBlock {
		return ErrNotNext.Wrapf("batch %d of %s begins at %d, not at %d", l.NextBatch, l.Purpose, l.NextBlock, r.FirstBlock)
	}
	return nil
}
