package tss

import (
	"bytes"
	crand "crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"math/big"

	"github.com/bnb-chain/tss-lib/v2/crypto/paillier"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// preparams is a set of keygen pre-parameters: a Paillier key and the auxiliary
// modulus of the range proofs. A set is secret and serves one keygen.
type preparams struct {
	// Insecure marks a published test fixture.
	Insecure bool
	Data     keygen.LocalPreParams
}

// preparamsVersion is the format of an encoded set.
const preparamsVersion = 1

const preparamsKind = "ecdsa-secp256k1-preparams"

// MaxPreparamsBytes bounds an encoded set: eight numbers of up to 617 digits,
// four of 309, names and syntax.
const MaxPreparamsBytes = 8 << 10

// preparamsEnvelope is the encoding: JSON in this order of fields.
type preparamsEnvelope struct {
	Version  int                   `json:"version"`
	Kind     string                `json:"kind"`
	Insecure bool                  `json:"insecure"`
	Data     keygen.LocalPreParams `json:"data"`
}

func (p *preparams) encode() ([]byte, error) {
	bz, err := json.Marshal(&preparamsEnvelope{preparamsVersion, preparamsKind, p.Insecure, p.Data})
	if err != nil {
		return nil, fmt.Errorf("encode pre-parameters: %w", err)
	}
	return bz, nil
}

// decodePreparams accepts only what encode makes. It checks the form;
// validatePreparams checks the numbers.
func decodePreparams(bz []byte) (*preparams, error) {
	if len(bz) > MaxPreparamsBytes {
		return nil, fmt.Errorf("pre-parameters have %d bytes, at most %d are allowed", len(bz), MaxPreparamsBytes)
	}
	var e preparamsEnvelope
	if err := decodeStrict(bz, &e); err != nil {
		return nil, fmt.Errorf("decode pre-parameters: %w", err)
	}
	if e.Version != preparamsVersion || e.Kind != preparamsKind {
		return nil, fmt.Errorf("pre-parameters have version %d and kind %.40q, this program reads %d and %q", e.Version, e.Kind, preparamsVersion, preparamsKind)
	}
	p := &preparams{e.Insecure, e.Data}
	again, err := p.encode()
	defer types.Wipe(again)
	if err != nil || !bytes.Equal(again, bz) {
		return nil, fmt.Errorf("pre-parameters are not in their canonical encoding")
	}
	return p, nil
}

// buildPreparams makes a Paillier key of the first two safe primes 2x+1 and
// auxiliary parameters of the other two, as the library's own generator does.
func buildPreparams(rand io.Reader, halves []*big.Int) (*preparams, error) {
	p, q := halves[2], halves[3]
	nTilde := new(big.Int).Mul(safePrime(p), safePrime(q))
	pq := new(big.Int).Mul(p, q)
	// h1 = f^2 generates the squares modulo NTilde, h2 = h1^alpha.
	f, err := randomUnit(rand, nTilde)
	if err != nil {
		return nil, err
	}
	alpha, err := randomUnit(rand, nTilde)
	if err != nil {
		return nil, err
	}
	beta := new(big.Int).ModInverse(alpha, pq)
	if beta == nil {
		return nil, fmt.Errorf("alpha has no inverse, which tells that a prime is none")
	}
	h1 := new(big.Int).Mul(f, f)
	h1.Mod(h1, nTilde)
	return &preparams{Data: keygen.LocalPreParams{
		PaillierSK: paillierKey(safePrime(halves[0]), safePrime(halves[1])),
		NTildei:    nTilde, H1i: h1, H2i: new(big.Int).Exp(h1, alpha, nTilde),
		Alpha: alpha, Beta: beta, P: p, Q: q,
	}}, nil
}

// randomUnit draws a number that is coprime to n.
func randomUnit(rand io.Reader, n *big.Int) (*big.Int, error) {
	for {
		x, err := crand.Int(rand, n)
		if err != nil {
			return nil, fmt.Errorf("read randomness: %w", err)
		}
		if isUnit(x, n) {
			return x, nil
		}
	}
}

func paillierKey(p, q *big.Int) *paillier.PrivateKey {
	phi, lambda := paillierTotients(p, q)
	return &paillier.PrivateKey{
		PublicKey: paillier.PublicKey{N: new(big.Int).Mul(p, q)},
		LambdaN:   lambda, PhiN: phi, P: p, Q: q,
	}
}

// paillierTotients gives phi(pq) and lambda(pq) of primes p and q.
func paillierTotients(p, q *big.Int) (phi, lambda *big.Int) {
	pm, qm := new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)
	phi = new(big.Int).Mul(pm, qm)
	return phi, new(big.Int).Div(phi, new(big.Int).GCD(nil, nil, pm, qm))
}

// MarkInsecure gives the same pre-parameters marked as a published test
// fixture; a key made with them is marked too. There is no way back.
func MarkInsecure(encoded []byte) ([]byte, error) {
	p, err := decodePreparams(encoded)
	if err != nil {
		return nil, err
	}
	defer wipePreparams(&p.Data)
	p.Insecure = true
	return p.encode()
}
