package tss

import (
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// guard judges what peers sent before the library sees it. Its errors name the
// field and the rule. One guard serves one session; what it learns in a round
// it may use in a later one.
type guard interface {
	// message judges a message of a peer; an error is that peer's fault.
	message(from types.Operator, content tss.MessageContent) error
	// complete judges a round as a whole, after each of its messages passed.
	complete(round uint32) error
	// sent takes note of a message of our own.
	sent(content tss.MessageContent)
}

// errNoRule means that a message type has no rules, which is a mistake of ours:
// every type must have some.
var errNoRule = errors.New("the guard has no rules for this message")

// rule is a condition that a field must meet.
type rule struct {
	field string
	holds bool
	want  string
}

// firstBroken gives an error for the first rule that does not hold.
func firstBroken(rules ...rule) error {
	for _, r := range rules {
		if !r.holds {
			return fmt.Errorf("%s is not %s", r.field, r.want)
		}
	}
	return nil
}

func number(b []byte) *big.Int { return new(big.Int).SetBytes(b) }

// isScalar reports 0 < x < q in at most 32 bytes.
func isScalar(b []byte) bool {
	return len(b) <= scalarBytes && number(b).Sign() > 0 && number(b).Cmp(groupOrder()) < 0
}

func scalarRule(field string, b []byte) rule {
	return rule{field, isScalar(b), "between 1 and q-1"}
}

// hashRule is for commitments and the random numbers in them.
func hashRule(field string, b []byte) rule {
	return rule{field, len(b) <= scalarBytes, "at most 32 bytes"}
}

// pointRule wants a point of the curve in affine coordinates. The library cuts
// coordinates to 32 bytes before it looks, so that one point would have many
// encodings.
func pointRule(field string, x, y []byte) rule {
	curve := tss.S256()
	ok := len(x) <= scalarBytes && len(y) <= scalarBytes &&
		number(x).Cmp(curve.Params().P) < 0 && number(y).Cmp(curve.Params().P) < 0 &&
		curve.IsOnCurve(number(x), number(y))
	return rule{field, ok, "a point of the curve"}
}

// modulusRule wants an odd composite number of exactly 2048 bits without a
// factor below 2^21.
func modulusRule(field string, n *big.Int) rule {
	ok := n.BitLen() == modulusBits && n.Bit(0) == 1 && !hasSmallFactor(n) && !n.ProbablyPrime(0)
	return rule{field, ok, "an odd composite of 2048 bits without small factors"}
}

// hasSmallFactor looks for a factor below sieveBound.
func hasSmallFactor(n *big.Int) bool {
	return !isUnit(new(big.Int).Mod(smallPrimorial(), n), n)
}

// smallPrimorial is the product of all odd primes below sieveBound, three
// million bits. One division by it replaces 155 610.
var smallPrimorial = sync.OnceValue(func() *big.Int {
	primes := sievePrimes()
	layer := make([]*big.Int, len(primes))
	for i, p := range primes {
		layer[i] = new(big.Int).SetUint64(uint64(p))
	}
	for len(layer) > 1 {
		var next []*big.Int
		for i := 0; i+1 < len(layer); i += 2 {
			next = append(next, new(big.Int).Mul(layer[i], layer[i+1]))
		}
		if len(layer)%2 == 1 {
			next = append(next, layer[len(layer)-1])
		}
		layer = next
	}
	return layer[0]
})

// unitsRule wants 0 < x < n and gcd(x, n) = 1 for all x. The product is a unit
// exactly if all are, so one gcd is enough.
func unitsRule(field string, n *big.Int, values ...[]byte) rule {
	product := big.NewInt(1)
	for _, b := range values {
		x := number(b)
		if len(b) > squareBytes || x.Sign() == 0 || x.Cmp(n) >= 0 {
			return rule{field, false, "below its modulus"}
		}
		product.Mod(product.Mul(product, x), n)
	}
	return rule{field, isUnit(product, n), "coprime to its modulus"}
}
