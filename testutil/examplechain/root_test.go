package main

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// This chain has no x/gov: what x/mpc would propose says so, whatever else is wrong.
func TestNoProposals(t *testing.T) {
	for _, args := range [][]string{
		{"refresh-proposal", "r", "k"}, {"reshare-proposal", "r", "k", "1"}, {"cancel-reshare-proposal", "r"}, {"delete-proposal", "k"}, {"undelete-proposal", "k"},
	} {
		root := newRoot()
		root.PersistentFlags().String("home", t.TempDir(), "")
		root.SetOut(io.Discard)
		root.SetErr(io.Discard)
		root.SetArgs(append([]string{"tx", "mpc"}, args...))
		err := root.ExecuteContext(t.Context())
		require.ErrorContains(t, err, "this chain has no x/gov; its authority asks itself: exampled tx mpc ", args)
	}
}
