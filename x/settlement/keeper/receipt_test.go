package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// Two of four are not enough; when the two others have left, one of them says it again, and
// that decides.
func TestOthersLeave(t *testing.T) {
	f, secret := newSettling(t)
	id := f.accept(block(1, 1, 1))
	seen := receipt(f.sign(id, secret).Hash, true)
	say := func(i int) bool {
		decided, err := f.report(i, id, seen)
		require.NoError(t, err)
		return decided
	}
	require.False(t, say(0))
	require.False(t, say(1))
	require.False(t, say(0), "saying it twice is saying it once")
	f.Participants[2].Jail()
	f.Participants[3].Jail()
	require.True(t, say(0))
	require.Equal(t, types.TRANSACTION_STATUS_SUCCEEDED, f.tx(id).Status)
}
