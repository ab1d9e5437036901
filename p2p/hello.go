package p2p

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// heldHello is the word of a peer about whose node it is.
type heldHello struct {
	msg *wire.Hello
	// number orders it among all arrivals.
	number uint64
	// key verified it; nil while it waits for the roster.
	key []byte
}

func (h *heldHello) operator() types.Operator { return types.Operator(h.msg.Operator) }

// supersedes orders hellos: of one operator the higher identity version counts, whenever it
// came, and else the newer one. So whoever has an identity that was replaced, and not
// revoked, takes nothing from the node that shows its successor.
func (h *heldHello) supersedes(other *heldHello) bool {
	if h.operator() == other.operator() && h.msg.IdentityVersion != other.msg.IdentityVersion {
		return h.msg.IdentityVersion > other.msg.IdentityVersion
	}
	return h.number > other.number
}

// SetSelf gives the node its identity and greets all peers with it. After a
// rotation it is called again; the same identity again sends nothing.
func (r *Reactor) SetSelf(s Self) error {
	if err := s.validate(); err != nil {
		return fmt.Errorf("set identity of the channel: %w", err)
	}
	hello := &wire.Hello{Operator: string(s.Operator), IdentityVersion: s.IdentityVersion, PeerId: s.PeerID}
	hello.Signature = ed25519.Sign(s.Key, types.HelloSignBytes(r.opts.ChainID, s.Operator, s.IdentityVersion, s.PeerID))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hello != nil && sameHello(r.hello, hello) {
		return nil
	}
	r.self, r.hello = s.Operator, hello
	r.announce()
	return nil
}

// ClearSelf makes the node one without an identity: it sends no hello and takes
// no envelopes, and goes on with results.
func (r *Reactor) ClearSelf() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.self, r.hello = "", nil
}

// SetRoster says who is registered, as committed state has it. It may be called
// at every block: the same pointer again costs nothing, a roster with the same
// identities costs no message.
func (r *Reactor) SetRoster(roster *types.Roster) {
	r.tell(r.setRoster(roster))
}

func (r *Reactor) setRoster(roster *types.Roster) rebound {
	r.mu.Lock()
	defer r.mu.Unlock()
	if roster == r.roster {
		return rebound{}
	}
	if !sameIdentities(roster, r.roster) {
		r.announce()
	}
	r.roster = roster
	maps.DeleteFunc(r.senders, func(op types.Operator, _ *senderBudgets) bool { return !registered(roster, op) })
	r.forgetParts(roster)
	for _, rem := range r.peers {
		r.review(rem)
	}
	return r.rebind()
}

func registered(roster *types.Roster, op types.Operator) bool {
	_, ok := roster.Current(op)
	return ok
}

// sameIdentities says whether two rosters have the same current identities.
func sameIdentities(a, b *types.Roster) bool {
	ops := a.Operators()
	if !slices.Equal(ops, b.Operators()) {
		return false
	}
	for _, op := range ops {
		idA, okA := a.Current(op)
		idB, okB := b.Current(op)
		if okA != okB || idA.Version != idB.Version {
			return false
		}
	}
	return true
}

// review looks at a peer's hellos again under a new roster: one that lost its
// key waits, and one that waits goes to the workers once its key is there.
func (r *Reactor) review(rem *remote) {
	if h := rem.hello; h != nil && !sameKey(r.roster, h) {
		rem.hello = nil
		if rem.waiting == nil {
			rem.waiting = &heldHello{msg: h.msg, number: h.number}
		}
	}
	if w := rem.waiting; w != nil {
		if _, ok := r.roster.Key(w.operator(), w.msg.IdentityVersion); ok {
			r.enqueue(arrival{from: rem, msg: w.msg, size: w.msg.Size(), number: w.number})
		}
	}
}

// sameKey says whether a verified hello still has its key.
func sameKey(roster *types.Roster, h *heldHello) bool {
	key, ok := roster.Key(h.operator(), h.msg.IdentityVersion)
	return ok && string(key) == string(h.key)
}

// announce makes this node's hello due to all peers.
func (r *Reactor) announce() {
	if r.hello == nil {
		return
	}
	for _, rem := range r.peers {
		rem.out.announce()
	}
}

// judgeHello verifies a hello and keeps it. One that the roster does not know
// is nobody's fault: it waits.
func (r *Reactor) judgeHello(a arrival, msg *wire.Hello) {
	if err := checkHello(msg); err != nil {
		r.fault(a.from, FaultShape, err)
		return
	}
	if msg.PeerId != a.from.id {
		r.fault(a.from, FaultPeerID, fmt.Errorf("hello of %.90q is for peer %.64q", msg.Operator, msg.PeerId))
		return
	}
	if r.repeatsHello(a.from, msg) {
		r.answerHello(a.from)
		return
	}
	held := &heldHello{msg: msg, number: a.number}
	for kept := false; !kept; {
		roster := r.currentRoster()
		key, ok := roster.Key(held.operator(), msg.IdentityVersion)
		if ok && !r.helloSigned(msg, key) {
			r.fault(a.from, FaultSignature, fmt.Errorf("signature of the hello of %.90q is wrong", msg.Operator))
			return
		}
		held.key = key
		kept = r.keepHello(a.from, held, roster)
	}
	if held.key == nil {
		r.dropIn(a.from, DropHelloWaits, nil)
	}
}

