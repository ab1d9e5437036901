package types

import "slices"

// Handover is what a reshare has beside its members: who held the key in the
// epoch before, and who shall hold it. Members of the request are both.
type Handover struct {
	// Holders are the committee of the epoch before, ascending, and Threshold is
	// its: Threshold+1 of them deal their shares anew.
	Holders   []Operator
	Threshold int
	// PublicShares are the holders' share commitments in the order of Holders,
	// compressed: what tells an honest dealer from another.
	PublicShares [][]byte
	// Receivers are the committee of the new epoch, ascending. All of them take
	// part. Its threshold is the request's.
	Receivers []Operator
}

// DealersNeeded is how many holders deal.
func (h *Handover) DealersNeeded() int { return h.Threshold + 1 }

// Holds says whether somebody was in the committee of the epoch before.
func (h *Handover) Holds(op Operator) bool { return slices.Contains(h.Holders, op) }

// Receives says whether somebody is in the committee of the new epoch.
func (h *Handover) Receives(op Operator) bool { return slices.Contains(h.Receivers, op) }

func (h *Handover) signBytes(s *signBytes) {
	s.u64(uint64(h.Threshold)).u64(uint64(len(h.Holders)))
	for i, op := range h.Holders {
		s.str(string(op)).bytes(h.PublicShares[i])
	}
	s.u64(uint64(len(h.Receivers)))
	for _, op := range h.Receivers {
		s.str(string(op))
	}
}

// ReshareTestDigest is what the new shares of a reshare sign before the chain believes
// in them: a hash that the chain lets nobody ask a signature of meanwhile, and that nobody
// could ask for before, since nobody knew the seed. A test of before there were seeds has
// none.
func ReshareTestDigest(chainID string, key KeyID, epoch uint64, session Context, seed []byte) Hash {
	s := newSignBytes("reshare-test").str(chainID).str(string(key)).u64(epoch).hash(session)
	if len(seed) > 0 {
		s.bytes(seed)
	}
	return s.sum()
}
