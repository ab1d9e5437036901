package tss_test

import (
	"bytes"
	"math/big"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// findOpenSSL skips where there is none, but not in CI.
func findOpenSSL(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("no openssl here; CI has it")
	}
	require.NoError(t, err)
	return path
}

// OpenSSL, which has nothing of ours or of Go's, finds the numbers of a fresh search
// and of stored sets prime, and so their halves.
func TestOpenSSLFindsThemPrime(t *testing.T) {
	t.Parallel()
	openssl := findOpenSSL(t)
	fresh, err := tss.SearchSafePrime(t.Context(), 1)
	require.NoError(t, err)
	primes := []*big.Int{fresh}
	for i := range 2 {
		data, err := tss.PreparamsData(fixtures.Preparams(i))
		require.NoError(t, err)
		primes = append(primes, data.PaillierSK.P, data.PaillierSK.Q)
		for _, q := range []*big.Int{data.P, data.Q} {
			primes = append(primes, new(big.Int).Add(new(big.Int).Lsh(q, 1), big.NewInt(1)))
		}
	}
	var args []string
	for _, p := range primes {
		args = append(args, p.Text(16), new(big.Int).Rsh(p, 1).Text(16))
	}
	// It does say no.
	args = append(args, new(big.Int).Mul(big.NewInt(1_000_003), big.NewInt(1_000_033)).Text(16))
	out, err := exec.CommandContext(t.Context(), openssl, append([]string{"prime", "-hex"}, args...)...).Output()
	require.NoError(t, err)
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	require.Len(t, lines, len(args))
	for _, line := range lines[:len(lines)-1] {
		require.Regexp(t, ` is prime$`, string(line))
	}
	require.Regexp(t, ` is not prime$`, string(lines[len(lines)-1]))
}
