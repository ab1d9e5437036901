package tss_test

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
)

func seeded(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// A number is struck out exactly if it or twice it plus one has a factor that the
// sieve knows: the sieve loses nothing and saves what it promises.
func TestSieveStrikes(t *testing.T) {
	const length, looked = 1 << 19, 150
	primes := tss.SievePrimes(tss.SieveBound)
	w := tss.NewWindow(tss.SafePrimeBits-1, length, primes)
	require.NoError(t, w.Draw(seeded(1)))
	all := primorial(primes)
	places, outcomes := rand.New(seeded(2)), map[bool]int{}
	for range looked {
		// Most numbers are struck: look for as many that are not.
		wanted := outcomes[true] > outcomes[false]
		i := places.IntN(length)
		q, struck := w.At(i)
		for struck == wanted {
			i = (i + 1) % length
			q, struck = w.At(i)
		}
		both := new(big.Int).Mul(q, new(big.Int).Add(new(big.Int).Lsh(q, 1), big.NewInt(1)))
		common := new(big.Int).GCD(nil, nil, both, new(big.Int).Mod(all, both))
		require.Equal(t, struck, common.Cmp(big.NewInt(1)) != 0, "%s", q)
		outcomes[struck]++
	}
	require.GreaterOrEqual(t, outcomes[false], looked/3)
	require.GreaterOrEqual(t, outcomes[true], looked/3)
}

// primorial multiplies by halves, so that both factors have about the same length.
func primorial(primes []uint32) *big.Int {
	if len(primes) == 1 {
		return big.NewInt(int64(primes[0]))
	}
	half := len(primes) / 2
	return new(big.Int).Mul(primorial(primes[:half]), primorial(primes[half:]))
}

// What the sieve leaves is spread evenly over the residues that q of a safe prime can
// have, which are all but 0 and (p-1)/2, and over the window.
func TestSieveIsEven(t *testing.T) {
	const windows, length, parts = 6, 1 << 19, 32
	small := tss.SievePrimes(50)[1:] // q of every safe prime is 2 modulo 3
	residues := make(map[uint32][]int)
	for _, p := range small {
		residues[p] = make([]int, p)
	}
	where := make([]int, parts)
	source, w := seeded(3), tss.NewWindow(tss.SafePrimeBits-1, length, tss.SievePrimes(tss.SieveBound))
	for range windows {
		require.NoError(t, w.Draw(source))
		for i := range length {
			q, struck := w.At(i)
			if struck {
				continue
			}
			require.EqualValues(t, 2, new(big.Int).Mod(q, big.NewInt(3)).Uint64())
			for _, p := range small {
				residues[p][new(big.Int).Mod(q, big.NewInt(int64(p))).Uint64()]++
			}
			where[i*parts/length]++
		}
	}
	requireEven(t, where)
	for _, p := range small {
		counts := residues[p]
		require.Zero(t, counts[0], p)
		require.Zero(t, counts[(p-1)/2], p)
		requireEven(t, append(counts[1:(p-1)/2:(p-1)/2], counts[(p-1)/2+1:]...))
	}
}

func requireEven(t *testing.T, counts []int) {
	t.Helper()
	total := 0
	for _, n := range counts {
		total += n
	}
	expected := make([]float64, len(counts))
	for i := range expected {
		expected[i] = float64(total) / float64(len(counts))
	}
	require.Less(t, chiSquare(counts, expected), limitOf(len(counts)), "%v", counts)
}

// chiSquare is Pearson's statistic.
func chiSquare(counts []int, expected []float64) (sum float64) {
	for i, n := range counts {
		d := float64(n) - expected[i]
		sum += d * d / expected[i]
	}
	return sum
}
