package sim

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/memstore"
)

// sharesInterval is how often a node compares the chain's keys with its records.
const sharesInterval = time.Minute

// tick is how often a node's clock ticks.
const tick = 200 * time.Millisecond

// Node is one participant: an engine core with a store that outlives it.
type Node struct {
	Operator types.Operator
	Identity ed25519.PrivateKey
	Store    *memstore.Store
	// Slowness is how many times as long as others it computes; 0: 1.
	Slowness int
	// Restarts counts.
	Restarts int
	// Ended counts the ends of sessions by reason; empty: success.
	Ended map[types.Reason]int
	// Accused are the accusations that its engine made.
	Accused []Accused
	// False counts the results that it told and others found false.
	False int
	// ClockAhead is by how much its wall clock was set forward while it ran.
	ClockAhead time.Duration
	// Lied counts the messages that it did not send as its engine made them.
	Lied int

	stood  time.Duration        // see StandStill
	former []ed25519.PrivateKey // identities that it had before
	timing session.Timing
	world  *World
	core   *mpc.Core
	idler  *Idler // instead of core
	life   int    // counts up; events of an earlier life are void
	seen   int64
	looked time.Time
	blind  bool // it sees no new blocks
	works  uint32
	liar   bool // it lied, and may hear its own lies from others
	queue  []simJob
	idle   int
	order  uint64
	slow   slowDisk
	audit  *audited
}

type simJob struct {
	request types.Request
	order   uint64
	run     func() (session.Step, error)
	done    func(session.Step, error)
}

func (n *Node) init() {
	n.timing = n.world.Timing
	n.Ended = make(map[types.Reason]int)
	n.PutBack(memstore.New())
	for i := range n.world.Preparams {
		set := fmt.Appendf(nil, "fake set %d of %s", i, n.Operator)
		if n.world.MakePreparams != nil {
			set = n.world.MakePreparams(len(n.world.Nodes)*n.world.Preparams + i)
		}
		if _, err := n.Store.AddPreparams(set); err != nil {
			panic(err)
		}
	}
}

// Up reports whether the node runs an engine.
func (n *Node) Up() bool { return n.core != nil }

// listens reports whether anybody is at home.
func (n *Node) listens() bool { return n.core != nil || n.idler != nil }

func (n *Node) hear(v types.Verified) {
	if n.idler != nil {
		n.idler.hear(v)
		return
	}
	n.core.HandleEnvelope(v)
}

// hearGossip fails for what is the fault of who told it.
func (n *Node) hearGossip(g *wire.Gossip) error {
	if n.core == nil {
		return nil // an idler has no use for it
	}
	j, err := n.core.Judge(g)
	if err == nil {
		n.core.HandleGossip(context.Background(), j)
	}
	return err
}

// Core is the running engine core; nil while the node is down.
func (n *Node) Core() *mpc.Core { return n.core }

// Start begins a new life on the old store.
func (n *Node) Start() {
	n.world.note("%s starts", n.Operator)
	n.life++
	n.queue, n.idle, n.idler, n.looked, n.slow = nil, n.world.Workers, nil, time.Time{}, slowDisk{}
	log := n.world.Log
	if log != nil {
		log = log.With("node", string(n.Operator))
	} else {
		log = slog.New(slog.DiscardHandler)
	}
	// A restarted node must not repeat the randomness of its last life.
	seed := sha256.Sum256(fmt.Appendf(nil, "%d|%s|%d", n.world.Seed, n.Operator, n.life))
	core, err := mpc.NewCore(mpc.Options{
		ChainID: n.world.Chain.ID(), Identities: append(slices.Clone(n.former), n.Identity), Chain: n, Store: n.Store,
		Transport: (*transport)(n), Protocols: n.world.Protocols, Now: n.wall, Elapsed: n.elapsed,
		Rand: rand.NewChaCha8(seed), Log: log, Timing: n.timing, Observer: (*observer)(n),
		MaxSessions: n.world.MaxSessions, Auditor: n.openAudit(),
	}, (*executor)(n))
	if err != nil {
		panic(err)
	}
	n.core = core // it may crash again while it reads its store
	if err := core.Restore(); err != nil {
		panic(fmt.Sprintf("restore %s: %v", n.Operator, err))
	}
	if !n.blind {
		n.seen = n.world.Chain.Height()
	}
	n.reconcile()
	n.tickLater()
}

