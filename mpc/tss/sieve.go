package tss

import (
	"io"
	"iter"
	"math/big"
	"sync"
)

const (
	// sieveBound: candidates for q with a factor of q or 2q+1 below it are
	// struck out. Going from 2^17 to 2^21 saves a third of the tests.
	sieveBound = 1 << 21
	// windowLength is how many odd numbers are sieved at once; about 2.7 of
	// them belong to safe primes.
	windowLength = 1 << 19
)

// sievePrimes lists the odd primes below sieveBound, ascending.
var sievePrimes = sync.OnceValue(func() []uint32 {
	composite := make([]bool, sieveBound)
	primes := make([]uint32, 0, 155610) // pi(2^21) - 1
	for i := 3; i < sieveBound; i += 2 {
		if composite[i] {
			continue
		}
		primes = append(primes, uint32(i))
		for j := i * i; j < sieveBound; j += 2 * i {
			composite[j] = true
		}
	}
	return primes
})

// window is a run of odd numbers base, base+2, ... with those struck out that
// cannot be q of a safe prime 2q+1.
type window struct {
	bits   int
	primes []uint32
	base   *big.Int
	struck []bool
}

// newWindow makes a window of that many odd numbers that begins at one of that many
// bits, and sieves with these primes, all below any q.
func newWindow(bits, length int, primes []uint32) *window {
	return &window{bits: bits, primes: primes, base: new(big.Int), struck: make([]bool, length)}
}

// draw starts a new window at a random odd number, the two upper bits set, so that
// the product of two safe primes has exactly twice as many bits as each.
func (w *window) draw(rand io.Reader) error {
	bits := w.bits
	buf := make([]byte, (bits+7)/8)
	if _, err := io.ReadFull(rand, buf); err != nil {
		return err
	}
	buf[0] &= 0xff >> (8*len(buf) - bits)
	w.base.SetBytes(buf)
	w.base.SetBit(w.base, bits-1, 1).SetBit(w.base, bits-2, 1).SetBit(w.base, 0, 1)
	w.strike()
	return nil
}

// strike sieves for q = base+2i and for 2q+1.
func (w *window) strike() {
	clear(w.struck)
	primes := w.primes
	quo, rem, div := new(big.Int), new(big.Int), new(big.Int)
	for i := 0; i < len(primes); {
		// One long division serves as many primes as fit into a word.
		product, j := uint64(1), i
		for ; j < len(primes) && product < 1<<63/uint64(primes[j]); j++ {
			product *= uint64(primes[j])
		}
		quo.QuoRem(w.base, div.SetUint64(product), rem)
		r := rem.Uint64()
		for ; i < j; i++ {
			w.strikePrime(uint64(primes[i]), r%uint64(primes[i]))
		}
	}
}

// strikePrime strikes out multiples of p: base+2i = 0 at i = -base/2, and
// 2(base+2i)+1 = 0 at i = (-1/2 - base)/2, where 1/2 = (p+1)/2 modulo p.
func (w *window) strikePrime(p, base uint64) {
	length := uint64(len(w.struck))
	inverse2 := (p + 1) / 2
	first := (p - base) % p * inverse2 % p
	second := ((p-1)/2 + p - base) % p * inverse2 % p
	for i := first; i < length; i += p {
		w.struck[i] = true
	}
	for i := second; i < length; i += p {
		w.struck[i] = true
	}
}

// candidates yields what is left, ascending.
func (w *window) candidates() iter.Seq[*big.Int] {
	return func(yield func(*big.Int) bool) {
		for i, struck := range w.struck {
			if struck {
				continue
			}
			if !yield(new(big.Int).Add(w.base, big.NewInt(2*int64(i)))) {
				return
			}
		}
	}
}
