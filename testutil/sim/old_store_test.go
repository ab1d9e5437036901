package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/memstore"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestForeignChain starts another chain on nodes that have shares of this one. They are
// listed and kept, whatever the other chain does under the same id: makes a key,
// reshares it, deletes it.
func TestForeignChain(t *testing.T) {
	old := newPast(t, 61)
	old.Chain.Keygen("key", 2)
	require.True(t, old.Run(2*time.Minute, func() bool { return ready(old.World, "key")() && promoted(old.World, 0, old.Nodes...) }))
	before, _ := old.Chain.Key("key")

	p := newPast(t, 62)
	for i, n := range p.Nodes {
		n.Crash()
		n.PutBack(old.Nodes[i].Store)
		n.Start()
	}
	kept := func(log string) {
		t.Helper()
		for _, n := range p.Nodes {
			require.True(t, keeps(t, n, before.Session), "the share of the other chain is lost")
			require.True(t, p.told(n, log))
		}
	}
	p.blocks(60)
	kept("the chain does not know")
	for _, n := range p.Nodes {
		require.Equal(t, []types.KeyID{"key"}, n.Core().Status().Unknown)
	}

	p.Chain.Keygen("key", 2)
	require.True(t, p.Run(2*time.Minute, ready(p.World, "key")))
	p.sound(t, 0, p.Nodes...)
	p.Chain.Reshare("r", "key", 2, p.Nodes...)
	require.True(t, p.Run(2*time.Minute, reshared(p.World, "r")))
	retired(t, p.World)
	p.sound(t, 1, p.Nodes...)
	kept("the chain has another key under its id")

	p.Chain.Delete("key")
	require.True(t, p.Run(5*time.Minute, func() bool {
		k, _ := p.Chain.Key("key")
		return len(k.DeletionAcked) == len(p.Nodes) && idle(p.World)
	}), "a deletion waits for shares of another chain")
	p.blocks(5)
	kept("the chain has another key under its id")
	for _, n := range p.Nodes {
		require.Len(t, shares(t, n), 1, "what was the deleted key's is gone")
		require.Empty(t, n.Core().Status().Tombstones)
		n.RestartAfter(time.Second)
	}
	p.blocks(5)
	kept("the chain has another key under its id")
	p.Chain.Keygen("other", 2)
	require.True(t, p.Run(2*time.Minute, ready(p.World, "other")))
	signs(t, p.World, "other")
	require.Empty(t, p.Chain.Errors)
}

// TestNewChainID exports the chain, which begins again under another id, while a reshare
// is open, tested, and just after it switched. It goes on where it was, but for the one that
// is tested, which is cancelled.
func TestNewChainID(t *testing.T) {
	for name, at := range map[string]func(*past) bool{
		"asked": func(p *past) bool { return p.Chain.ReshareStatus("r") != 0 },
		"staged at some": func(p *past) bool {
			_, staged := p.nextShare(p.Nodes[2])
			return staged
		},
		"TESTING": func(p *past) bool { k, _ := p.Chain.Key("key"); return !k.NextSession.IsZero() },
		"READY":   func(p *past) bool { return reshared(p.World, "r")() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPast(t, 63)
			plantKey(t, p.World, 1, p.Nodes[:3]...)
			p.blocks(5)
			p.Chain.Sign("before", "key", digestOf("before"))
			p.Chain.Reshare("r", "key", 1, p.Nodes[1:]...)
			require.True(t, p.Run(time.Minute, func() bool { return at(p) }))
			p.Chain.Reborn("mpc-test-2")
			require.Equal(t, int64(1), p.Chain.Height())
			id := "r"
			if name == "TESTING" { // the test was of another chain: the owner asks again
				require.True(t, p.Run(time.Minute, func() bool { return p.Chain.ReshareStatus("r") == xtypes.RESHARE_STATUS_ERROR }))
				id = "again"
				p.Chain.Reshare(id, "key", 1, p.Nodes[1:]...)
			}
			require.True(t, p.Run(3*time.Minute, reshared(p.World, id)), "the reshare is stuck")
			require.True(t, p.Run(time.Minute, func() bool { _, ok := p.Chain.Signature("before"); return ok }))
			p.sound(t, 1, p.Nodes[1:]...)
			retired(t, p.World)
			p.blocks(5)
			holdsEpoch(t, p.World, 1, p.Nodes[1:]...)
			require.Empty(t, p.Chain.Errors)
		})
	}
}