// wall is what the node takes the time to be.
func (n *Node) wall() time.Time { return n.world.Now().Add(n.ClockAhead - n.stood) }

// elapsed is by a clock that nobody sets.
func (n *Node) elapsed() time.Duration { return time.Duration(n.world.Now().UnixNano()) - n.stood }

// Sleep lets a node do nothing for a while. What comes meanwhile waits.
func (n *Node) Sleep(d time.Duration) { n.slow.until = n.world.now.Add(d) }

// StandStill is a Sleep of which the node's clocks know nothing: to it, it is as if a memory of
// before was put back when it wakes.
func (n *Node) StandStill(d time.Duration) {
	n.Sleep(d)
	n.stood += d
}

// StartBehind begins a new life that knows no block after a height until CatchUp.
func (n *Node) StartBehind(height int64) {
	n.seen, n.blind = height, true
	n.Start()
}

// FallBehind lets a node see no block until CatchUp.
func (n *Node) FallBehind() { n.blind = true }

// CatchUp lets a node that is behind see the next block.
func (n *Node) CatchUp() { n.blind = false }

// Crash ends this life without a word.
func (n *Node) Crash() {
	n.world.note("%s stops", n.Operator)
	n.core = nil
	n.life++
	n.closeAudit()
}

// LoseStore ends this life, and all that the node had on disk but its identity.
func (n *Node) LoseStore() {
	n.Crash()
	n.init()
}

// PutBack gives a node that is down another store, such as an older copy of its own.
func (n *Node) PutBack(store *memstore.Store) {
	store.BeforeWrite = func(what string) error { n.comes(Before, what); return nil }
	store.Halfway = func(what string) { n.comes(Halfway, what) }
	store.AfterWrite = func(what string) { n.wrote(); n.comes(After, what) }
	n.Store = store
}

// RestartAfter crashes the node and starts it again later.
func (n *Node) RestartAfter(d time.Duration) {
	n.Crash()
	n.Restarts++
	n.world.after(d, n.Start)
}

// own schedules something of this life only.
func (n *Node) own(d time.Duration, run func()) {
	life := n.life
	n.world.after(d, func() {
		if n.listens() && n.life == life {
			n.turn(run)
		}
	})
}

func (n *Node) ticking() {
	if n.busy() {
		n.tickWaits()
		return
	}
	n.core.Tick()
	if n.world.Now().Sub(n.looked) >= sharesInterval {
		n.looked = n.world.Now()
		n.noteUnheld()
	}
	n.tickLater()
}

// tickLater lets the clock tick: it does not wait in line, see slowDisk.
func (n *Node) tickLater() {
	life := n.life
	n.world.after(tick, func() {
		if n.listens() && n.life == life {
			n.ticking()
		}
	})
}

// noteUnheld compares the chain's keys with the node's records, as mpcnode's watch does.
func (n *Node) noteUnheld() {
	var unheld []types.KeyID
	records := n.core.Status().Records
	for id, k := range n.world.Chain.at(n.seen).keys {
		if k.Status != types.KeyReady || !slices.Contains(k.Participants, n.Operator) || slices.Contains(k.MissingShares, n.Operator) {
			continue
		}
		if !slices.ContainsFunc(records, func(r types.Record) bool {
			return r.KeyID == id && r.Epoch == k.Epoch && r.Context == k.Session && r.HasData
		}) {
			unheld = append(unheld, id)
		}
	}
	slices.Sort(unheld)
	n.core.NoteUnheld(unheld)
}

// committed tells the node of a block, some time later.
func (n *Node) committed(height int64) {
	n.own(n.world.between([2]time.Duration{0, n.world.Lag}), func() {
		if height > n.seen {
			if !n.blind {
				n.seen = height
			}
			n.reconcile()
		}
	})
}

func (n *Node) reconcile() {
	if n.idler != nil {
		n.idler.lead(n.seen)
		return
	}
	if err := n.core.Reconcile(context.Background()); err != nil {
		panic(fmt.Sprintf("reconcile %s: %v", n.Operator, err))
	}
}

