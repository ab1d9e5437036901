package tss

import (
	"context"
	"io"
	"math/big"
)

// SieveBound is below what the sieve knows factors.
const SieveBound = sieveBound

// SafePrimeBits is the length of a safe prime.
const SafePrimeBits = safePrimeBits

// SievePrimes are the odd primes that the sieve strikes with, below a bound.
func SievePrimes(bound uint32) []uint32 {
	primes := sievePrimes()
	for i, p := range primes {
		if p >= bound {
			return primes[:i]
		}
	}
	return primes
}

// Window is a window as the search draws it.
type Window struct{ w *window }

// NewWindow makes one of the length that the search uses, or of another.
func NewWindow(bits, length int, primes []uint32) Window {
	return Window{newWindow(bits, length, primes)}
}

// Draw places it.
func (w Window) Draw(rand io.Reader) error { return w.w.draw(rand) }

// At is a number of it and whether it is struck out.
func (w Window) At(i int) (*big.Int, bool) {
	return new(big.Int).Add(w.w.base, big.NewInt(2*int64(i))), w.w.struck[i]
}

// Scan finds what the search finds in it; nil is nothing.
func (w Window) Scan(ctx context.Context) *big.Int { return (&searcher{}).scan(ctx, w.w) }

// SearchSafePrime finds one safe prime on that many cores.
func SearchSafePrime(ctx context.Context, cores int) (*big.Int, error) {
	var found safePrimes
	if err := found.search(ctx, lockReader(nil), cores, 1, nil); err != nil {
		return nil, err
	}
	return safePrime(found.halves[0]), nil
}

// SearchFrom goes on with these halves of safe primes.
func SearchFrom(halves ...*big.Int) *PreparamsSearch {
	return &PreparamsSearch{safePrimes{halves: halves}}
}
