package p2p

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// passed remembers which envelopes were relayed here, so that one that comes
// again by another way, or round a loop, stops. Only verified envelopes get in.
type passed struct {
	mu   sync.Mutex
	seen *simplelru.LRU[types.Hash, passage]
}

// passage is the last time that an envelope went through.
type passage struct {
	// until then it does not go through again; hold is how long that was.
	until time.Time
	hold  time.Duration
	// hops is the widest that it went.
	hops uint32
}

func newPassed(size int) *passed {
	seen, err := simplelru.NewLRU[types.Hash, passage](size, nil)
	if err != nil {
		panic(fmt.Sprintf("memory of %d relayed envelopes: %v", size, err)) // only for a size below 1
	}
	return &passed{seen: seen}
}

// hashOf names an envelope with its signature and body.
func hashOf(e *wire.Envelope) (types.Hash, error) {
	bz, err := e.Marshal()
	if err != nil {
		return types.Hash{}, fmt.Errorf("encode an envelope: %w", err)
	}
	return sha256.Sum256(bz), nil
}

// wants says whether pass would let an envelope through.
func (p *passed) wants(h types.Hash, hops uint32, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, ok := p.seen.Get(h)
	return !ok || !now.Before(last.until) || hops > last.hops
}

// pass counts an envelope as gone through. fresh: it is to be delivered here;
// onward: it is to go on.
//
// The time until it may go through again doubles each time: senders resend less
// and less often, and where queues are long a late copy is no reason to send all
// again. Hops are signed by nobody, so a copy that may go further than the one
// before goes on all the same: else whoever is first with a copy of few hops
// would cut everybody behind it off.
func (p *passed) pass(h types.Hash, hops uint32, now time.Time) (fresh, onward bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, ok := p.seen.Get(h)
	switch {
	case !ok:
		p.seen.Add(h, passage{until: now.Add(relayHold), hold: relayHold, hops: hops})
		return true, hops > 0
	case !now.Before(last.until):
		hold := min(2*last.hold, relayHoldMax)
		p.seen.Add(h, passage{until: now.Add(hold), hold: hold, hops: hops})
		return true, hops > 0
	case hops > last.hops:
		last.hops = hops
		p.seen.Add(h, last)
		return false, true
	}
	return false, false
}

// forget takes back a passage that came to nothing.
func (p *passed) forget(h types.Hash) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen.Remove(h)
}