// View implements mpc.Chain: the last block that this node has seen.
func (n *Node) View(_ context.Context, keys []types.KeyID) (*mpc.View, error) {
	return n.world.Chain.view(n.seen, keys), nil
}

// Key implements mpc.Chain.
func (n *Node) Key(_ context.Context, id types.KeyID) (types.Key, bool, error) {
	k, ok := n.world.Chain.at(n.seen).keys[id]
	return k, ok, nil
}

// Unacknowledged implements mpc.Chain.
func (n *Node) Unacknowledged(_ context.Context, op types.Operator) (ids []types.KeyID, err error) {
	for id, k := range n.world.Chain.at(n.seen).keys {
		if k.AwaitsAck(op) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Proven implements mpc.Chain.
func (n *Node) Proven(_ context.Context, op types.Operator, session types.Context) (bool, error) {
	return n.world.Chain.at(n.seen).proven[session] == op, nil
}

// ReshareEnded implements mpc.Chain.
func (n *Node) ReshareEnded(_ context.Context, id string) (types.EndedReshare, bool, error) {
	end, ended := n.world.Chain.at(n.seen).ended[id]
	return end, ended, nil
}

// Signature implements mpc.Chain.
func (n *Node) Signature(_ context.Context, id string) (types.SignatureResult, bool, error) {
	s, ok := n.world.Chain.at(n.seen).signatures[id]
	return s, ok, nil
}

// transport is the node's way out.
type transport Node

// Send implements mpc.Transport.
func (t *transport) Send(to types.Operator, e *wire.Envelope) bool {
	n, peer := (*Node)(t), t.world.node(to)
	if peer == nil || !peer.listens() {
		return false
	}
	n.comes(Before, Send)
	t.world.words.said(e)
	t.world.send(n, peer, &wire.Message{Sum: &wire.Message_Envelope{Envelope: e}})
	return true
}

// Gossip implements mpc.Transport.
func (t *transport) Gossip(g *wire.Gossip) {
	n := (*Node)(t)
	t.world.words.told(n, g)
	n.tells(g)
	for _, peer := range t.world.Nodes {
		if peer != n && peer.listens() {
			n.comes(Before, Send)
			t.world.send(n, peer, &wire.Message{Sum: &wire.Message_Gossip{Gossip: g}})
		}
	}
}

// SetRoster implements mpc.Transport.
func (t *transport) SetRoster(*types.Roster) {}

// SetSelf implements mpc.Transport.
func (t *transport) SetSelf(mpc.Self) {}

// executor runs steps in virtual time, in the order of the real one.
type executor Node

// Submit implements mpc.Executor.
func (x *executor) Submit(r *types.Request, run func() (session.Step, error), done func(session.Step, error)) {
	x.order++
	x.queue = append(x.queue, simJob{*r, x.order, run, done})
	x.pump()
}

func (x *executor) pump() {
	n := (*Node)(x)
	for x.idle > 0 && len(x.queue) > 0 {
		first := 0
		for i := range x.queue {
			if x.queue[i].request.Before(&x.queue[first].request) {
				first = i
			}
		}
		j := x.queue[first]
		x.queue = append(x.queue[:first], x.queue[first+1:]...)
		x.idle--
		n.own(n.world.between(n.world.Step)*time.Duration(max(1, n.Slowness)), func() {
			x.idle++
			step, err := j.run()
			n.world.note("%s computed %d of %s: %v", n.Operator, j.order, j.request.ID, err)
			j.done(step, err)
			x.pump()
		})
	}
}

// observer counts for the invariants of a run.
type observer Node

// SessionOpened implements mpc.Observer.
func (*observer) SessionOpened(types.RequestID, types.SessionID) {}

// SessionEnded implements mpc.Observer.
func (o *observer) SessionEnded(end mpc.SessionEnd) {
	o.world.note("%s ends a session of a %s: %q", o.Operator, end.Request.Kind, end.Reason)
	o.Ended[end.Reason]++
}

// RoundDone implements mpc.Observer.
func (*observer) RoundDone(types.RequestID, types.SessionID, uint32, time.Duration) {}

// Dropped implements mpc.Observer.
func (*observer) Dropped(types.Reason) {}

// Reconciled implements mpc.Observer.
func (*observer) Reconciled(int64, time.Duration) {}
