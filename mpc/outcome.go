package mpc

import (
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// maxOutcomes of requests that are not open are looked up for one initiator between two
// blocks. A read of committed state takes tenths of a millisecond of the loop, and anybody
// who is registered may lead as many requests as it makes up. An initiator that is a block
// behind leads a few; it finds out about the rest with its own next block.
const maxOutcomes = 32

// outcomeBlocks is how far behind an initiator may be, by its Prepare, for a look at
// committed state: one that is further behind leads nothing, or finds out with its next
// blocks. What others say again of long ago takes none of its looks.
const outcomeBlocks = 64

// outcome is what this node can tell of a request that is decided, or done here: an
// initiator that is a block behind need not find out by itself.
type outcome struct {
	decided bool
	result  *wire.Gossip // nil: none, or none that this node has
}

// outcomes are those that were looked up since the last block, and for whom.
type outcomes struct {
	known map[types.RequestID]outcome
	spent map[types.Operator]int
}

func newOutcomes() outcomes {
	return outcomes{known: make(map[types.RequestID]outcome), spent: make(map[types.Operator]int)}
}

// forget is for each block: what was not decided may be, and everybody may ask again.
func (o *outcomes) forget() {
	clear(o.known)
	clear(o.spent)
}

// size counts what is remembered until the next block.
func (o *outcomes) size() int { return len(o.known) + len(o.spent) }

// outcomeFor is what the initiator of a Prepare may know of its request; the zero outcome of
// one that is neither done nor decided, and beyond maxOutcomes and outcomeBlocks.
func (c *Core) outcomeFor(prepare types.Verified, id types.RequestID) outcome {
	initiator := prepare.From()
	if result := c.resultHere(id); result != nil {
		return outcome{true, result}
	}
	if id.Kind != types.KindSign && id.Kind != types.KindKeygen || c.isOpen(id) {
		return outcome{}
	}
	if found, looked := c.outcomes.known[id]; looked {
		return found
	}
	if c.outcomes.spent[initiator] >= maxOutcomes || session.PreparedAt(prepare) < c.view.Height-outcomeBlocks {
		return outcome{}
	}
	c.outcomes.spent[initiator]++
	var found outcome
	if id.Kind == types.KindSign {
		found.result = c.signatureResult(id)
		found.decided = found.result != nil
	} else {
		found.decided = c.decided(id)
	}
	c.outcomes.known[id] = found
	return found
}

// resultHere is the result of a request that needs no look at committed state.
func (c *Core) resultHere(id types.RequestID) *wire.Gossip {
	switch id.Kind {
	case types.KindSign:
		return c.pool.signature(id.ID)
	case types.KindKeygen:
		return c.keygenResult(id)
	}
	return nil
}
