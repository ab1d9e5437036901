package p2p

import (
	"fmt"
	"runtime/debug"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cosmos/gogoproto/proto"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// FilterMsgBytes judges a message by its length and kind before it is decoded.
// An error disconnects the peer. Bytes that decoding leaves out, Receive never sees: the
// peer is charged for them here.
func (r *Reactor) FilterMsgBytes(chID byte, peer cmtp2p.Peer, bz []byte) error {
	if chID != ChannelID {
		return nil
	}
	leftOut, err := r.sizes.checkBytes(bz)
	if err != nil {
		r.metrics.Dropped(In, DropOversize)
		return err
	}
	if leftOut == 0 {
		return nil
	}
	if rem, ok := r.remoteOf(peer); ok {
		rem.allowed.all.bytes.ReserveN(r.opts.Now(), leftOut)
	}
	return nil
}

// Receive charges the delivering peer and queues the message for the workers.
// It runs on the connection's receiving goroutine, which consensus shares.
func (r *Reactor) Receive(e cmtp2p.Envelope) {
	msg, ok := e.Message.(interface {
		proto.Message
		Size() int
	})
	if !ok {
		r.metrics.Dropped(In, DropUnknownMessage)
		return
	}
	rem, ok := r.remoteOf(e.Src)
	if !ok {
		r.metrics.Dropped(In, DropUnknownPeer)
		return
	}
	if rem.stopped.Load() {
		return // the connection is being closed
	}
	if frame, ok := msg.(*wire.Frame); ok {
		r.receiveFrame(rem, frame)
		return
	}
	r.receive(rem, msg, msg.Size())
}

// receive charges for one message and queues it.
func (r *Reactor) receive(rem *remote, msg proto.Message, size int) {
	r.metrics.Bytes(In, kindOf(msg), size)
	switch why := rem.allowed.admits(msg, size, r.opts.Now()); why {
	case "":
	case DropPeerBudget:
		r.overBudget(rem, size)
		return
	default:
		r.dropIn(rem, why, nil)
		return
	}
	r.enqueue(arrival{from: rem, msg: msg, size: size, number: r.arrivals.Add(1)})
}

// enqueue gives a message to the workers.
func (r *Reactor) enqueue(a arrival) {
	waiting, ok := r.in.put(a)
	if !ok {
		r.dropIn(a.from, DropQueueFull, nil)
		return
	}
	r.metrics.Queued(In, waiting)
}

// work is a verify worker. It ends with the inbox.
func (r *Reactor) work() {
	for {
		a, waiting, ok := r.in.take()
		if !ok {
			return
		}
		r.metrics.Queued(In, waiting)
		r.judgeSafely(a)
	}
}

// judgeSafely drops a message whose judging panics, in decoding, in
// cryptography or in the sink: one message must not take the node down. The
// value of a panic may hold what was in memory, so it is not logged.
func (r *Reactor) judgeSafely(a arrival) {
	defer func() {
		if value := recover(); value != nil {
			r.log.Error("judging an MPC message panicked; the message is dropped, please report this",
				"peer", a.from.id, "message", kindOf(a.msg), "panic", fmt.Sprintf("%T", value), "stack", string(debug.Stack()))
			r.fault(a.from, FaultPanic, fmt.Errorf("panic of type %T", value))
		}
	}()
	r.judge(a)
}

// judge checks one message, cheapest check first, and hands it to the sink.
func (r *Reactor) judge(a arrival) {
	if hello, ok := a.msg.(*wire.Hello); ok {
		r.judgeHello(a, hello)
		return
	}
	sink := r.sink.Load()
	if sink == nil {
		r.dropIn(a.from, DropNoSink, nil)
		return
	}
	switch msg := a.msg.(type) {
	case *wire.Envelope:
		r.judgeEnvelope(a, msg, *sink)
	case *wire.Gossip:
		r.judgeGossip(a, msg, *sink)
	case *wire.Relay:
		r.judgeRelay(a, msg, *sink)
	default:
		r.dropIn(a.from, DropUnknownMessage, fmt.Errorf("message is a %T", msg))
	}
}

// judgeEnvelope passes on an envelope that a registered participant signed for
// this node or for everybody.
func (r *Reactor) judgeEnvelope(a arrival, e *wire.Envelope, sink Sink) {
	if err := r.sizes.checkEnvelope(e); err != nil {
		r.fault(a.from, FaultShape, err)
		return
	}
	if !r.sizes.known(e.Header.Kind, e.Header.Type) {
		r.dropIn(a.from, DropUnknownMessage, fmt.Errorf("kind %d, type %.32q", e.Header.Kind, e.Header.Type))
		return
	}
	if err := types.CheckEnvelope(e, r.opts.ChainID); err != nil {
		r.fault(a.from, FaultShape, err)
		return
	}
	key, why := r.admit(e.Header)
	if why != "" {
		r.dropIn(a.from, why, nil)
		return
	}
	if !r.isOwn(a.from, types.Operator(e.Header.From)) {
		r.judgeForwarded(a, e, key, sink)
		return
	}
	v, err := types.VerifyEnvelope(e, r.opts.ChainID, key)
	if err != nil {
		r.fault(a.from, FaultSignature, err)
		return
	}
	sink.Receive(v)
}

// judgeForwarded takes an envelope from a peer that its sender is not behind: a Start or an
// Abort, which members forward, or what somebody kept and says again. It passes as a relay would
// that goes no further, and what passed as the one passes no more as the other.
func (r *Reactor) judgeForwarded(a arrival, e *wire.Envelope, key []byte, sink Sink) {
	if !r.mayForward(a.from, e.Header) {
		r.dropIn(a.from, DropNotForwarded, nil)
		return
	}
	hash, err := hashOf(e)
	if err != nil {
		r.fault(a.from, FaultShape, err)
		return
	}
	if !r.passed.wants(hash, 0, r.opts.Now()) {
		r.dropIn(a.from, DropRelayed, nil)
		return
	}
	v, err := types.VerifyEnvelope(e, r.opts.ChainID, key)
	if err != nil {
		r.fault(a.from, FaultSignature, err)
		return
	}
	if why := r.chargeForwarded(a, v); why != "" {
		r.dropIn(a.from, why, nil)
		return
	}
	if fresh, _ := r.passed.pass(hash, 0, r.opts.Now()); !fresh {
		r.dropIn(a.from, DropRelayed, nil) // another worker was faster
		return
	}
	sink.Receive(v)
}

// mayForward: members forward this, or the peer shows an identity of the sender's too, or no
// connection shows the sender's current one. If one does, all else that others bring as it was
// said is kept from long ago: what a sentry brings is a Relay.
func (r *Reactor) mayForward(rem *remote, h *wire.Header) bool {
	if h.Kind == wire.KIND_START || h.Kind == wire.KIND_ABORT {
		return true
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	sender := types.Operator(h.From)
	_, current := r.peerOf(sender)
	return !current || rem.hello != nil && rem.hello.operator() == sender
}

// admit returns the key that must have signed, or why the envelope is not for
// this node.
func (r *Reactor) admit(h *wire.Header) (key []byte, why types.Reason) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	switch {
	case r.self == "":
		return nil, DropNoIdentity
	case h.From == string(r.self), h.To != "" && h.To != string(r.self):
		return nil, DropNotForUs
	}
	key, ok := r.roster.Key(types.Operator(h.From), h.IdentityVersion)
	if !ok {
		return nil, DropUnknownSender
	}
	return key, ""
}

// chargeForwarded takes a verified envelope from what peers may deliver in its sender's name.
// The deliverer's part comes first: who used up its own takes nothing from what all share.
func (r *Reactor) chargeForwarded(a arrival, v types.Verified) types.Reason {
	r.mu.Lock()
	charged := r.chargeOthers(a, v)
	r.mu.Unlock()
	switch {
	case !charged:
		return DropSenderBudget
	case !r.open(v.Request()) && !r.notOpen.charge(r.opts.Now(), a.size):
		return DropNotOpen
	}
	return ""
}

// chargeOthers is for what comes from a peer that its sender is not behind. It is called
// under r.mu.
func (r *Reactor) chargeOthers(a arrival, v types.Verified) bool {
	on, sender := subjectOf(v), r.senderOf(v.From())
	if on.presign {
		return r.takePart(a.from, on, sender.presign, r.limits.presign, a.size)
	}
	return r.takePart(a.from, on, sender.others, r.limits.others, a.size)
}

// isOwn says whether a sender is behind a peer.
func (r *Reactor) isOwn(rem *remote, from types.Operator) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.operators[from] == rem
}

