package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
)

// A node learns which keys it should have a share of: the READY ones of its
// operator.
func TestEngineKeysOf(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("b", 1)
	f.ReadyKey("a", 1)
	f.ReadyKey("deleted", 1)
	deleteKey(t, f, "deleted")
	f.KeyGen("pending", 1)
	late := f.AddValidator(3)
	f.Register(late)
	of := func(operator string) []mpctypes.KeyID {
		keys, err := f.Keeper.EngineKeysOf(f.Ctx, mpctypes.Operator(operator))
		require.NoError(t, err)
		var ids []mpctypes.KeyID
		for _, k := range keys {
			require.Equal(t, mpctypes.KeyReady, k.Status)
			require.False(t, k.Session.IsZero())
			ids = append(ids, k.ID)
		}
		return ids
	}
	require.Equal(t, []mpctypes.KeyID{"a", "b"}, of(f.Participants[1].Operator))
	require.Empty(t, of(late.Operator))
	require.Empty(t, of("nobody"))
}

// A node that was away learns which deletions wait for its word.
func TestEngineUnacknowledged(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("kept", 1)
	f.ReadyKey("b", 1)
	f.ReadyKey("a", 1)
	deleteKey(t, f, "b")
	f.EndBlocks(deleteKey(t, f, "a") + 1)
	of := func(operator string) []mpctypes.KeyID {
		ids, err := f.Keeper.EngineUnacknowledged(f.Ctx, mpctypes.Operator(operator))
		require.NoError(t, err)
		return ids
	}
	require.Equal(t, []mpctypes.KeyID{"a", "b"}, of(f.Participants[1].Operator))
	ack := f.Participants[1].AttestDeletion("a")
	require.NoError(t, f.Keeper.ApplyAttestation(f.Ctx, &ack))
	require.Equal(t, []mpctypes.KeyID{"b"}, of(f.Participants[1].Operator))
	require.Equal(t, []mpctypes.KeyID{"a", "b"}, of(f.Participants[0].Operator))
	require.Empty(t, of("nobody"))
}
