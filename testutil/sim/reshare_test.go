package sim_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func reshared(w *sim.World, id string) func() bool {
	return func() bool { return w.Chain.ReshareStatus(id) == xtypes.RESHARE_STATUS_READY }
}

// signsAll asks for a signature and waits until it is there. The chain has verified
// it against the key, which never changes.
func digestOf(id string) []byte {
	digest := sha256.Sum256([]byte(id))
	return digest[:]
}

func signsAll(t *testing.T, w *sim.World, ids ...string) {
	t.Helper()
	for _, id := range ids {
		digest := sha256.Sum256([]byte(id))
		w.Chain.Sign(id, "key", digest[:])
	}
	require.True(t, w.Run(5*time.Minute, func() bool {
		return !slices.ContainsFunc(ids, func(id string) bool { _, ok := w.Chain.Signature(id); return !ok })
	}), "the key does not sign %v", ids)
}

// holdsEpoch: these nodes have exactly their READY share of the key's epoch, the
// others have nothing of it.
func holdsEpoch(t *testing.T, w *sim.World, epoch uint64, holders ...*sim.Node) {
	t.Helper()
	key, _ := w.Chain.Key("key")
	require.Equal(t, epoch, key.Epoch)
	for _, n := range w.Nodes {
		records, err := n.Store.Records()
		require.NoError(t, err)
		if !slices.Contains(holders, n) {
			require.Empty(t, records, "%s", n.Operator)
			continue
		}
		require.Len(t, records, 1, "%s", n.Operator)
		require.Equal(t, key.Session, records[0].Context)
		require.Equal(t, epoch, records[0].Epoch)
		require.Equal(t, types.StatusReady, records[0].Status)
		require.True(t, records[0].HasData)
	}
}

// retired lets the time pass after which what is over is destroyed.
func retired(t *testing.T, w *sim.World) {
	t.Helper()
	key, _ := w.Chain.Key("key")
	require.True(t, w.Run(15*time.Minute, func() bool {
		return w.Chain.Height() > max(key.RetireHeight, key.StagedRetireHeight)+3
	}))
}

// TestReshare: a key of four goes to three of them and a newcomer, one of the old
// ones away; then to three without two of those, and anew to the same three. The
// same key signs before, meanwhile and after; who left has nothing in the end.
func TestReshare(t *testing.T) {
	w := network(t, 5, 5)
	a, b, c, d, e := w.Nodes[0], w.Nodes[1], w.Nodes[2], w.Nodes[3], w.Nodes[4]
	w.Chain.Keygen("key", 2, a, b, c, d)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	first, _ := w.Chain.Key("key")
	signsAll(t, w, "before")

	a.Crash()
	w.Chain.Reshare("r1", "key", 2, b, c, d, e)
	signsAll(t, w, "meanwhile-0", "meanwhile-1", "meanwhile-2")
	require.True(t, w.Run(5*time.Minute, reshared(w, "r1")), "the reshare is stuck")
	signsAll(t, w, "after")
	a.Start()
	retired(t, w)
	holdsEpoch(t, w, 1, b, c, d, e)

	w.Chain.Reshare("r2", "key", 1, a, d, e)
	require.True(t, w.Run(5*time.Minute, reshared(w, "r2")), "the second reshare is stuck")
	b.Crash()
	c.Crash()
	signsAll(t, w, "without-two")
	b.Start()
	c.Start()
	retired(t, w)
	holdsEpoch(t, w, 2, a, d, e)

	w.Chain.Reshare("refresh", "key", 1, a, d, e)
	require.True(t, w.Run(5*time.Minute, reshared(w, "refresh")), "the refresh is stuck")
	signsAll(t, w, "refreshed")
	retired(t, w)
	holdsEpoch(t, w, 3, a, d, e)
	last, _ := w.Chain.Key("key")
	require.Equal(t, first.PublicKey, last.PublicKey)
	require.Empty(t, w.Chain.Errors)
	nobodyAccused(t, w)
	nothingIsHeld(t, w)
}

