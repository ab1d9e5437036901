package sim

import (
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Fork lets all nodes see another digest than the chain's for a request for a signature:
// that of a block which is then taken back, and made again with the chain's. Unfork takes
// it back: all nodes stop, and start again some time later on what they have on disk.
func (c *Chain) Fork(id string, digest []byte) { c.forks[id] = digest }

// Unfork ends a fork.
func (c *Chain) Unfork(id string, downtime [2]time.Duration) {
	delete(c.forks, id)
	c.takenBack[id] = true
	for _, n := range c.world.Nodes {
		if n.Up() {
			n.RestartAfter(c.world.between(downtime))
		}
	}
}

// ofTakenBack: a signature was true until a block was taken back. Here it may come after
// that; elsewhere the connection that it is on ends with the node that sent it.
func (c *Chain) ofTakenBack(g *wire.Gossip) bool {
	s := g.GetSignature()
	return s != nil && c.takenBack[s.RequestId]
}

// requestsAt are those open in a state, as nodes see them.
func (c *Chain) requestsAt(height int64) []types.Request {
	requests := slices.Clone(c.at(height).requests)
	for i := range requests {
		if digest, forked := c.forks[requests[i].ID.ID]; forked && requests[i].ID.Kind == types.KindSign {
			requests[i].Digest = digest
		}
	}
	return requests
}
