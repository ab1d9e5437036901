package mpc

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

const (
	// tickInterval is the resolution of resending and of the watchdogs.
	tickInterval = 100 * time.Millisecond
	// reconcileInterval is how often committed state is read without a wake-up:
	// a wake-up can be lost in a crash.
	reconcileInterval = 3 * time.Second
	// statusInterval is how old a Status may be.
	statusInterval = 500 * time.Millisecond
)

// Engine runs a Core: one event loop, a bounded pool of workers for the
// cryptography, and an inbox that never blocks who fills it.
type Engine struct {
	core    *Core
	workers *workers
	count   int
	inbox   *queue
	wake    chan struct{}
	// ended is closed when Run returns.
	ended  chan struct{}
	status atomic.Pointer[Status]
	// offered is when proposers got the last results, and offering how long it took.
	offered  time.Time
	offering time.Duration
}

// New makes an engine with this many workers. It does nothing before Run.
func New(opts Options, workerCount int) (*Engine, error) {
	if workerCount < 1 {
		return nil, fmt.Errorf("engine with %d workers", workerCount)
	}
	e := &Engine{inbox: newQueue(), wake: make(chan struct{}, 1), ended: make(chan struct{}), count: workerCount}
	e.workers = newWorkers(e.inbox.force)
	core, err := NewCore(opts, e.workers)
	if err != nil {
		return nil, err
	}
	core.guards = true
	e.core = core
	e.status.Store(&Status{CatchingUp: true})
	return e, nil
}

// Run is the event loop, once. It returns nil when the context ends, after all its
// goroutines have, and an error if the store fails: a node that cannot write
// must not take part.
//
// A panic of a part of the loop's work ends the sessions that it was for, see Core.guard.
// One that this does not put right ends the engine with an error and not the node: what
// Core holds is void then, and what is durable is as a crash would leave it.
func (e *Engine) Run(ctx context.Context) (err error) {
	defer close(e.ended)
	defer func() {
		if r := recover(); r != nil {
			e.core.opts.Log.Error("the engine's loop panicked", "type", fmt.Sprintf("%T", r), "stack", string(debug.Stack()))
			err = fmt.Errorf("the engine's loop panicked (%T)", r)
		}
	}()
	if err := e.core.Restore(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		e.workers.work(ctx, e.count)
	}()
	defer func() {
		cancel()
		<-finished
		e.settleSteps()
	}()
	defer e.core.Shutdown()
	return e.loop(ctx)
}

// settleSteps hands the steps that ran until the end back to their sessions.
// Those are over and wipe what came of them; nothing else of the inbox matters.
func (e *Engine) settleSteps() {
	for _, item := range e.inbox.take() {
		if item.step {
			item.run()
		}
	}
}

func (e *Engine) loop(ctx context.Context) error {
	tick := time.NewTicker(tickInterval)
	defer tick.Stop()
	var reconciled, published time.Time
	e.Wake()
	for {
		e.offerResults()
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
			if err := e.reconcile(ctx); err != nil {
				return err
			}
			reconciled = time.Now()
		case <-e.inbox.wake:
			if err := e.hear(); err != nil {
				return err
			}
		case <-tick.C:
			if err := e.tick(); err != nil {
				return err
			}
			if time.Since(reconciled) >= reconcileInterval {
				e.Wake()
			}
			if time.Since(published) >= statusInterval {
				e.publish()
				published = time.Now()
			}
		}
	}
}

// hear takes what waits in the inbox.
func (e *Engine) hear() error {
	for _, item := range e.inbox.take() {
		item.run()
	}
	return e.core.Err()
}

// tick lets time pass for the sessions, after what came before it: nobody is silent
// whose word waits in the inbox.
func (e *Engine) tick() error {
	if err := e.hear(); err != nil {
		return err
	}
	e.core.Tick()
	return e.core.Err()
}

// reconcile keeps running when committed state cannot be read just now: the
// next block brings another try. A store that fails ends the engine.
func (e *Engine) reconcile(ctx context.Context) error {
	err := e.core.Reconcile(ctx)
	if errors.Is(err, errReadChain) {
		e.core.opts.Log.Warn("reconcile", "err", err)
		return e.core.Err()
	}
	return err
}

// offerResults lets proposers have the results that came since. Thousands at once
// take milliseconds to sort: that may cost the loop a tenth of its time.
func (e *Engine) offerResults() {
	if !e.core.pool.stale() || time.Since(e.offered) < 10*e.offering {
		return
	}
	begun := time.Now()
	e.core.guardWork("offering results", e.core.pool.publish)
	e.offered = time.Now()
	e.offering = e.offered.Sub(begun)
}

func (e *Engine) publish() {
	e.core.guardWork("the status", func() {
		s := e.core.Status()
		e.status.Store(&s)
	})
}

// Wake says that a block was committed. It never blocks; many calls are one.
func (e *Engine) Wake() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Receive takes a verified envelope. It never blocks; what does not fit is
// dropped, its sender resends.
func (e *Engine) Receive(v types.Verified) {
	if !e.inbox.putFrom(v.From(), len(v.Body()), func() { e.core.contain(wordOf(v), func() { e.core.HandleEnvelope(v) }) }) {
		e.core.opts.Observer.Dropped(types.ErrBusy)
	}
}

// ReceiveGossip takes a result of somebody that a peer delivered, unverified. What proves
// itself, a finished signature or proof, is verified before it returns, on the caller's
// goroutine; the error says that it is false, which is the fault of who delivered it. It
// never blocks.
func (e *Engine) ReceiveGossip(peer string, g *wire.Gossip) error {
	j, err := e.core.judgeFrom(peer, g)
	if err != nil {
		return err
	}
	run := func() { e.core.HandleGossip(context.Background(), j) }
	if !e.inbox.putLow(peer, g.Size(), func() { e.core.contain(wordOfResult(peer, j), run) }) {
		e.core.opts.Observer.Dropped(types.ErrBusy)
	}
	return nil
}

// Connected says that a participant can be reached again. It never blocks.
func (e *Engine) Connected(op types.Operator) {
	e.inbox.put(0, func() { e.core.contain(word{from: op}, func() { e.core.HandleConnected(op) }) }) // a session each
}

// Disconnected says that a participant's own connection is gone. It never blocks.
func (e *Engine) Disconnected(op types.Operator) {
	e.inbox.put(0, func() { e.core.contain(word{from: op}, func() { e.core.HandleDisconnected(op) }) })
}

// NoteUnheld says of which keys this node seems to have no share that it should have, as
// Core.NoteUnheld. It never blocks; what finds no room is said again by the caller.
func (e *Engine) NoteUnheld(keys []types.KeyID) {
	e.inbox.put(0, func() { e.core.guardWork("unheld shares", func() { e.core.NoteUnheld(keys) }) })
}

// Results is what this node holds for the next proposal. It never blocks.
func (e *Engine) Results() types.Results { return e.core.pool.results() }

// Status is at most half a second old. It never blocks.
func (e *Engine) Status() Status { return *e.status.Load() }

// Queued is how many steps wait for a worker, and inputs for the loop.
func (e *Engine) Queued() (steps, inputs int) { return e.workers.queued(), e.inbox.length() }
