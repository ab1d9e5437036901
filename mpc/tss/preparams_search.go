package tss

import (
	"context"
	"fmt"
	"io"
	"math/big"
)

// primesOfSet is how many safe primes a set of pre-parameters is made of.
const primesOfSet = 4

// PreparamsSearch is a search for one set of keygen pre-parameters that can be
// interrupted: what it found stays in memory, and nowhere else, until it goes on. The
// zero value has found nothing. One goroutine uses it at a time, and wipes it in the end.
type PreparamsSearch struct{ found safePrimes }

// safePrimes are what a search found: numbers q with q and 2q+1 prime, no two close
// together.
type safePrimes struct {
	halves []*big.Int
	// tested is how many candidates it took.
	tested uint64
}

// GeneratePreparams makes a set of keygen pre-parameters in one go, as
// PreparamsSearch.Generate does.
func GeneratePreparams(ctx context.Context, rand io.Reader, cores int, progress func(Progress)) ([]byte, error) {
	var s PreparamsSearch
	defer s.Wipe()
	return s.Generate(ctx, rand, cores, progress)
}

// Generate makes a set of keygen pre-parameters. It looks for the safe primes of 1024
// bits that it does not have yet on this many cores, from rand (nil: crypto/rand), calls
// progress (may be nil) now and then from the caller's goroutine, and ends within about
// 50 ms of ctx. The caller owns the result and wipes it.
//
// After an error of the search, as of ctx, the next call goes on with what was found.
// With all primes nothing is kept, whatever comes of them: a set is made once, and
// primes of which none can be made would fail again.
func (s *PreparamsSearch) Generate(ctx context.Context, rand io.Reader, cores int, progress func(Progress)) ([]byte, error) {
	rand = lockReader(rand)
	if err := s.found.search(ctx, rand, cores, primesOfSet, progress); err != nil {
		return nil, fmt.Errorf("generate pre-parameters: %w", err)
	}
	defer s.Wipe()
	p, err := buildPreparams(rand, s.found.halves)
	if err != nil {
		return nil, fmt.Errorf("generate pre-parameters: %w", err)
	}
	defer wipePreparams(&p.Data)
	if err := validatePreparams(&p.Data); err != nil {
		return nil, fmt.Errorf("generate pre-parameters: %w", err)
	}
	return p.encode()
}

// Found is how many of the safe primes of a set are there.
func (s *PreparamsSearch) Found() int { return len(s.found.halves) }

// Wipe forgets what was found.
func (s *PreparamsSearch) Wipe() {
	for _, q := range s.found.halves {
		wipeInt(q)
	}
	s.found = safePrimes{}
}

// search goes on until there are count of them. It returns when all its goroutines have
// ended.
func (p *safePrimes) search(ctx context.Context, rand io.Reader, cores, count int, progress func(Progress)) error {
	ctx, cancel := context.WithCancel(ctx)
	s := newSearcher(rand, p.tested)
	workers := s.start(ctx, cores)
	defer func() {
		cancel()
		workers.Wait()
		p.tested = s.tested.Load()
	}()
	return s.collect(ctx, p, count, progress)
}

// add keeps a prime unless it is close to another one.
func (p *safePrimes) add(q *big.Int) {
	for _, o := range p.halves {
		if tooClose(safePrime(q), safePrime(o)) {
			wipeInt(q)
			return
		}
	}
	p.halves = append(p.halves, q)
}
