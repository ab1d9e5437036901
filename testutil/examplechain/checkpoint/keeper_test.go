package checkpoint

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	mpckeeper "github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// unheard is x/mpc whose hooks are lost: it tells what became of a key to who asks.
type unheard struct {
	keys   map[string]mpctypes.KeyStatus
	pruned string
	signed []string
}

// KeyGen implements asked.
func (u *unheard) KeyGen(
	_ context.Context, id string, _ mpctypes.Algorithm, _ uint32, _ []string, _ ...mpckeeper.KeyOption,
) (mpctypes.Key, error) {
	if id == u.pruned {
		return mpctypes.Key{}, mpctypes.ErrPruned
	}
	if _, known := u.keys[id]; !known {
		u.keys[id] = mpctypes.KEY_STATUS_PENDING
	}
	return mpctypes.Key{Id: id, Status: u.keys[id]}, nil
}

// KeySign implements asked.
func (u *unheard) KeySign(_ context.Context, id, key string, _ mpctypes.SignPayload) (mpctypes.Signature, error) {
	u.signed = append(u.signed, id+" by "+key)
	return mpctypes.Signature{Id: id, KeyId: key}, nil
}

// There are checkpoints without any hook: a key that is READY signs, and one that failed,
// was deleted or is forgotten makes way for another.
func TestNoHookIsNeeded(t *testing.T) {
	k, ctx := newKeeper()
	u := &unheard{keys: map[string]mpctypes.KeyStatus{}}
	k.mpc = u
	height := int64(0)
	checkpoint := func() {
		height += Interval
		require.NoError(t, k.EndBlock(ctx.WithBlockHeight(height)))
	}
	first, second, third := "checkpoint:key-1", "checkpoint:key-2", "checkpoint:key-3"
	checkpoint()
	require.Equal(t, map[string]mpctypes.KeyStatus{first: mpctypes.KEY_STATUS_PENDING}, u.keys)
	u.keys[first] = mpctypes.KEY_STATUS_ERROR
	checkpoint()
	checkpoint()
	require.Equal(t, mpctypes.KEY_STATUS_PENDING, u.keys[second])
	require.Empty(t, u.signed)
	u.keys[second] = mpctypes.KEY_STATUS_READY
	checkpoint()
	require.Equal(t, []string{"checkpoint:20 by " + second}, u.signed)
	u.keys[second] = mpctypes.KEY_STATUS_DELETING
	checkpoint()
	require.Len(t, u.signed, 1)
	u.keys[second] = mpctypes.KEY_STATUS_READY // somebody took that back
	checkpoint()
	require.Len(t, u.signed, 2)
	u.keys[second] = mpctypes.KEY_STATUS_DELETED
	u.pruned = third
	checkpoint()
	checkpoint()
	checkpoint()
	require.Equal(t, mpctypes.KEY_STATUS_PENDING, u.keys["checkpoint:key-4"])
	require.Len(t, u.signed, 2)
}