// TestReshareThatFails: a reshare whose receiver never answers expires, another one is
// cancelled. The key is what it was, what was staged is destroyed, and the next
// reshare, to the same epoch, comes off.
func TestReshareThatFails(t *testing.T) {
	w := sim.New(t, sim.Config{
		Seed: 8, Nodes: 4, Protocols: network(t, 8, 1).Protocols, Preparams: 40, Lag: 300 * time.Millisecond,
		Params: func(p *xtypes.Params) { p.RetireBlocks, p.ReshareLifetimeBlocks, p.ReshareAttemptBlocks = 10, 60, 20 },
	})
	a, b, c, d := w.Nodes[0], w.Nodes[1], w.Nodes[2], w.Nodes[3]
	w.Chain.Keygen("key", 1, a, b, c)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	d.Crash()
	w.Chain.Reshare("expires", "key", 1, b, c, d)
	signsAll(t, w, "meanwhile")
	require.True(t, w.Run(3*time.Minute, func() bool { return w.Chain.ReshareStatus("expires") == xtypes.RESHARE_STATUS_ERROR }))
	d.Start()
	w.Chain.Reshare("cancelled", "key", 1, b, c, d)
	w.Chain.CancelReshare("cancelled")
	require.True(t, w.Run(time.Minute, func() bool { return w.Chain.ReshareStatus("cancelled") == xtypes.RESHARE_STATUS_ERROR }))
	signsAll(t, w, "still")
	retired(t, w)
	holdsEpoch(t, w, 0, a, b, c)

	w.Chain.Reshare("works", "key", 1, b, c, d)
	require.True(t, w.Run(5*time.Minute, reshared(w, "works")), "the reshare is stuck")
	signsAll(t, w, "after")
	retired(t, w)
	holdsEpoch(t, w, 1, b, c, d)
	require.Empty(t, w.Chain.Errors)
}

// TestReshareGoesOnWithoutARevoker: just as many holders are up as must deal, and one of them
// revokes its identity in the middle. The reshare is made with another one that comes back. If
// the one that revoked has another identity by then it knows that this reshare is not for it,
// and blames nobody. Either way it destroys its share, of which it is relieved, as the others do.
func TestReshareGoesOnWithoutARevoker(t *testing.T) {
	for name, again := range map[string]bool{"it has no identity any more": false, "it has another one": true} {
		t.Run(name, func(t *testing.T) {
			w := network(t, 11, 5)
			a, b, c, d, e := w.Nodes[0], w.Nodes[1], w.Nodes[2], w.Nodes[3], w.Nodes[4]
			w.Chain.Keygen("key", 2, a, b, c, d)
			require.True(t, w.Run(2*time.Minute, ready(w, "key")))
			c.Crash()
			w.Chain.Reshare("r", "key", 1, d, e)
			require.True(t, w.Run(time.Minute, func() bool { return w.Chain.ReshareStatus("r") == xtypes.RESHARE_STATUS_PENDING }))
			w.Chain.Do(func(ctx sdk.Context) error {
				require.Equal(t, xtypes.RESHARE_STATUS_PENDING, w.Chain.ReshareStatus("r"))
				return w.Chain.Fixture.Keeper.RevokeParticipant(ctx, string(a.Operator))
			})
			if again {
				w.Rotate(a)
			}
			w.After(2*time.Minute, c.Start)
			require.True(t, w.Run(5*time.Minute, reshared(w, "r")), "the reshare is stuck")
			for _, f := range w.Chain.Faults() {
				require.NotEqual(t, string(a.Operator), f.Accuser)
			}
			if again {
				require.Zero(t, a.Ended[types.ErrStartTimeout], "it waited for who does not hear it")
			}
			signsAll(t, w, "after")
			retired(t, w)
			holdsEpoch(t, w, 1, d, e)
			for _, n := range w.Nodes {
				require.Empty(t, n.Core().Status().Withheld)
			}
			require.Empty(t, w.Chain.Errors)
		})
	}
}

