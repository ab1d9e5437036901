package types

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A program of another name tells people to call that.
func TestProgram(t *testing.T) {
	require.Contains(t, ErrBadProof.Remedy(), "sequencerd mpc register")
	t.Cleanup(func() { Program = defaultProgram })
	Program = "chaind"
	require.Contains(t, ErrBadProof.Remedy(), ": chaind mpc register")
	for _, r := range reasons(t) {
		require.NotContains(t, r.Remedy(), defaultProgram, r)
	}
}
