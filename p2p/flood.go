package p2p

import (
	"fmt"
	"time"

	"github.com/cosmos/gogoproto/proto"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// throttleLog is how often the log says of one peer that it is throttled.
const throttleLog = time.Minute

// allowance is what one peer may deliver. A peer that comes back finds the one
// that it left.
type allowance struct {
	// all is for everything; relays and hellos are for those of it.
	all, relays, hellos *budget
	// patience is for what comes beyond all: with the last of it, the peer is
	// stopped.
	patience *budget
	told     rate.Sometimes
}

func newAllowance(l limits, now time.Time) *allowance {
	a := &allowance{
		all: newBudget(l.peer), relays: newBudget(l.relay), hellos: newBudget(l.hello), patience: newBudget(l.patience),
		told: rate.Sometimes{First: 1, Interval: throttleLog},
	}
	a.patience.keep(now, newcomerPart)
	return a
}

func newAllowances(size int) *lru.Cache[string, *allowance] {
	known, err := lru.New[string, *allowance](size)
	if err != nil {
		panic(fmt.Sprintf("memory of %d peers: %v", size, err)) // only for a size below 1
	}
	return known
}

// allowanceOf finds what a peer may deliver.
func (r *Reactor) allowanceOf(peer string) *allowance {
	if a, ok := r.allowances.Get(peer); ok {
		return a
	}
	a := newAllowance(r.limits, r.opts.Now())
	r.allowances.Add(peer, a)
	return a
}

// admits charges what arrived and says why it goes no further.
func (a *allowance) admits(msg proto.Message, size int, now time.Time) types.Reason {
	if !a.all.charge(now, size) {
		return DropPeerBudget
	}
	switch msg.(type) {
	case *wire.Relay:
		if !a.relays.charge(now, size) {
			return DropRelayBudget
		}
	case *wire.Hello:
		if !a.hellos.charge(now, size) {
			return DropHelloBudget
		}
	}
	return ""
}

// overBudget drops what a peer delivers beyond what it may: the peer is throttled
// to that. If it goes on, it is stopped, because what is dropped costs decoding.
func (r *Reactor) overBudget(rem *remote, size int) {
	r.dropIn(rem, DropPeerBudget, nil)
	if !rem.allowed.patience.charge(r.opts.Now(), size) {
		r.stopFlood(rem)
		return
	}
	rem.allowed.told.Do(func() {
		r.warn("peer sends more than it may and is throttled; it is disconnected when this goes on",
			"peer", rem.id, "reason", DropPeerBudget, "messages_a_second", r.limits.peer.messages, "bytes_a_second", r.limits.peer.bytes)
	})
}

func (r *Reactor) stopFlood(rem *remote) {
	if !rem.stopped.CompareAndSwap(false, true) {
		return
	}
	err := fmt.Errorf("%w: far more than %d MPC messages or %d bytes a second", FaultFlood, r.limits.peer.messages, r.limits.peer.bytes)
	r.warn("peer floods the MPC channel and is disconnected", "peer", rem.id, "reason", FaultFlood, "err", err)
	r.metrics.Dropped(In, FaultFlood)
	r.Switch.StopPeerForError(rem.peer, err)
}