// TestRefreshedOften: a key is reshared again and again before retire_blocks are over. Who was
// left out and who stays destroy their shares of each epoch when that one ended so long ago,
// and what was not long ago stays.
func TestRefreshedOften(t *testing.T) {
	w := network(t, 12, 4)
	w.Chain.ChangeParams(func(p *xtypes.Params) { p.RetireBlocks = 60 })
	a, b, c, d := w.Nodes[0], w.Nodes[1], w.Nodes[2], w.Nodes[3]
	w.Chain.Keygen("key", 1, a, b, c)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	switched := []int64{}
	for i := range 12 {
		next := w.Chain.Height() + 20
		w.Run(time.Minute, func() bool { return w.Chain.Height() >= next })
		id := fmt.Sprintf("r-%d", i)
		w.Chain.Reshare(id, "key", 1, b, c, d)
		require.True(t, w.Run(2*time.Minute, reshared(w, id)), "%s is stuck", id)
		switched = append(switched, w.Chain.Height())
		w.Run(10*time.Second, func() bool { return false })
		key, _ := w.Chain.Key("key")
		require.Greater(t, key.RetireHeight, w.Chain.Height())
		for _, n := range w.Nodes {
			held := make(map[uint64]bool)
			records, err := n.Store.Records()
			require.NoError(t, err)
			for _, r := range records {
				held[r.Epoch] = r.HasData
			}
			for epoch, height := range switched {
				left := height + 60 - w.Chain.Height()
				if left <= 0 && left > -5 {
					continue // it may not have looked yet
				}
				member := n != d && epoch == 0 || n != a && epoch > 0
				require.Equal(t, member && left > 0, held[uint64(epoch)], "%s, epoch %d of %d", n.Operator, epoch, key.Epoch)
			}
		}
	}
	signsAll(t, w, "after")
	require.Empty(t, w.Chain.Errors)
}

// TestFailsAgainAndAgain: an owner asks for a reshare again within retire_blocks of each that
// failed, and in the end for one to a participant that never comes, which stays open. What each
// staged goes when that one failed so long ago, everywhere, and not before.
func TestFailsAgainAndAgain(t *testing.T) {
	const retire = 60
	w := network(t, 13, 5)
	w.Chain.ChangeParams(func(p *xtypes.Params) {
		p.RetireBlocks, p.ReshareLifetimeBlocks, p.ReshareAttemptBlocks = retire, 400, 100
	})
	a, b, c, d, e := w.Nodes[0], w.Nodes[1], w.Nodes[2], w.Nodes[3], w.Nodes[4]
	w.Chain.Keygen("key", 1, a, b, c)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	e.Crash()
	failed := make(map[string]int64)
	made := make(map[string][]*sim.Node)
	check := func() {
		for id, at := range failed {
			left := at + retire - w.Chain.Height()
			if left <= 0 && left > -5 {
				continue // it may not have looked yet
			}
			var held []*sim.Node
			for _, n := range w.Nodes {
				if staged(t, n, id) {
					held = append(held, n)
				}
			}
			if left > 0 {
				require.Equal(t, made[id], held, "%s failed at height %d, this is %d", id, at, w.Chain.Height())
			} else {
				require.Empty(t, held, "%s failed at height %d, this is %d", id, at, w.Chain.Height())
			}
		}
	}
	passes := func(blocks int64) {
		for end := w.Chain.Height() + blocks; w.Chain.Height() < end; check() {
			height := w.Chain.Height()
			require.True(t, w.Run(time.Minute, func() bool { return w.Chain.Height() > height }))
		}
	}
	for i := range 6 {
		id := fmt.Sprintf("r-%d", i)
		w.Chain.Reshare(id, "key", 1, b, c, d)
		require.True(t, w.Run(2*time.Minute, func() bool { return staged(t, d, id) }), "%s is stuck", id)
		w.Chain.CancelReshare(id)
		require.True(t, w.Run(time.Minute, func() bool { return w.Chain.ReshareStatus(id) == xtypes.RESHARE_STATUS_ERROR }))
		at := w.Chain.Height()
		passes(3) // what was on its way then is there
		for _, n := range w.Nodes {
			if staged(t, n, id) {
				made[id] = append(made[id], n)
			}
		}
		failed[id] = at
		passes(20)
	}
	w.Chain.Reshare("open", "key", 1, c, d, e)
	passes(2 * retire)
	require.Equal(t, xtypes.RESHARE_STATUS_PENDING, w.Chain.ReshareStatus("open"))
	for _, n := range w.Nodes {
		records, err := n.Store.Records()
		require.NoError(t, err)
		for _, r := range records {
			require.NotContains(t, failed, r.Request.ID, "%s", n.Operator)
		}
	}
	signsAll(t, w, "meanwhile")
	e.Start()
	require.True(t, w.Run(5*time.Minute, reshared(w, "open")), "the reshare is stuck")
	retired(t, w)
	holdsEpoch(t, w, 1, c, d, e)
	require.Empty(t, w.Chain.Errors)
}

// staged: a node has a share that a reshare made.
func staged(t *testing.T, n *sim.Node, reshare string) bool {
	t.Helper()
	records, err := n.Store.Records()
	require.NoError(t, err)
	return slices.ContainsFunc(records, func(r types.Record) bool { return r.Request.ID == reshare && r.HasData })
}