func (r *Reactor) open(id types.RequestID) bool { return r.opts.Open == nil || r.opts.Open(id) }

// senderBudgets are what may be delivered in the name of one sender, beside what its own
// connection brings for this node, which was charged there.
type senderBudgets struct {
	// own: what its own connection brings to be relayed, so that nothing that others say
	// again can keep it out.
	own *budget
	// others: what other peers deliver, and presign what they do for presignatures. Each has
	// a part of it, see takePart.
	others, presign *budget
	// detour: what other peers bring to be relayed while its own connection is there,
	// which brings it all. There is little honest use in that, and the next node has one
	// part for all that this one passes on of the sender.
	detour *budget
}

func (r *Reactor) senderOf(op types.Operator) *senderBudgets {
	s, ok := r.senders[op]
	if !ok {
		l := r.limits
		s = &senderBudgets{own: newBudget(l.sender), others: newBudget(l.others), presign: newBudget(l.presign), detour: newBudget(l.detour)}
		r.senders[op] = s
	}
	return s
}

// dropIn counts a message that is dropped without anybody's fault.
func (r *Reactor) dropIn(rem *remote, reason types.Reason, err error) {
	r.metrics.Dropped(In, reason)
	r.log.Debug("MPC message is dropped", "peer", rem.id, "reason", reason, "err", err)
}

// kindOf names a message for metrics and logs.
func kindOf(msg proto.Message) string {
	switch m := msg.(type) {
	case *wire.Hello:
		return "hello"
	case *wire.Gossip:
		return "gossip"
	case *wire.Relay:
		return "relay"
	case *wire.Frame:
		return "frame"
	case *wire.Envelope:
		return envelopeKind(m)
	}
	return "unknown"
}

var envelopeKinds = map[wire.Kind]string{
	wire.KIND_PREPARE: "prepare", wire.KIND_READY: "ready", wire.KIND_REFUSE: "refuse", wire.KIND_START: "start",
	wire.KIND_ROUND: "round", wire.KIND_CONFIRM: "confirm", wire.KIND_WORKING: "working",
	wire.KIND_MISSING: "missing", wire.KIND_FORWARD: "forward", wire.KIND_DISPUTE: "dispute",
	wire.KIND_ABORT: "abort", wire.KIND_PARKED: "parked",
	wire.KIND_PING: "ping", wire.KIND_PONG: "pong",
}

func envelopeKind(e *wire.Envelope) string {
	if e.Header != nil {
		if name, ok := envelopeKinds[e.Header.Kind]; ok {
			return name
		}
	}
	return "unknown"
}
