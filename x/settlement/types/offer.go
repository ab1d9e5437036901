package types

// Offer is what is paid for each gas, in wei.
type Offer struct {
	// Fee is the most in all, Tip the most of that for who makes the block.
	Fee, Tip uint64
}

// Offer is what the transaction offers by now.
func (t *Transaction) Offer() Offer {
	a := t.Current()
	return Offer{a.FeePerGas, a.TipPerGas}
}

// Included is what the transaction was included with; false if it was not, or by a hash of which it
// is not known.
func (t *Transaction) Included() (Offer, bool) {
	if t.Receipt == nil || t.Current().Hash != t.Receipt.Hash {
		return Offer{}, false
	}
	return t.Offer(), true
}

// Max is the higher one, of each part.
func (o Offer) Max(other Offer) Offer { return Offer{max(o.Fee, other.Fee), max(o.Tip, other.Tip)} }

// capped is at most so much.
func (o Offer) capped(most uint64) Offer { return Offer{min(o.Fee, most), min(o.Tip, most)} }

// start is the first offer of a transaction: a step below what the one of the key before it was
// included with. So it need not climb as that did, and offers go down again by steps.
func (p Params) start(before Offer) Offer {
	step := Offer{lowered(before.Fee, p.BumpPercent), lowered(before.Tip, p.BumpPercent)}
	return Offer{p.StartFeePerGas, p.StartTipPerGas}.Max(step).capped(p.MaxFeePerGas)
}

// bump is the offer after another one: a step above it, or as much as the one of the key before was
// included with.
func (p Params) bump(last, before Offer) Offer {
	return Offer{raised(last.Fee, p.BumpPercent), raised(last.Tip, p.BumpPercent)}.Max(before).capped(p.MaxFeePerGas)
}

// replaces: nodes take it in the place of the last one.
func (o Offer) replaces(last Offer) bool {
	return o.Fee >= raised(last.Fee, MinBumpPercent) && o.Tip >= raised(last.Tip, MinBumpPercent)
}

// raised is n and so many percent of it, rounded up. It does not overflow: n is MaxFee and
// the percents MaxBumpPercent at most.
func raised(n uint64, percent uint32) uint64 {
	p := uint64(percent)
	return n + n/100*p + (n%100*p+99)/100
}

// lowered is the largest number of which raised is at most n. It does not overflow.
func lowered(n uint64, percent uint32) uint64 {
	whole := 100 + uint64(percent)
	return n/whole*100 + n%whole*100/whole
}
