package storage

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// state is what one of the two databases knows about itself and the other;
// every batch rewrites it.
type state struct {
	// generation counts the batches of this database.
	generation uint64
	// seen is the generation that the other database had, synced, when this was
	// written: an older one must never be found beside it.
	seen uint64
	// entries counts all entries but the state itself.
	entries uint64
	// digest is the XOR of their MACs.
	digest [sha256.Size]byte
	// nextPreparams is the id of the next set, so that no id comes twice. Used in
	// the main database alone.
	nextPreparams uint64
	// shredding says that this batch deleted wrapped keys, which may be in the
	// files until the main database has seen this generation. Used in the key
	// database alone.
	shredding bool
}

// stateBytes: four counters, the digest, one flag.
const stateBytes = 4*8 + sha256.Size + 1

func (s *state) encode() []byte {
	b := make([]byte, 0, stateBytes)
	for _, n := range []uint64{s.generation, s.seen, s.entries, s.nextPreparams} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	b = append(b, s.digest[:]...)
	return append(b, boolByte(s.shredding))
}

func decodeState(b []byte) (state, error) {
	d := decoder{rest: b}
	s := state{generation: d.u64(), seen: d.u64(), entries: d.u64(), nextPreparams: d.u64()}
	copy(s.digest[:], d.take(len(s.digest)))
	s.shredding = d.bool()
	d.expect(len(d.rest) == 0, "end")
	if d.err != nil {
		return state{}, fmt.Errorf("%w: state: %w", ErrEntryDamaged, d.err)
	}
	return s, nil
}

// toggle adds an entry's MAC to the digest, or takes it out.
func (s *state) toggle(mac [sha256.Size]byte) {
	for i := range mac {
		s.digest[i] ^= mac[i]
	}
}
