package tss

import (
	"fmt"
	"math/big"

	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
)

// Sizes of the pre-parameters in bits.
const (
	// modulusBits is exact for a Paillier modulus and for NTilde.
	modulusBits = 8 * modulusBytes
	// safePrimeBits is exact for the four safe primes.
	safePrimeBits = modulusBits / 2
	// primeDistanceBits: two primes of a modulus differ by more than 2^924
	// (FIPS 186-5, A.1.3: 2^(nlen/2-100)).
	primeDistanceBits = safePrimeBits - 100
)

// ValidatePreparams checks an encoded set completely: sizes, primality, and
// that the numbers fit each other. Most of its time is primality (BenchmarkChecks).
// It accepts fixtures.
func ValidatePreparams(encoded []byte) error {
	p, err := decodePreparams(encoded)
	if err != nil {
		return err
	}
	defer wipePreparams(&p.Data)
	return validatePreparams(&p.Data)
}

// validatePreparams is checkPreparamNumbers and all primality. The library
// looks for nil only.
func validatePreparams(p *keygen.LocalPreParams) error {
	if err := checkPreparamNumbers(p); err != nil {
		return err
	}
	halves := []*big.Int{half(p.PaillierSK.P), half(p.PaillierSK.Q), p.P, p.Q}
	for i, x := range halves {
		if !isSafePrimeHalf(x) {
			return fmt.Errorf("pre-parameters: prime %d is not a safe prime", i+1)
		}
		for j := range i {
			if tooClose(safePrime(x), safePrime(halves[j])) {
				return fmt.Errorf("pre-parameters: primes %d and %d are too close", j+1, i+1)
			}
		}
	}
	// h1 has order pq: it is a square, and 1 modulo neither prime.
	pq := new(big.Int).Mul(p.P, p.Q)
	if new(big.Int).Exp(p.H1i, pq, p.NTildei).Cmp(one) != 0 || !isUnit(new(big.Int).Sub(p.H1i, one), p.NTildei) {
		return fmt.Errorf("pre-parameters: h1 does not generate the squares")
	}
	return nil
}

// checkPreparamNumbers checks sizes and that N = PQ, NTilde = (2p+1)(2q+1),
// h2 = h1^alpha modulo NTilde, alpha beta = 1 modulo pq.
func checkPreparamNumbers(p *keygen.LocalPreParams) error {
	if !p.ValidateWithProof() || p.PaillierSK.N == nil || p.PaillierSK.LambdaN == nil || p.PaillierSK.PhiN == nil {
		return fmt.Errorf("pre-parameters: a number is missing")
	}
	if err := checkPaillierKey(p); err != nil {
		return err
	}
	for _, x := range []*big.Int{p.P, p.Q} {
		if x.Sign() <= 0 || x.BitLen() != safePrimeBits-1 {
			return fmt.Errorf("pre-parameters: a prime of NTilde has not %d bits", safePrimeBits)
		}
	}
	pq := new(big.Int).Mul(p.P, p.Q)
	nTilde := new(big.Int).Mul(safePrime(p.P), safePrime(p.Q))
	switch {
	case nTilde.Cmp(p.NTildei) != 0 || nTilde.BitLen() != modulusBits:
		return fmt.Errorf("pre-parameters: NTilde is not (2p+1)(2q+1)")
	case !inside(p.H1i, nTilde) || !inside(p.H2i, nTilde) || p.H1i.Cmp(p.H2i) == 0:
		return fmt.Errorf("pre-parameters: h1 or h2 is out of range")
	case !inside(p.Alpha, nTilde) || !inside(p.Beta, pq):
		return fmt.Errorf("pre-parameters: alpha or beta is out of range")
	case new(big.Int).Exp(p.H1i, p.Alpha, nTilde).Cmp(p.H2i) != 0:
		return fmt.Errorf("pre-parameters: h2 is not h1^alpha")
	}
	ab := new(big.Int).Mul(p.Alpha, p.Beta)
	if ab.Mod(ab, pq).Cmp(one) != 0 {
		return fmt.Errorf("pre-parameters: alpha times beta is not 1")
	}
	return nil
}

func checkPaillierKey(pre *keygen.LocalPreParams) error {
	sk := pre.PaillierSK
	for _, x := range []*big.Int{sk.P, sk.Q} {
		if x.Sign() <= 0 || x.BitLen() != safePrimeBits {
			return fmt.Errorf("pre-parameters: a prime of the Paillier key has not %d bits", safePrimeBits)
		}
	}
	phi, lambda := paillierTotients(sk.P, sk.Q)
	switch {
	case new(big.Int).Mul(sk.P, sk.Q).Cmp(sk.N) != 0 || sk.N.BitLen() != modulusBits:
		return fmt.Errorf("pre-parameters: N is not P times Q")
	case phi.Cmp(sk.PhiN) != 0 || lambda.Cmp(sk.LambdaN) != 0:
		return fmt.Errorf("pre-parameters: phi or lambda does not fit the Paillier key")
	}
	return nil
}

// inside reports 1 < x < n.
func inside(x, n *big.Int) bool { return x.Cmp(one) > 0 && x.Cmp(n) < 0 }

// isUnit reports gcd(x, n) = 1 for x > 0.
func isUnit(x, n *big.Int) bool {
	return x.Sign() > 0 && new(big.Int).GCD(nil, nil, x, n).Cmp(one) == 0
}

// tooClose: from the product of such primes Fermat's method might find them.
func tooClose(p, q *big.Int) bool {
	return new(big.Int).Sub(p, q).BitLen() <= primeDistanceBits
}
