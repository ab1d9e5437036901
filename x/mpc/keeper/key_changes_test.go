package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
)

func TestKeyChanges(t *testing.T) {
	f := chain.New(t, 4)
	setParams(t, f, unlimited)
	changes := func(since uint64) (uint64, []mpctypes.KeyID, bool) {
		t.Helper()
		count, ids, known, err := f.Keeper.EngineKeyChanges(f.Ctx, since)
		require.NoError(t, err)
		return count, ids, known
	}
	count, ids, known := changes(0)
	require.Zero(t, count)
	require.Empty(t, ids)
	require.True(t, known)

	f.ReadyKey("a", 1)
	seen, ids, known := changes(0)
	require.True(t, known)
	require.Len(t, ids, int(seen))
	require.Equal(t, mpctypes.KeyID("a"), ids[len(ids)-1])
	_, ids, known = changes(seen)
	require.True(t, known)
	require.Empty(t, ids)
	_, _, known = changes(seen + 1)
	require.False(t, known, "the chain never had that many")

	for i := range keeper.MaxKeyChanges {
		f.KeyGen(fmt.Sprintf("k-%04d", i), 1)
	}
	count, ids, known = changes(seen)
	require.True(t, known)
	require.Equal(t, seen+keeper.MaxKeyChanges, count)
	require.Len(t, ids, keeper.MaxKeyChanges)
	require.Equal(t, mpctypes.KeyID("k-0000"), ids[0])
	_, _, known = changes(seen - 1)
	require.False(t, known, "that one is forgotten")
}
