package tss

import (
	"fmt"
	"math/big"
	"sync"

	"github.com/bnb-chain/tss-lib/v2/tss"
)

// Numbers travel as big endian bytes without a sign, so a peer's number is
// never negative. Leading zeros may be there or not.
func number(b []byte) *big.Int { return new(big.Int).SetBytes(b) }

// power is q^n for n up to 7, q being the group order. Nobody may write to it.
func power(n int) *big.Int { return powers()[n] }

var powers = sync.OnceValue(func() [8]*big.Int {
	p := [8]*big.Int{big.NewInt(1)}
	for i := 1; i < len(p); i++ {
		p[i] = new(big.Int).Mul(p[i-1], groupOrder())
	}
	return p
})

// isScalar reports 0 < x < q in at most 32 bytes.
func isScalar(b []byte) bool {
	return len(b) <= scalarBytes && number(b).Sign() > 0 && number(b).Cmp(groupOrder()) < 0
}

// scalarRule is for numbers that are uniform modulo q, or as good as that: an
// honest one is zero with probability 1/q.
func scalarRule(field string, b []byte) rule {
	return rule{field, isScalar(b), "between 1 and q-1"}
}

// hashRule is for commitments and the random numbers in them.
func hashRule(field string, b []byte) rule {
	return rule{field, len(b) <= scalarBytes, "at most 32 bytes"}
}

// fromToRule wants low <= x <= high.
func fromToRule(field string, b []byte, low, high *big.Int, want string) rule {
	x := number(b)
	return rule{field, x.Cmp(low) >= 0 && x.Cmp(high) <= 0, want}
}

// belowRule wants x < bound.
func belowRule(field string, b []byte, bound *big.Int, want string) rule {
	return rule{field, number(b).Cmp(bound) < 0, "below " + want}
}

// pointRule wants a point of the curve in affine coordinates. The library takes
// coordinates of any length modulo the field prime, so that one point would
// have many encodings.
func pointRule(field string, x, y []byte) rule {
	curve := tss.S256()
	ok := len(x) <= scalarBytes && len(y) <= scalarBytes &&
		number(x).Cmp(curve.Params().P) < 0 && number(y).Cmp(curve.Params().P) < 0 &&
		curve.IsOnCurve(number(x), number(y))
	return rule{field, ok, "a point of the curve"}
}

// checkPoints wants a decommitment of this many points behind a random number.
func checkPoints(field string, parts [][]byte, points int) error {
	if err := checkCount(field, parts, 1+2*points); err != nil {
		return err
	}
	rules := []rule{hashRule(field+" 0", parts[0])}
	for i := 1; i < len(parts); i += 2 {
		rules = append(rules, pointRule(fmt.Sprintf("%s %d", field, i), parts[i], parts[i+1]))
	}
	return firstBroken(rules...)
}

// unitsRule wants 0 < x < n and gcd(x, n) = 1 for all x.
func unitsRule(field string, n *big.Int, values ...[]byte) rule {
	return coprimeRule(field, n, n, values...)
}

// coprimeRule wants 0 < x < bound and gcd(x, n) = 1 for all x, n being positive
// where bound is. The product is coprime to n exactly if all are, so one gcd is
// enough; and a unit modulo n^2 is what is coprime to n.
func coprimeRule(field string, n, bound *big.Int, values ...[]byte) rule {
	product := big.NewInt(1)
	for _, b := range values {
		x := number(b)
		if x.Sign() == 0 || x.Cmp(bound) >= 0 {
			return rule{field, false, "below its modulus"}
		}
		product.Mod(product.Mul(product, x), n)
	}
	return rule{field, isUnit(product, n), "coprime to its modulus"}
}
