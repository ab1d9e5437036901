package sim

import (
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Rollback takes the last blocks back on all nodes, as their operators do when blocks
// are removed: all stop, and start again on what they have on disk. What was asked in
// those blocks was never asked, unless somebody asks again. Config.KeepStates must be
// set.
func (c *Chain) Rollback(blocks int64) {
	c.anew(func() {
		left := max(1, c.Height()-blocks)
		c.world.note("rollback to %d", left)
		c.Fixture.Load(c.states[left])
		c.blocks, c.states = c.blocks[:left+1], c.states[:left+1]
		var err error
		c.roster, err = c.Fixture.Keeper.EngineRoster(c.Fixture.Ctx)
		c.must(err)
	})
}

// Reborn exports the chain, which begins again at its first block under another id, on
// the nodes that there are with what they have on disk. Edits are made to the export.
func (c *Chain) Reborn(chainID string, edits ...func(*xtypes.GenesisState)) {
	c.anew(func() {
		c.world.note("the chain begins again as %s", chainID)
		c.Fixture.Reborn(chainID, edits...)
		clear(c.world.Verified) // what is on its way is of the old one
		c.begin()
	})
}

// anew changes the chain while all nodes are down, and starts those that were up.
func (c *Chain) anew(change func()) {
	var up []*Node
	for _, n := range c.world.Nodes {
		if n.Up() {
			n.Crash()
			up = append(up, n)
		}
	}
	c.queue = nil
	change()
	for _, n := range up {
		n.CatchUp()
		n.Start()
	}
}

// Rollback takes the last blocks back on this node alone. It starts again on what it has
// on disk, and executes the same blocks once more, one in this time each.
func (n *Node) Rollback(blocks int64, each time.Duration) {
	if n.Up() {
		n.Crash()
	}
	n.StartBehind(max(1, n.world.Chain.Height()-blocks))
	n.own(each, func() { n.replay(each) })
}

func (n *Node) replay(each time.Duration) {
	n.seen++
	if n.seen >= n.world.Chain.Height() {
		n.seen = n.world.Chain.Height()
		n.CatchUp()
	}
	n.reconcile()
	if n.blind {
		n.own(each, func() { n.replay(each) })
	}
}

// Told lists the results that engines told so far, the oldest first.
func (w *World) Told() []*wire.Gossip { return slices.Clone(w.words.inOrder) }

// Remind lets somebody who kept them tell all nodes old results now and again for a
// while, and half of the proposers put them into what they propose.
func (w *World) Remind(old []*wire.Gossip, often int, every time.Duration) {
	w.Chain.Bundles = func(proposer *Node, bundle []byte) []byte {
		if w.Rand.IntN(2) == 0 {
			return bundle
		}
		builder := xtypes.NewBundleBuilder(xtypes.MaxBundle)
		for _, g := range old {
			addRumour(builder, g)
		}
		reminded, err := builder.Encode()
		must(err)
		return reminded
	}
	w.remind(old, often, every)
}

func (w *World) remind(old []*wire.Gossip, often int, every time.Duration) {
	if often == 0 {
		w.Chain.Bundles = nil
		return
	}
	for _, n := range w.Nodes {
		for _, g := range old {
			if n.Up() {
				_ = n.hearGossip(g) // some of it is false by now, and the fault of who tells it
			}
		}
	}
	w.After(every, func() { w.remind(old, often-1, every) })
}
