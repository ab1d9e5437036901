package sim_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestShareMissing: a node loses its database. When a signature is asked for, the chain
// learns that its share is missing, once, and from nobody else; a reshare, which the
// module asks for by itself or the owner does, gives it one again.
func TestShareMissing(t *testing.T) {
	for name, auto := range map[string]bool{"by the module": true, "by the owner": false} {
		t.Run(name, func(t *testing.T) {
			w := sim.New(t, sim.Config{
				Seed: 41, Nodes: 4, Protocols: fakeproto.Protocols{}, Preparams: 40, Lag: 300 * time.Millisecond,
				Params: func(p *xtypes.Params) { p.RetireBlocks, p.AutoReshare, p.AutoResharePauseBlocks = 10, auto, 30 },
			})
			w.Chain.Keygen("key", 2)
			require.True(t, w.Run(2*time.Minute, ready(w, "key")))
			lost := w.Nodes[1]
			lost.LoseStore()
			lost.Start()
			signsAll(t, w, "s-1")
			missing := func() []types.Operator { k, _ := w.Chain.Key("key"); return k.MissingShares }
			declared := func() bool { return slices.Equal(missing(), []types.Operator{lost.Operator}) }
			reshared := func() bool { k, _ := w.Chain.Key("key"); return k.Epoch == 1 }
			require.True(t, w.Run(time.Minute, func() bool { return declared() || reshared() }), "%v", missing())
			if !auto {
				signsAll(t, w, "s-2", "s-3")
				require.True(t, declared())
				require.Zero(t, w.Chain.Rejected)
				w.Chain.Reshare("r", "key", 2)
			}
			require.True(t, w.Run(5*time.Minute, reshared), "the reshare is stuck")
			require.Empty(t, missing())
			w.Nodes[0].Crash() // three must sign, so the one that lost its share does
			signsAll(t, w, "s-4")
			require.Empty(t, missing())
			w.Nodes[0].Start()
			retired(t, w)
			holdsEpoch(t, w, 1, w.Nodes...)
			require.Empty(t, w.Chain.Errors)
			nothingIsHeld(t, w)
		})
	}
}

// TestIdleShareMissing: of keys that nobody uses, too, the chain learns who lost its share,
// once, and nothing of those that are held; from a node that lost all of them, and from
// one whose store is older than the last reshare.
func TestIdleShareMissing(t *testing.T) {
	w := sim.New(t, sim.Config{
		Seed: 43, Nodes: 4, Protocols: fakeproto.Protocols{}, Preparams: 60, Lag: 300 * time.Millisecond,
		Params: func(p *xtypes.Params) { p.RetireBlocks = 10 },
	})
	keys := []types.KeyID{"a", "b", "key"}
	for _, id := range keys {
		w.Chain.Keygen(id, 1)
		require.True(t, w.Run(2*time.Minute, ready(w, id)))
	}
	old, lost := w.Nodes[0], w.Nodes[1]
	before := old.Store.Clone()
	w.Chain.Reshare("r", "key", 1)
	require.True(t, w.Run(5*time.Minute, func() bool { k, _ := w.Chain.Key("key"); return k.Epoch == 1 }))
	missing := func() (all [][]types.Operator) {
		for _, id := range keys {
			k, _ := w.Chain.Key(id)
			all = append(all, slices.Sorted(slices.Values(k.MissingShares)))
		}
		return all
	}
	w.Run(3*time.Minute, func() bool { return false })
	require.Equal(t, [][]types.Operator{nil, nil, nil}, missing(), "everybody has its shares")

	lost.LoseStore()
	lost.Start()
	old.Crash()
	old.PutBack(before)
	old.Start()
	want := [][]types.Operator{{lost.Operator}, {lost.Operator}, {old.Operator, lost.Operator}}
	require.True(t, w.Run(5*time.Minute, func() bool { return reflect.DeepEqual(missing(), want) }), "%v", missing())
	w.Run(5*time.Minute, func() bool { return false })
	require.Equal(t, want, missing())
	require.Zero(t, w.Chain.Rejected)
	require.Empty(t, w.Chain.Errors)
	signsAll(t, w, "s") // the others sign

	// Deleted, it has nothing to destroy, and says so.
	w.Chain.Delete("a")
	deleted := func() xtypes.Key {
		k, err := w.Chain.Fixture.Keeper.Key(w.Chain.Fixture.Ctx, "a")
		require.NoError(t, err)
		return k
	}
	require.True(t, w.Run(5*time.Minute, func() bool { return len(deleted().DeletionAcks) == 4 }))
	require.Equal(t, []string{string(lost.Operator)}, deleted().DeletionEmpty)

	keys = keys[1:]
	for _, id := range keys {
		w.Chain.Reshare("again-"+string(id), id, 1)
	}
	require.True(t, w.Run(10*time.Minute, func() bool { return reflect.DeepEqual(missing(), [][]types.Operator{nil, nil}) }), "%v", missing())
	nothingIsHeld(t, w)
}

// TestShareIsBack: a node is without its database for a while, and the chain knows. When
// the database is there again it says so by itself, and signs; nobody reshares anything.
func TestShareIsBack(t *testing.T) {
	w := sim.New(t, sim.Config{
		Seed: 43, Nodes: 4, Protocols: fakeproto.Protocols{}, Preparams: 40, Lag: 300 * time.Millisecond,
		Params: func(p *xtypes.Params) { p.RetireBlocks = 10 },
	})
	w.Chain.Keygen("key", 2)
	require.True(t, w.Run(2*time.Minute, func() bool { return ready(w, "key")() && promoted(w, 0, w.Nodes...) }))
	away := w.Nodes[1]
	missing := func() []types.Operator { k, _ := w.Chain.Key("key"); return k.MissingShares }
	for range 2 { // the second time it stays until the next epoch
		disk := away.Store
		away.LoseStore()
		away.Start()
		require.True(t, w.Run(5*time.Minute, func() bool { return len(missing()) == 1 }))
		away.Crash()
		away.PutBack(disk.Clone())
		away.Start()
		w.Run(2*time.Minute, func() bool { return len(missing()) == 0 })
		key, _ := w.Chain.Key("key")
		require.Equal(t, []types.Operator{away.Operator}, key.FoundShares)
		require.Zero(t, key.Epoch)
	}
	require.Equal(t, []types.Operator{away.Operator}, missing())
	w.Nodes[0].Crash()
	signsAll(t, w, "with-it")
	require.Zero(t, w.Chain.Rejected)
	require.Empty(t, w.Chain.Errors)
	require.Empty(t, w.Broken())
}
