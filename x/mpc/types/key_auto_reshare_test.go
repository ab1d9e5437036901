package types_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// A key waits anew for each that was not away before, and for nobody twice while one of them
// stays away.
func TestAwaitReturn(t *testing.T) {
	k := types.Key{Id: "k", Participants: []string{"a", "b", "c"}}
	for _, c := range []struct {
		height       int64
		away         []string
		waits, began bool
		until        int64
	}{
		{10, []string{"a"}, true, true, 60},
		{50, []string{"a", "b"}, true, true, 100},
		{60, []string{"a"}, true, false, 100},
		{70, []string{"a", "b"}, true, false, 100},
		{99, []string{"b"}, true, false, 100},
		{100, []string{"b"}, false, false, 100},
		{101, []string{"c"}, true, true, 151},
		{110, []string{"b"}, true, true, 160},
	} {
		waits, began := k.AwaitReturn(c.away, c.height, 50)
		require.Equal(t, c.waits, waits, "at %d", c.height)
		require.Equal(t, c.began, began, "at %d", c.height)
		require.Equal(t, c.until, k.ReturnHeight, "at %d", c.height)
	}
	require.Equal(t, []string{"b"}, k.Awaited)
	k.ForgetReturn()
	require.Equal(t, types.Key{Id: "k", Participants: k.Participants}, k)
}
