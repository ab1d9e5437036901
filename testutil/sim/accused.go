package sim

import (
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Accused is an accusation that an engine made, and when.
type Accused struct {
	types.Accusation
	At time.Time
}

// tells remembers what this node's engine tells of others, before any lie.
func (n *Node) tells(g *wire.Gossip) {
	if g.GetAccusation() == nil {
		return
	}
	a, err := types.AccusationFromWire(g.GetAccusation())
	must(err)
	n.noteAccusation(a)
}

// noteAccusation remembers this node's own words of others, the first time that they are
// heard.
func (n *Node) noteAccusation(a types.Accusation) {
	if a.IsRefusal() {
		return
	}
	known := func(b Accused) bool { return string(a.Signature) == string(b.Signature) }
	if a.Operator == n.Operator && !slices.ContainsFunc(n.Accused, known) {
		n.Accused = append(n.Accused, Accused{a, n.world.now})
		n.world.note("%s accuses %s of %s", n.Operator, a.Accused, a.Reason)
	}
}
