package tss

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"io"
	"math/big"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

var one, two = big.NewInt(1), big.NewInt(2)

// Progress says how far a search for safe primes is, with what was found before it was
// interrupted. The work is a lottery: a search of twice the expected length is nothing
// unusual.
type Progress struct {
	// Tested is how many candidates survived the sieve and were tested.
	Tested uint64
	// Found of Needed safe primes.
	Found, Needed int
	// Expected is how many candidates a whole search tests on average.
	Expected uint64
}

// expectedTests is the mean number of candidates tested for one safe prime. A
// number q without a factor below B is prime with probability about
// e^gamma ln B / ln q; q and 2q+1 have to be. For 1023 bits and B = 2^21:
// (709 / (1.781 * 14.56))^2 = 748.
const expectedTests = 748

// primalityRounds is the number of Miller-Rabin rounds of a final test.
//
// Of the random odd numbers of k = 1023 bits that pass t = 20 rounds a part below
// k^(3/2) 2^t t^(-1/2) 4^(2-sqrt(tk)) < 2^-249 is composite (Damgard, Landrock and
// Pomerance, Average case error estimates for the strong probable prime test,
// Math. Comp. 61, 1993; Handbook of Applied Cryptography, Fact 4.48): a random number
// is composite and passes with at most that probability. Our candidates are each
// uniform, from the upper quarter of the range, up to 2^19 of them in a window, which
// has one that is composite and passes with probability below 2^-249 * 2^2 * 2^19 =
// 2^-228. A search takes the first window that yields something, which 93 of 100 do
// (1 - e^-2.7, see windowLength), so it ends with a composite with probability below
// 2^-228 / 0.93 < 2^-220; a Baillie-PSW test comes on top. Go's bases are pseudorandom.
// A composite that somebody chose passes with at most 4^-20 (Rabin), so only own
// numbers are judged by it. 2q+1 is prime if q is (isSafePrimeHalf).
const primalityRounds = 20

func safePrime(q *big.Int) *big.Int {
	p := new(big.Int).Lsh(q, 1)
	return p.Add(p, one)
}

// half gives (p-1)/2.
func half(p *big.Int) *big.Int { return new(big.Int).Rsh(p, 1) }

// isSafePrimeHalf reports whether q and p = 2q+1 are prime. For a prime q,
// p is prime if 2^(p-1) = 1 modulo p and 2^2-1 is a unit modulo p: Pocklington's
// criterion with the factor q > sqrt(p)-1 of p-1.
func isSafePrimeHalf(q *big.Int) bool {
	p := safePrime(q)
	return q.Bit(0) == 1 && fermat(p) && isUnit(big.NewInt(3), p) && q.ProbablyPrime(primalityRounds)
}

// fermat reports 2^(n-1) = 1 modulo n, which most composites fail.
func fermat(n *big.Int) bool {
	return new(big.Int).Exp(two, new(big.Int).Sub(n, one), n).Cmp(one) == 0
}

// searcher is one search on several cores.
type searcher struct {
	rand   io.Reader
	tested atomic.Uint64
	found  chan *big.Int
	failed chan error
	// tick wakes the collector to tell progress.
	tick chan struct{}
}

// newSearcher makes one that counts on from what was tested before.
func newSearcher(rand io.Reader, tested uint64) *searcher {
	s := &searcher{rand: rand, found: make(chan *big.Int), failed: make(chan error, 1), tick: make(chan struct{}, 1)}
	s.tested.Store(tested)
	return s
}

// start searches on this many cores until ctx ends.
func (s *searcher) start(ctx context.Context, cores int) *sync.WaitGroup {
	var workers sync.WaitGroup
	for range max(cores, 1) {
		workers.Go(func() { s.workSafely(ctx) })
	}
	return &workers
}

// collect adds what is found until there are count of them.
func (s *searcher) collect(ctx context.Context, to *safePrimes, count int, progress func(Progress)) error {
	for len(to.halves) < count {
		select {
		case <-ctx.Done():
			return fmt.Errorf("search for safe primes: %w", ctx.Err())
		case err := <-s.failed:
			return err
		case q := <-s.found:
			to.add(q)
		case <-s.tick:
		}
		if progress != nil {
			progress(Progress{s.tested.Load(), len(to.halves), count, uint64(count) * expectedTests})
		}
	}
	return nil
}

// workSafely ends the search with an error if work panics: nobody above this
// goroutine could, and the node would end. The value of the panic is not shown:
// it may hold what was in memory. The error has the stack instead.
func (s *searcher) workSafely(ctx context.Context) {
	defer func() {
		if value := recover(); value != nil {
			s.fail(fmt.Errorf("search for safe primes: panic of type %T, please report this:\n%s", value, debug.Stack()))
		}
	}()
	s.work(ctx)
}

// fail ends the search with the first error of any worker.
func (s *searcher) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// work searches window after window until the search ends. It takes one prime
// of a window at most: two of them would be close.
func (s *searcher) work(ctx context.Context) {
	w := newWindow(safePrimeBits-1, windowLength, sievePrimes())
	for ctx.Err() == nil {
		if err := w.draw(s.rand); err != nil {
			s.fail(fmt.Errorf("search for safe primes: read randomness: %w", err))
			return
		}
		q := s.scan(ctx, w)
		if q == nil {
			continue
		}
		select {
		case s.found <- q:
		case <-ctx.Done():
			wipeInt(q)
		}
	}
}

// progressEvery is how many tested candidates a worker lets pass between two
// reports: some 50 ms.
const progressEvery = 64

// scan tests the survivors of a window; nil if none is a safe prime's half.
//
// It takes the first, so a prime is found in proportion to the gap before it, up to the
// length of the window: what Brandt and Damgard show of incremental search (On
// Generation of Probable Primes by Incremental Search, CRYPTO '92). Gaps are about
// exponentially distributed, so of some 1000 bits of entropy less than one is lost:
// (1 - Euler's gamma) / ln 2 = 0.61. TestIncrementalSearch measures that the sieve adds
// nothing to it.
func (s *searcher) scan(ctx context.Context, w *window) *big.Int {
	for q := range w.candidates() {
		if ctx.Err() != nil {
			return nil
		}
		if s.tested.Add(1)%progressEvery == 0 {
			select {
			case s.tick <- struct{}{}:
			default:
			}
		}
		if fermat(q) && isSafePrimeHalf(q) && q.BitLen() == w.bits {
			return q
		}
	}
	return nil
}

// lockReader makes a reader safe for several goroutines; nil is crypto/rand.
func lockReader(r io.Reader) io.Reader {
	if r == nil {
		return crand.Reader
	}
	return &lockedReader{r: r}
}

type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(b)
}