// repeatsHello says whether a peer says again what is known of it. It stays as
// old as it was: of two peers that claim one operator by the same identity, the one that
// claimed it later has it.
func (r *Reactor) repeatsHello(rem *remote, msg *wire.Hello) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return rem.hello != nil && rem.waiting == nil && sameHello(rem.hello.msg, msg)
}

// answerHello greets a peer that greets again: on a switch that reconnects
// unseen, it may have been started anew.
func (r *Reactor) answerHello(rem *remote) {
	r.mu.RLock()
	known := r.hello != nil
	r.mu.RUnlock()
	if known {
		rem.out.answer(r.opts.Now())
	}
}

// sameHello compares two hellos. Signatures of ed25519 are deterministic, so
// the same words have the same bytes, and the signature binds the peer id.
func sameHello(a, b *wire.Hello) bool {
	return a.Operator == b.Operator && a.IdentityVersion == b.IdentityVersion && bytes.Equal(a.Signature, b.Signature)
}

func checkHello(h *wire.Hello) error {
	if h.Operator == "" || len(h.Operator) > types.MaxOperatorBytes {
		return fmt.Errorf("operator of a hello has %d bytes, not 1 to %d", len(h.Operator), types.MaxOperatorBytes)
	}
	if len(h.Signature) != ed25519.SignatureSize {
		return errors.New("signature of a hello has the wrong length")
	}
	return nil
}

func (r *Reactor) helloSigned(h *wire.Hello, key []byte) bool {
	if len(key) != ed25519.PublicKeySize {
		return false
	}
	bz := types.HelloSignBytes(r.opts.ChainID, types.Operator(h.Operator), h.IdentityVersion, h.PeerId)
	return ed25519.Verify(key, bz, h.Signature)
}

// keepHello stores a hello that was judged under a roster; false if another
// roster came meanwhile, and it must be judged again.
func (r *Reactor) keepHello(rem *remote, h *heldHello, under *types.Roster) bool {
	r.mu.Lock()
	if r.roster != under {
		r.mu.Unlock()
		return false
	}
	rem.keep(h)
	changed := r.rebind()
	r.mu.Unlock()
	r.tell(changed)
	return true
}

// keep takes a hello unless one that counts more came before it.
func (rem *remote) keep(h *heldHello) {
	verified := h.key != nil
	if w := rem.waiting; w != nil && !w.supersedes(h) {
		rem.waiting = nil
	}
	switch newest := rem.hello == nil || h.supersedes(rem.hello); {
	case newest && verified:
		rem.hello = h
	case newest && rem.waiting == nil:
		rem.waiting = h
	}
}

// rebind finds out again behind which peer each operator is: the one with the hello
// that supersedes all others. It returns what changed.
func (r *Reactor) rebind() (c rebound) {
	next := make(map[types.Operator]*remote, len(r.operators))
	for _, rem := range r.peers {
		if h := rem.hello; h != nil {
			op := h.operator()
			if best := next[op]; best == nil || h.supersedes(best.hello) {
				next[op] = rem
			}
		}
	}
	for op, rem := range next {
		if r.operators[op] != rem {
			c.moved = append(c.moved, op)
		}
	}
	for op := range r.operators {
		if next[op] == nil {
			c.gone = append(c.gone, op)
		}
	}
	slices.Sort(c.moved)
	slices.Sort(c.gone)
	r.operators = next
	r.metrics.Peers(len(r.peers), len(r.operators))
	return c
}

// peerOf returns the peer that an operator is behind, if there is one, and whether it shows
// the operator's current identity. One that shows an older one may be the operator's node
// that does not have the new one yet, or whoever stole the old one while the operator's node
// is behind a sentry: it is no reason to look nowhere else. It is called under r.mu.
func (r *Reactor) peerOf(op types.Operator) (rem *remote, current bool) {
	if rem = r.operators[op]; rem == nil {
		return nil, false
	}
	newest, registered := r.roster.Current(op)
	return rem, !registered || rem.hello == nil || rem.hello.msg.IdentityVersion >= newest.Version
}

// rebound are operators that have a peer they did not have, and those that have none any
// more.
type rebound struct{ moved, gone []types.Operator }

// tell names operators to the sink. It is called without r.mu.
func (r *Reactor) tell(c rebound) {
	sink := r.sink.Load()
	if sink == nil {
		return
	}
	for _, op := range c.gone {
		(*sink).Disconnected(op)
	}
	for _, op := range c.moved {
		r.log.Info("participant is connected", "operator", op)
		(*sink).Connected(op)
	}
}

// Reachable lists the operators that Send can reach, ascending.
func (r *Reactor) Reachable() []types.Operator {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ops := make([]types.Operator, 0, len(r.operators))
	for op := range r.operators {
		ops = append(ops, op)
	}
	slices.Sort(ops)
	return ops
}

func (r *Reactor) currentRoster() *types.Roster {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.roster
}
