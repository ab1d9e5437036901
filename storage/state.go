package storage

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// state is what the database knows about itself; every batch rewrites it.
type state struct {
	// generation counts batches.
	generation uint64
	// entries counts all entries but the state itself.
	entries uint64
	// digest is the XOR of their MACs.
	digest [sha256.Size]byte
	// nextPreparams is the id of the next set, so that no id comes twice.
	nextPreparams uint64
	// shredding says that deleted keys may still be in the files.
	shredding bool
}

// stateBytes: three counters, the digest, one flag.
const stateBytes = 3*8 + sha256.Size + 1

func (s *state) encode() []byte {
	b := make([]byte, 0, stateBytes)
	b = binary.BigEndian.AppendUint64(b, s.generation)
	b = binary.BigEndian.AppendUint64(b, s.entries)
	b = binary.BigEndian.AppendUint64(b, s.nextPreparams)
	b = append(b, s.digest[:]...)
	if s.shredding {
		return append(b, 1)
	}
	return append(b, 0)
}

func decodeState(b []byte) (state, error) {
	if len(b) != stateBytes || b[stateBytes-1] > 1 {
		return state{}, fmt.Errorf("%w: the state has %d bytes, not %d, or a wrong flag", ErrEntryDamaged, len(b), stateBytes)
	}
	return state{
		generation:    binary.BigEndian.Uint64(b),
		entries:       binary.BigEndian.Uint64(b[8:]),
		nextPreparams: binary.BigEndian.Uint64(b[16:]),
		digest:        [sha256.Size]byte(b[24 : 24+sha256.Size]),
		shredding:     b[stateBytes-1] == 1,
	}, nil
}

// toggle adds an entry's MAC to the digest, or takes it out.
func (s *state) toggle(mac [sha256.Size]byte) {
	for i := range mac {
		s.digest[i] ^= mac[i]
	}
}
