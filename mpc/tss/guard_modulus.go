package tss

import (
	"bytes"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"sync"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// auxiliary is what a participant publishes of its pre-parameters: a Paillier
// modulus, and modulus and bases of the range proofs.
type auxiliary struct{ n, nTilde, h1, h2 *big.Int }

// published is how kg1 and dg2m1 carry them, with the proofs that h1 and h2
// generate each other.
type published interface {
	GetPaillierN() []byte
	GetNTilde() []byte
	GetH1() []byte
	GetH2() []byte
	GetDlnproof_1() [][]byte
	GetDlnproof_2() [][]byte
}

// checkAuxiliary judges a peer's auxiliary parameters.
func checkAuxiliary(m published) (auxiliary, error) {
	a := auxiliary{number(m.GetPaillierN()), number(m.GetNTilde()), number(m.GetH1()), number(m.GetH2())}
	if err := a.check(); err != nil {
		return a, err
	}
	if err := a.checkFactors(); err != nil {
		return a, err
	}
	if err := checkDLN("Dlnproof_1", m.GetDlnproof_1(), a.nTilde); err != nil {
		return a, err
	}
	return a, checkDLN("Dlnproof_2", m.GetDlnproof_2(), a.nTilde)
}

// check judges everything but the factors of the moduli, in no time.
func (a auxiliary) check() error {
	return firstBroken(
		sizeRule("PaillierN", a.n),
		sizeRule("NTilde", a.nTilde),
		rule{"NTilde", a.n.Cmp(a.nTilde) != 0, "another modulus than PaillierN"},
		rule{"h1 or h2", inside(a.h1, a.nTilde) && inside(a.h2, a.nTilde), "above 1 and below NTilde"},
		rule{"h1 or h2", isUnit(a.h1, a.nTilde) && isUnit(a.h2, a.nTilde), "coprime to NTilde"},
		rule{"h2", a.h1.Cmp(a.h2) != 0, "different from h1"},
	)
}

// checkFactors judges the moduli as far as one can without their factors.
func (a auxiliary) checkFactors() error {
	return firstBroken(factorsRule("PaillierN", a.n), factorsRule("NTilde", a.nTilde))
}

// checkDLN wants two lists of 128 numbers, each behind its length: alpha, which
// are powers of a base, and T. The library takes a length as a signed 64-bit
// number and slices with it, and raises a base to T as long as T is. An honest
// T is taken modulo the order of the squares, about NTilde/4; that it or alpha
// is 0 or 1 does not happen.
func checkDLN(field string, parts [][]byte, nTilde *big.Int) error {
	if err := checkCount(field, parts, dlnParts); err != nil {
		return err
	}
	length := []byte{dlnIterations}
	alpha, t := parts[1:1+dlnIterations], parts[2+dlnIterations:]
	return firstBroken(
		rule{field, bytes.Equal(parts[0], length) && bytes.Equal(parts[1+dlnIterations], length), "two lists of 128"},
		unitsRule(field+" alpha", nTilde, alpha...),
		rule{field + " alpha", allInside(alpha, nTilde), "above 1"},
		rule{field + " T", allInside(t, nTilde), "above 1 and below its modulus"},
	)
}

func allInside(values [][]byte, n *big.Int) bool {
	for _, b := range values {
		if !inside(number(b), n) {
			return false
		}
	}
	return true
}

// sizeRule wants an odd number of exactly 2048 bits.
func sizeRule(field string, n *big.Int) rule {
	return rule{field, n.Sign() > 0 && n.BitLen() == modulusBits && n.Bit(0) == 1, "odd and of 2048 bits"}
}

// factorsRule wants a composite without a factor below 2^21.
func factorsRule(field string, n *big.Int) rule {
	return rule{field, !hasSmallFactor(n) && !n.ProbablyPrime(0), "a composite without small factors"}
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

// checkModProof judges the shape of the proof that n is a Paillier-Blum
// modulus, with what the library's verifier lacks: where W shares a factor with
// n, so that its Jacobi symbol is 0, moduli of many factors pass.
func checkModProof(parts [][]byte, n *big.Int) error {
	if err := checkCount("ModProof", parts, modParts); err != nil {
		return err
	}
	w := parts[0]
	x, z := parts[1:1+modIterations], parts[3+modIterations:]
	a, b := parts[1+modIterations], parts[2+modIterations]
	return firstBroken(
		unitsRule("ModProof W", n, w),
		unitsRule("ModProof X", n, x...),
		unitsRule("ModProof Z", n, z...),
		rule{"ModProof W", big.Jacobi(number(w), n) == -1, "a non-residue with Jacobi symbol -1"},
		rule{"ModProof A or B", isChallenge(a) && isChallenge(b), "81 bits long"},
	)
}

// isChallenge wants the 80 choices below a leading one.
func isChallenge(b []byte) bool {
	return len(b) == challengeBytes && number(b).BitLen() == modIterations+1
}

// directory holds the auxiliary parameters of a session.
type directory struct {
	own   auxiliary
	peers map[types.Operator]auxiliary
}

func newDirectory(own auxiliary) *directory {
	return &directory{own, make(map[types.Operator]auxiliary)}
}

// add remembers a peer's parameters. The proofs about h1 and h2 are bound to
// nobody, so they can be copied together with what they prove; who has the same
// as we have took it from us.
func (d *directory) add(from types.Operator, m published) error {
	a, err := checkAuxiliary(m)
	if err != nil {
		return err
	}
	if a.overlaps(d.own) {
		return fmt.Errorf("a modulus, h1 or h2 is our own")
	}
	d.peers[from] = a
	return nil
}

// of gives the parameters of a peer.
func (d *directory) of(from types.Operator) (auxiliary, error) {
	a, ok := d.peers[from]
	if !ok {
		return a, errNoParameters
	}
	return a, nil
}

// distinct wants no two peers to share a number: one of them took it from the
// other, and which of the two cannot be seen, but by the other. The library would blame
// whoever comes later in its order.
func (d *directory) distinct() error {
	same := make(map[types.Operator]bool)
	for x, a := range d.peers {
		for y, b := range d.peers {
			if x != y && a.overlaps(b) {
				same[x], same[y] = true, true
			}
		}
	}
	if len(same) == 0 {
		return nil
	}
	return &session.Fault{
		Culprits: slices.Sorted(maps.Keys(same)), Among: true, Err: fmt.Errorf("two peers have the same modulus, h1 or h2"),
	}
}

// overlaps reports whether two participants share a modulus or a base.
func (a auxiliary) overlaps(b auxiliary) bool {
	for _, x := range []*big.Int{a.n, a.nTilde} {
		if x.Cmp(b.n) == 0 || x.Cmp(b.nTilde) == 0 {
			return true
		}
	}
	for _, x := range []*big.Int{a.h1, a.h2} {
		if x.Cmp(b.h1) == 0 || x.Cmp(b.h2) == 0 {
			return true
		}
	}
	return false
}
