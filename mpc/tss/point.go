package tss

import (
	"fmt"
	"math/big"

	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// isCurvePoint reports whether p is a point of secp256k1 with coordinates in
// range. The library's own check takes coordinates of any length modulo the field
// prime, and a point of any curve.
func isCurvePoint(p *crypto.ECPoint) bool {
	if !p.ValidateBasic() || !tss.SameCurve(p.Curve(), tss.S256()) {
		return false
	}
	prime := tss.S256().Params().P
	return inField(p.X(), prime) && inField(p.Y(), prime)
}

func inField(x, prime *big.Int) bool { return x.Sign() >= 0 && x.Cmp(prime) < 0 }

// compressPoint encodes a point of secp256k1 (SEC 1, 2.3.3): 02 or 03 for the
// parity of y, then x in 32 bytes.
func compressPoint(p *crypto.ECPoint) []byte {
	out := make([]byte, 1+scalarBytes)
	out[0] = 2 + byte(p.Y().Bit(0))
	p.X().FillBytes(out[1:])
	return out
}

// decompressPoint is the inverse of compressPoint.
func decompressPoint(compressed []byte) (*crypto.ECPoint, error) {
	if len(compressed) != 1+scalarBytes {
		return nil, fmt.Errorf("a compressed point has %d bytes, not %d", 1+scalarBytes, len(compressed))
	}
	p, err := secp256k1.ParsePubKey(compressed)
	if err != nil {
		return nil, fmt.Errorf("decode a point: %w", err)
	}
	return crypto.NewECPoint(tss.S256(), p.X(), p.Y())
}

// interpolateZero gives the value at zero of the polynomial through these
// points, in the exponent; nil if it is not a point of the curve.
func interpolateZero(keys []*big.Int, points []*crypto.ECPoint) *crypto.ECPoint {
	var sum *crypto.ECPoint
	for i, term := range termsAtZero(keys, points) {
		if i == 0 {
			sum = term
			continue
		}
		next, err := sum.Add(term)
		if err != nil {
			return nil
		}
		sum = next
	}
	return sum
}

// termsAtZero gives what each point adds to the value at zero of the polynomial
// through all of them: the point times its Lagrange coefficient. It gives
// nothing if two keys are the same modulo q. No key may be zero modulo q.
func termsAtZero(keys []*big.Int, points []*crypto.ECPoint) []*crypto.ECPoint {
	q := groupOrder()
	var terms []*crypto.ECPoint
	for i := range keys {
		l := big.NewInt(1)
		for j := range keys {
			if j == i {
				continue
			}
			d := new(big.Int).Sub(keys[j], keys[i])
			d.Mod(d, q)
			if d.Sign() == 0 {
				return nil
			}
			l.Mul(l, keys[j])
			l.Mul(l, d.ModInverse(d, q))
			l.Mod(l, q)
		}
		terms = append(terms, points[i].ScalarMult(l))
	}
	return terms
}
