package p2p

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// What the switch asks of a reactor and of its messages.
var (
	_ cmtp2p.Reactor        = (*Reactor)(nil)
	_ cmtp2p.MsgBytesFilter = (*Reactor)(nil)
	_ cmtp2p.Unwrapper      = (*wire.Message)(nil)
	_ cmtp2p.Wrapper        = (*wire.Hello)(nil)
	_ cmtp2p.Wrapper        = (*wire.Envelope)(nil)
	_ cmtp2p.Wrapper        = (*wire.Gossip)(nil)
	_ cmtp2p.Wrapper        = (*wire.Frame)(nil)
)

// Reactor moves signed bytes between this node and its direct peers. Its
// methods may be called from any goroutine and never block.
type Reactor struct {
	cmtp2p.BaseReactor
	opts    Options
	log     *slog.Logger
	metrics Metrics
	limits  limits
	sizes   sizes

	in *inbox
	// arrivals numbers what arrives.
	arrivals atomic.Uint64
	// outWaiting counts the messages in all outboxes.
	outWaiting atomic.Int64
	seen       *seenGossip
	passed     *passed
	envelopes  *envelopes
	allowances *lru.Cache[string, *allowance]
	warnings   *rate.Limiter
	// notOpen is for relays of what belongs to no open request.
	notOpen *budget
	sink    atomic.Pointer[Sink]

	// ctx ends with OnStop; wg waits for workers and sending goroutines.
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.RWMutex
	stopped bool
	// peers have the channel, by peer id.
	peers map[string]*remote
	// operators are the peers with the hello of each that supersedes all others.
	operators map[types.Operator]*remote
	roster    *types.Roster
	// self is empty without an identity; hello is what it sends.
	self  types.Operator
	hello *wire.Hello
	// senders are the budgets for what is delivered in the name of each.
	senders map[types.Operator]*senderBudgets
	// parts are what of these each peer may deliver.
	parts *simplelru.LRU[partID, *part]
}

// NewReactor makes a reactor for a switch to start and stop. Inbound messages
// are dropped until SetSink and SetRoster were called.
func NewReactor(opts Options) *Reactor { return newReactor(opts, defaultLimits()) }

func newReactor(opts Options, l limits) *Reactor {
	opts = opts.withDefaults()
	r := &Reactor{
		opts: opts, log: opts.Logger, metrics: opts.Metrics,
		limits: l, sizes: sizes{opts.RoundLimits},
		in: newInbox(l.inbox), seen: newSeenGossip(gossipSeen),
		passed: newPassed(relaySeen), envelopes: newEnvelopes(), notOpen: newBudget(l.notOpen),
		allowances: newAllowances(knownPeers), warnings: rate.NewLimiter(warningRate, warningBurst),
		peers:     map[string]*remote{},
		operators: map[types.Operator]*remote{},
		senders:   map[types.Operator]*senderBudgets{},
		parts:     newParts(knownParts),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.BaseReactor = *cmtp2p.NewBaseReactor("MPC", r)
	return r
}

// SetSink says who takes what arrives.
func (r *Reactor) SetSink(s Sink) { r.sink.Store(&s) }

// GetChannels implements the reactor.
func (r *Reactor) GetChannels() []*cmtp2p.ChannelDescriptor {
	return []*cmtp2p.ChannelDescriptor{{
		ID:                  ChannelID,
		Priority:            Priority,
		SendQueueCapacity:   r.opts.SendQueue,
		RecvMessageCapacity: MaxMessageBytes,
		MessageType:         &wire.Message{},
	}}
}

// OnStart starts the verify workers.
func (r *Reactor) OnStart() error {
	for range r.opts.Workers {
		r.wg.Go(r.work)
	}
	return nil
}

// OnStop ends and awaits all goroutines. On CometBFT that takes no time; on a
// switch whose TrySend blocks it takes as long as that.
func (r *Reactor) OnStop() {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.cancel()
	r.in.close()
	r.wg.Wait()
}

// InitPeer prepares for messages, which may arrive before AddPeer.
func (r *Reactor) InitPeer(p cmtp2p.Peer) cmtp2p.Peer {
	p.Set(remoteKey, &remote{
		peer: p, id: string(p.ID()),
		out:     newOutbox(r.limits),
		allowed: r.allowanceOf(string(p.ID())),
	})
	return p
}

// AddPeer starts the sending goroutine of a peer that has the channel and
// greets it.
func (r *Reactor) AddPeer(p cmtp2p.Peer) {
	rem, ok := r.remoteOf(p)
	if !ok || !hasChannel(p) {
		return
	}
	changed, ok := r.register(rem)
	if !ok {
		return
	}
	r.log.Debug("peer has the MPC channel", "peer", rem.id)
	if sink := r.sink.Load(); sink != nil {
		(*sink).PeerConnected(rem.id)
	}
	r.tell(changed)
}

// register reports false if the reactor has stopped, or if the peer failed and
// was removed between its start and AddPeer.
func (r *Reactor) register(rem *remote) (rebound, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped || rem.gone {
		return rebound{}, false
	}
	ctx, cancel := context.WithCancel(r.ctx)
	rem.stop = cancel
	r.peers[rem.id] = rem
	if r.hello != nil {
		rem.out.announce()
	}
	r.wg.Go(func() { r.sendTo(ctx, rem) })
	return r.rebind(), true
}

// RemovePeer drops everything about a peer. It does not wait for the sending
// goroutine, which OnStop does.
func (r *Reactor) RemovePeer(p cmtp2p.Peer, _ any) {
	rem, ok := r.remoteOf(p)
	if !ok {
		return
	}
	r.metrics.Queued(In, r.in.forget(rem))
	r.countOut(-rem.out.close())
	r.tell(r.unregister(rem))
}

func (r *Reactor) unregister(rem *remote) rebound {
	r.mu.Lock()
	defer r.mu.Unlock()
	rem.gone = true
	if rem.stop != nil {
		rem.stop()
	}
	if r.peers[rem.id] == rem {
		delete(r.peers, rem.id)
	}
	return r.rebind()
}

// Peers counts the peers that have the channel.
func (r *Reactor) Peers() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.peers)
}

// fault counts a message that no honest node sends against who delivered it,
// and stops the peer at the last that is allowed.
func (r *Reactor) fault(rem *remote, reason types.Reason, err error) {
	r.metrics.Dropped(In, reason)
	count := rem.faults.Add(1)
	if count > MaxFaults {
		return
	}
	r.warn("peer delivered what no honest node sends; it is disconnected when this goes on",
		"peer", rem.id, "reason", reason, "err", err, "faults", count, "allowed", MaxFaults)
	if count == MaxFaults {
		r.Switch.StopPeerForError(rem.peer, fmt.Errorf("%d faulty MPC messages, the last: %w: %w", count, reason, err))
	}
}

// warn writes to the log while warnings are few: a crowd of peers must not fill
// the disk with them.
func (r *Reactor) warn(msg string, args ...any) {
	if r.warnings.AllowN(r.opts.Now(), 1) {
		r.log.Warn(msg, args...)
		return
	}
	r.log.Debug(msg, args...)
}

// countOut keeps the gauge of outbound messages.
func (r *Reactor) countOut(n int) {
	r.metrics.Queued(Out, int(r.outWaiting.Add(int64(n))))
}