// nextShare finds a node's share of epoch 1.
func (p *past) nextShare(n *sim.Node) (types.Record, bool) {
	for _, r := range n.Core().Status().Records {
		if r.KeyID == "key" && r.Epoch == 1 && r.HasData {
			return r, true
		}
	}
	return types.Record{}, false
}

// copies are of one node's database, the first before an operation began, and one after
// each write of it.
func copies(t *testing.T, op operation) (list []*memstore.Store) {
	p := newPast(t, 64)
	op.prepare(t, p.World)
	keeper := p.Nodes[2]
	list = append(list, keeper.Store.Clone())
	p.CrashAt = func(n *sim.Node, at sim.Moment) time.Duration {
		if n == keeper && at.When == sim.After && !at.IsMessage() {
			list = append(list, n.Store.Clone())
		}
		return 0
	}
	op.ask(p.World)
	require.True(t, p.Run(5*time.Minute, func() bool { return allUp(p.World) && op.over(p.World) }))
	return list
}

// TestOldDatabaseIsPutBack gives one node an old copy of its database: after a keygen, a
// signature, a reshare or a deletion each copy that there could be, and at each of their
// writes the one of before. The others need it for nothing; it says what it lacks, signs
// nothing with what is stale, and has its share again after a reshare.
func TestOldDatabaseIsPutBack(t *testing.T) {
	for _, name := range often {
		if name == "undelete" {
			continue // what it writes is a signature's, and its key is READY before it was asked for
		}
		op := operations[name]
		t.Run(name, func(t *testing.T) {
			list := copies(t, op)
			require.Greater(t, len(list), 1)
			for i, old := range list[:len(list)-1] {
				p := newPast(t, 64)
				op.prepare(t, p.World)
				op.ask(p.World)
				require.True(t, p.Run(5*time.Minute, func() bool { return op.over(p.World) }))
				p.Nodes[2].Crash()
				p.Nodes[2].PutBack(old.Clone())
				p.Nodes[2].Start()
				op.recovers(t, p, i)
			}
			for i := range list[1:] {
				p := newPast(t, 64)
				op.prepare(t, p.World)
				writes := 0
				p.CrashAt = func(n *sim.Node, at sim.Moment) time.Duration {
					if n != p.Nodes[2] || at.When != sim.After || at.IsMessage() {
						return 0
					}
					if writes++; writes != i+1 {
						return 0
					}
					p.After(time.Millisecond, func() { n.PutBack(list[0].Clone()) })
					return time.Second
				}
				op.ask(p.World)
				require.True(t, p.Run(10*time.Minute, func() bool { return op.decided(p.World) }), "stuck after write %d", i)
				op.recovers(t, p, i)
			}
			t.Logf("%s: %d old copies put back afterwards, the first one at each of %d writes", name, len(list)-1, len(list)-1)
		})
	}
}

// recovers checks what an old database that was put back may change, and makes up for it.
func (op operation) recovers(t *testing.T, p *past, step int) {
	t.Helper()
	p.CrashAt = nil
	victim := p.Nodes[2]
	if op.members(p.World) == nil {
		require.True(t, p.Run(5*time.Minute, func() bool { return allUp(p.World) && idle(p.World) && op.decided(p.World) }))
		p.blocks(3)
		nothingIsLeft(t, p.World)
		return
	}
	require.True(t, p.Run(5*time.Minute, func() bool { return allUp(p.World) && idle(p.World) }))
	before, _ := p.Chain.Key("key")
	signsAll(t, p.World, "asks-all")
	p.blocks(5)
	key, _ := p.Chain.Key("key")
	if promoted(p.World, key.Epoch, victim) {
		require.Empty(t, key.MissingShares)
	} else {
		require.Equal(t, []types.Operator{victim.Operator}, key.MissingShares, "step %d", step)
		require.True(t, p.told(victim, "this node has no share"))
	}
	members := p.bonded(op.members(p.World))
	p.Chain.Reshare("refresh", "key", key.Threshold, members...)
	require.True(t, p.Run(5*time.Minute, reshared(p.World, "refresh")), "the reshare is stuck")
	retired(t, p.World)
	p.blocks(5)
	p.reuses = victim
	p.sound(t, before.Epoch+1, members...)
	holdsEpoch(t, p.World, before.Epoch+1, members...)
}

