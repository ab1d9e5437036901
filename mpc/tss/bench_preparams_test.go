package tss_test

import (
	"fmt"
	"os/exec"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
)

// A search for a safe prime is a lottery, with an exponentially distributed end: the
// mean of n of them is off by 1/sqrt(n) of itself (one standard deviation).
const (
	// mostOfPreparams and mostOfOpenSSL are the bars.
	mostOfPreparams, mostOfOpenSSL = 0.08, 1.0
	// oursPerSet sets of four primes each are made for each one of the library's.
	librarySets, oursPerSet = 4, 4
	safePrimes              = 40
)

// TestBenchPreparams compares the time of making a set of pre-parameters with that of
// the library's generator, in seconds of CPU, mean of 16 and 4 sets (64 and 16 safe
// primes). It runs with MPC_BENCH=1.
func TestBenchPreparams(t *testing.T) {
	onlyWhenAsked(t)
	var tested uint64
	var last tss.Progress
	var ours, base float64
	for range librarySets {
		ours += cpuSeconds(t, func() {
			for range oursPerSet {
				_, err := tss.GeneratePreparams(t.Context(), nil, 1, func(p tss.Progress) { last = p })
				require.NoError(t, err)
				tested += last.Tested
			}
		})
		base += cpuSeconds(t, func() {
			_, err := keygen.GeneratePreParamsWithContext(t.Context(), 1)
			require.NoError(t, err)
		})
	}
	const sets = librarySets * oursPerSet
	fmt.Printf("bench preparams-candidates sets=%d tested-per-set=%d expected=%d\n", sets, tested/sets, last.Expected)
	report(t, "preparams", ours/sets, base/librarySets, mostOfPreparams, cpu, fmt.Sprintf("mean-of-%d-and-%d", sets, librarySets))
}

// TestBenchSafePrime compares the search for one safe prime with OpenSSL's, in seconds
// of CPU, mean of 40 each in turn.
func TestBenchSafePrime(t *testing.T) {
	onlyWhenAsked(t)
	openssl := findOpenSSL(t)
	var ours, base float64
	for range safePrimes {
		ours += cpuSeconds(t, func() {
			_, err := tss.SearchSafePrime(t.Context(), 1)
			require.NoError(t, err)
		})
		base += cpuSeconds(t, func() {
			require.NoError(t, exec.CommandContext(t.Context(), openssl, "prime", "-generate", "-bits", fmt.Sprint(tss.SafePrimeBits), "-safe").Run())
		})
	}
	report(t, "safeprime", ours/safePrimes, base/safePrimes, mostOfOpenSSL, cpu, fmt.Sprintf("mean-of-%d", safePrimes))
}
