package tss_test

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
)

// The search over small numbers, all of whose primes are known: the distribution of
// what it finds is that of incremental search and no other.
const (
	smallBits   = 24
	smallLength = 256
	// smallBound is above the root of 2q+1, so what the sieve leaves is prime.
	smallBound = 1 << 13
	draws      = 40000
	bins       = 20
)

// find is a q with q and 2q+1 prime and how many windows find it: as many as begin
// after the one before it, but not more than are a window's length before it.
type find struct {
	q       uint64
	windows int
}

// finds lists all there are, by trial division alone.
func finds() (all []find) {
	lowest, before := uint64(3)<<(smallBits-2)|1, -1
	for q := lowest; q < 1<<smallBits; q += 2 {
		if divides(q) || divides(2*q+1) {
			continue
		}
		at := int(q-lowest) / 2
		all = append(all, find{q, min(at-before, smallLength)})
		before = at
	}
	return all
}

// divides: something does, so n is no prime.
func divides(n uint64) bool {
	for d := uint64(3); d*d <= n; d += 2 {
		if n%d == 0 {
			return true
		}
	}
	return false
}

// Each prime comes up as often as Brandt and Damgard's account of incremental search
// says, wherever it is and whatever the gap before it; the sieve adds no bias. And the
// test would see one: by the gaps, the same finds are not what a search without any
// bias gives.
func TestIncrementalSearch(t *testing.T) {
	t.Parallel()
	all := finds()
	found := make(map[uint64]int)
	source, w := seeded(4), tss.NewWindow(smallBits, smallLength, tss.SievePrimes(smallBound))
	total := 0
	for range draws {
		require.NoError(t, w.Draw(source))
		if q := w.Scan(t.Context()); q != nil {
			require.True(t, new(big.Int).Add(new(big.Int).Lsh(q, 1), big.NewInt(1)).ProbablyPrime(20))
			found[q.Uint64()]++
			total++
		}
	}
	perWindow := func(f find) float64 { return float64(f.windows) }
	evenly := func(find) float64 { return 1 }
	byPlace := func(a, b find) int { return cmp.Compare(a.q, b.q) }
	byGap := func(a, b find) int { return cmp.Or(cmp.Compare(a.windows, b.windows), byPlace(a, b)) }
	require.Less(t, fit(all, found, total, byPlace, perWindow), limitOf(bins), "by place")
	require.Less(t, fit(all, found, total, byGap, perWindow), limitOf(bins), "by gap")
	require.Greater(t, fit(all, found, total, byGap, evenly), 10*limitOf(bins), "a bias shows")
}

// fit compares how often each was found with its weight, in bins of about equal weight.
func fit(all []find, found map[uint64]int, total int, order func(a, b find) int, weight func(find) float64) float64 {
	sorted := slices.SortedFunc(slices.Values(all), order)
	var whole float64
	for _, f := range sorted {
		whole += weight(f)
	}
	counts, expected := make([]int, bins), make([]float64, bins)
	var sum float64
	for _, f := range sorted {
		bin := min(int(sum/whole*bins), bins-1)
		sum += weight(f)
		counts[bin] += found[f.q]
		expected[bin] += weight(f) / whole * float64(total)
	}
	return chiSquare(counts, expected)
}

// limitOf is what Pearson's statistic of so many bins exceeds once in 10,000 times, by
// Wilson and Hilferty's approximation. Tests draw from a fixed seed: none fails by
// chance.
func limitOf(bins int) float64 {
	const z = 3.719 // the normal distribution's upper 0.0001
	k := float64(bins - 1)
	return k * math.Pow(1-2/(9*k)+z*math.Sqrt(2/(9*k)), 3)
}