// decided: the chain is done with the operation, and with what it waits for.
func (op operation) decided(w *sim.World) bool {
	k, known := w.Chain.Key("key")
	switch {
	case !known || w.Chain.Open() > 0 || !allUp(w):
		return false
	case k.Status == types.KeyDeleting:
		return false
	case k.Status == types.KeyDeleted:
		return len(k.DeletionAcked) == len(k.Holders)
	}
	return true
}

// TestAwayForLong: a member is away from just before a reshare switches, or fails, until that
// is long over, and sees nothing of what came between, as after a state sync.
func TestAwayForLong(t *testing.T) {
	t.Run("over a switch and its end", func(t *testing.T) {
		p := newPast(t, 65)
		plantKey(t, p.World, 1, p.Nodes[:3]...)
		p.Chain.Reshare("r", "key", 1, p.Nodes[1:]...)
		require.True(t, p.Run(time.Minute, func() bool { k, _ := p.Chain.Key("key"); return !k.NextSession.IsZero() }))
		p.Nodes[0].Crash() // it is left out
		p.Nodes[1].Crash() // it has a share of both epochs
		require.True(t, p.Run(2*time.Minute, reshared(p.World, "r")))
		retired(t, p.World)
		p.Nodes[0].Start()
		p.Nodes[1].Start()
		p.blocks(3)
		holdsEpoch(t, p.World, 1, p.Nodes[1:]...)
		p.sound(t, 1, p.Nodes[1:]...)
	})
	t.Run("over the end of a failed one", func(t *testing.T) {
		p := newPast(t, 66)
		plantKey(t, p.World, 1, p.Nodes[:3]...)
		p.Chain.Reshare("r", "key", 1, p.Nodes[1:]...)
		require.True(t, p.Run(time.Minute, func() bool { _, staged := p.nextShare(p.Nodes[1]); return staged }))
		p.Nodes[1].Crash()
		p.Chain.CancelReshare("r")
		p.blocks(2)
		require.Equal(t, uint64(0), func() uint64 { k, _ := p.Chain.Key("key"); return k.Epoch }())
		retired(t, p.World)
		p.Nodes[1].Start()
		p.blocks(3)
		holdsEpoch(t, p.World, 0, p.Nodes[:3]...)
		p.sound(t, 0, p.Nodes[:3]...)
	})
}

// TestRemovedMemberIsAwayForTheDeletion: a member that a reshare left out is away from
// then on. The key is deleted meanwhile; when it is back it destroys the share of the
// earlier epoch, and says so.
func TestRemovedMemberIsAwayForTheDeletion(t *testing.T) {
	p := newPast(t, 67)
	plantKey(t, p.World, 1, p.Nodes[:3]...)
	left := p.Nodes[0]
	p.Chain.Reshare("r", "key", 1, p.Nodes[1:]...)
	require.True(t, p.Run(time.Minute, func() bool { k, _ := p.Chain.Key("key"); return !k.NextSession.IsZero() }))
	left.Crash()
	require.True(t, p.Run(2*time.Minute, reshared(p.World, "r")))
	retired(t, p.World)
	p.Chain.Delete("key")
	acked := func(n int) func() bool {
		return func() bool { k, _ := p.Chain.Key("key"); return len(k.DeletionAcked) == n }
	}
	require.True(t, p.Run(2*time.Minute, acked(3)))
	p.blocks(20)
	require.Len(t, shares(t, left), 1)
	left.Start()
	require.True(t, p.Run(time.Minute, acked(4)), "its word is missing")
	p.blocks(2)
	nothingIsLeft(t, p.World)
	nothingIsHeld(t, p.World)
}
