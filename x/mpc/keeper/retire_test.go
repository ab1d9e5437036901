package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// requireRetire checks the height that nodes act on.
func requireRetire(t *testing.T, f *chain.Fixture, id string, status mpctypes.KeyStatus, height int64) {
	t.Helper()
	key, known, err := f.Keeper.EngineKey(f.Ctx, mpctypes.KeyID(id))
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, status, key.Status)
	require.Equal(t, height, key.RetireHeight)
}

// What was decided keeps its retire height whatever becomes of the parameter, and
// what is decided later has the new one.
func TestParametersDoNotMoveWhatWasDecided(t *testing.T) {
	const decided, before = 5, 100
	for _, blocks := range []uint32{1, before - 1, before + 1, types.MaxLengthBlocks} {
		for name, c := range map[string]struct {
			decide func(*testing.T, *chain.Fixture)
			status mpctypes.KeyStatus
		}{
			"READY":                 {func(_ *testing.T, f *chain.Fixture) { f.AttestAll("k", chain.NewSecret("k")) }, mpctypes.KeyReady},
			"ERROR":                 {revokeOne, mpctypes.KeyError},
			"DELETING, was PENDING": {deleteK, mpctypes.KeyDeleting},
			"DELETING, was READY": {func(t *testing.T, f *chain.Fixture) {
				f.AttestAll("k", chain.NewSecret("k"))
				deleteK(t, f)
			}, mpctypes.KeyDeleting},
		} {
			t.Run(name, func(t *testing.T) {
				f := chain.New(t, 3)
				f.KeyGen("k", 1)
				requireRetire(t, f, "k", mpctypes.KeyPending, 0)
				f.EndBlocks(decided)
				c.decide(t, f)
				f.EndBlocks(decided + 1)
				requireRetire(t, f, "k", c.status, decided+before)

				setParams(t, f, func(p *types.Params) { p.RetireBlocks = blocks })
				requireRetire(t, f, "k", c.status, decided+before)
				if c.status == mpctypes.KeyDeleting {
					require.EqualValues(t, decided+before, deleteKey(t, f, "k"), "asking again changes nothing")
					f.EndBlocks(decided + before)
					requireRetire(t, f, "k", mpctypes.KeyDeleting, decided+before)
					f.EndBlocks(decided + before + 1)
					// To bury it is one, too.
					requireRetire(t, f, "k", mpctypes.KeyDeleted, decided+before+int64(blocks))
					require.EqualValues(t, decided+before+int64(blocks), deleteKey(t, f, "k"))
					return
				}
				// A deletion is a decision of its own, by the parameter of its block.
				deleteK(t, f)
				requireRetire(t, f, "k", mpctypes.KeyDeleting, decided+1+int64(blocks))
			})
		}
	}
}

func revokeOne(t *testing.T, f *chain.Fixture) {
	t.Helper()
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, f.Participants[0].Operator))
}

func deleteK(t *testing.T, f *chain.Fixture) {
	t.Helper()
	deleteKey(t, f, "k")
}
