package types

import (
	"crypto/sha256"
	"encoding/binary"
)

// signBytes builds what is signed or hashed: a domain, then fields, each with
// its length in front (8 bytes, big endian), so that no two different lists of
// fields give the same bytes.
type signBytes struct{ buf []byte }

func newSignBytes(domain string) *signBytes {
	s := &signBytes{buf: make([]byte, 0, 256)}
	return s.str("sequencer/mpc/v1/" + domain)
}

func (s *signBytes) bytes(b []byte) *signBytes {
	s.buf = binary.BigEndian.AppendUint64(s.buf, uint64(len(b)))
	s.buf = append(s.buf, b...)
	return s
}

func (s *signBytes) str(v string) *signBytes { return s.bytes([]byte(v)) }

func (s *signBytes) hash(h Hash) *signBytes { return s.bytes(h[:]) }

func (s *signBytes) u64(v uint64) *signBytes {
	s.buf = binary.BigEndian.AppendUint64(s.buf, 8)
	s.buf = binary.BigEndian.AppendUint64(s.buf, v)
	return s
}

func (s *signBytes) sum() Hash { return sha256.Sum256(s.buf) }
