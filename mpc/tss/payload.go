package tss

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// payload is what this participant attests of the key. The library's lists are
// by party key, the payload's by operator.
func (s *share) payload(r *roster) types.KeygenPayload {
	p := types.KeygenPayload{PublicKey: compressPoint(s.Data.ECDSAPub)}
	for _, op := range r.operators {
		p.PublicShares = append(p.PublicShares, compressPoint(s.Data.BigXj[r.index(op)]))
	}
	p.ParametersHash = s.parametersHash(r)
	return p
}

// parametersHash is SHA-256 over a domain, the threshold and, for each
// participant in order of operator: party key, share commitment, NTilde, h1,
// h2 and Paillier modulus. Each field has its length in front (8 bytes, big
// endian); numbers are big endian without leading zeros, points compressed.
// Participants with different views of any of it could never sign together.
func (s *share) parametersHash(r *roster) types.Hash {
	var buf []byte
	field := func(b []byte) {
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(b)))
		buf = append(buf, b...)
	}
	number := func(x *big.Int) { field(x.Bytes()) }
	field([]byte("sequencer/mpc/v1/parameters"))
	field(binary.BigEndian.AppendUint64(nil, uint64(s.Threshold)))
	field(binary.BigEndian.AppendUint64(nil, uint64(len(r.operators))))
	for _, op := range r.operators {
		i := r.index(op)
		number(s.Data.Ks[i])
		field(compressPoint(s.Data.BigXj[i]))
		number(s.Data.NTildej[i])
		number(s.Data.H1j[i])
		number(s.Data.H2j[i])
		number(s.Data.PaillierPKs[i].N)
	}
	return sha256.Sum256(buf)
}
