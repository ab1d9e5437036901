package mpc

import (
	"fmt"
	"runtime/debug"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// maxPanics of one kind, of what one participant says or one peer tells for one, are looked
// into between two blocks; after that the loop leaves out what panics until the next one.
const maxPanics = 4

// word is what somebody said.
type word struct {
	from  types.Operator // empty: told, by whomever
	peer  string         // that told it
	names []types.Hash   // of sessions that it is for, by id or context
}

func wordOf(v types.Verified) word {
	return word{from: v.From(), names: []types.Hash{types.Hash(v.Header().Context), v.Hash()}} // a Prepare names its session
}

// wordOfResult is one that a peer told. Proof ends the session that it is about.
func wordOfResult(peer string, j Judged) word {
	w := word{peer: peer}
	if j.evidence != nil {
		w.names = []types.Hash{j.evidence.Context()}
	}
	return w
}

// task is what is done with it.
func (w word) task() task {
	if w.from == "" {
		return task{"what is told", w.peer}
	}
	return task{"a word", string(w.from)}
}

// task is a part of what the loop does: what, and of whom or what.
type task struct{ what, of string }

// contain lets a word take effect. If it panics, the sessions that it is for end, and not
// the engine: who found such a word would switch MPC off on every node that hears it.
// Nobody is accused: that this node panics is its own fault, whoever spoke.
func (c *Core) contain(w word, run func()) {
	if c.broken != nil {
		return
	}
	before := c.named(w)
	c.guard(w.task(), func() []*live { return append(before, c.named(w)...) }, run)
}

func (c *Core) named(w word) (sessions []*live) {
	for _, name := range w.names {
		if l, ok := c.sessions[name]; ok {
			sessions = append(sessions, l)
		}
		if l, ok := c.byContext[name]; ok {
			sessions = append(sessions, l)
		}
	}
	return sessions
}

// guardSession does something with one session, which ends if that panics.
func (c *Core) guardSession(what string, l *live, run func()) {
	c.guard(task{what, l.ID().Short()}, func() []*live { return []*live{l} }, run)
}

// guardOpening does what makes sessions for a request, or uses presignatures for it: those
// end if it panics, and not what ran before.
func (c *Core) guardOpening(r *types.Request, run func()) {
	if c.broken != nil {
		return
	}
	ran := make(map[*live]bool)
	for _, l := range c.sessions {
		ran[l] = serves(l.Session).ID == r.ID && !l.unstarted()
	}
	c.guard(task{"an attempt", r.ID.String()}, func() (made []*live) {
		for _, l := range c.sessions {
			if serves(l.Session).ID == r.ID && !ran[l] {
				made = append(made, l)
			}
		}
		return made
	}, run)
}

// guardWork does what concerns no session in particular.
func (c *Core) guardWork(what string, run func()) {
	if c.broken == nil {
		c.guard(task{what: what}, nil, run)
	}
}

// try is guardWork for what can fail.
func (c *Core) try(what string, run func() error) (err error) {
	c.guardWork(what, func() { err = run() })
	if err == nil {
		err = c.broken
	}
	return err
}

// guard does a part of the loop's work. If it panics, the sessions that it concerned end;
// whatever comes next finds the loop as before. What is left out comes again: with the next
// block, or because whoever said it says it again.
//
// Safe after a panic:
//   - A session that ends: nothing survives it but what is durable, as after a crash, and
//     its secrets are wiped. It is out of service even if its end panics too, and what
//     the engine held for it is counted anew (see tidy).
//   - Other sessions: they share nothing with it but the engine's books.
//   - The books on participants and what is told: they say whom to prefer and what to
//     repeat. What a panic left out of them costs time, and no promise.
//   - Records: their store is written first, and each look at the chain compares anew.
//
// Not safe, and the end of the engine as before: a write that did not return, since nobody
// knows what is on disk, and books that do not add up, such as a session that is over and
// still listed. What is read of the chain is a case of its own, see look. A Core that nobody
// made an Engine of lets panics through, for whoever drives it to see.
func (c *Core) guard(t task, concerned func() []*live, run func()) {
	if !c.guards {
		run()
		return
	}
	if c.panics[t] >= maxPanics {
		c.opts.Observer.Dropped(types.ErrInterrupted)
		return
	}
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		c.panics[t]++
		c.opts.Observer.Dropped(types.ErrPanic)
		c.logPanic(p, "part of the engine's loop panicked; the sessions that it was for end", "part", t.what, "of", t.of)
		if err := c.afterPanic(concerned); err != nil && c.broken == nil {
			c.broken = fmt.Errorf("the engine's loop panicked (%T): %w", p, err)
		}
	}()
	run()
}

// logPanic leaves the value out, which may hold secrets.
func (c *Core) logPanic(p any, msg string, attrs ...any) {
	c.opts.Log.Error(msg, append(attrs, "type", fmt.Sprintf("%T", p), "reason", types.ErrInterrupted, "stack", string(debug.Stack()))...)
}

// afterPanic ends sessions. The error says what cannot be put right.
func (c *Core) afterPanic(concerned func() []*live) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("so did what puts it right (%T)", p)
		}
	}()
	if c.writes.begun {
		return fmt.Errorf("nobody knows whether %s is written", c.writes.what)
	}
	if concerned != nil {
		for _, l := range concerned() {
			c.stopAfterPanic(l)
		}
	}
	if c.writes.begun {
		return fmt.Errorf("nobody knows whether %s is written", c.writes.what)
	}
	return c.tidy()
}

// stopAfterPanic ends a session. If that panics too it is out all the same, or tidy finds it.
func (c *Core) stopAfterPanic(l *live) {
	defer func() {
		if p := recover(); p != nil {
			c.logPanic(p, "the end of a session panicked", "session", l.ID().Short())
		}
	}()
	l.Stop(types.ErrInterrupted)
}

// tidy puts right what a panic can leave of sessions that did not come to be, or to a
// proper end. The error names one that did not come to its end at all.
func (c *Core) tidy() error {
	held, presigned := make(map[uint64]bool), 0
	for id, l := range c.sessions {
		if l.Phase() == session.Ended {
			return fmt.Errorf("session %s is over and still here", id.Short())
		}
		if l.preparams != 0 {
			held[l.preparams] = true
		}
		if l.presign() {
			presigned++
		}
	}
	for context, l := range c.byContext {
		if c.sessions[l.ID()] != l {
			delete(c.byContext, context)
		}
	}
	c.reserved, c.presigns.count = held, presigned
	return c.failOrphans()
}

// failOrphans marks the records of sessions that are gone and left no share: a restart
// would.
func (c *Core) failOrphans() error {
	for _, k := range c.recordKeys() {
		r := c.records[k]
		if _, lives := c.sessions[k.Session]; lives || r.Status != types.StatusPending || r.HasData {
			continue
		}
		if _, err := c.failRecord(r, types.ErrInterrupted); err != nil {
			return err
		}
	}
	return nil
}

// writes is a store that knows whether a write was begun and did not return.
type writes struct {
	Store
	begun bool
	what  string
}

func (w *writes) during(what string, write func() error) error {
	w.begun, w.what = true, what
	err := write()
	w.begun = false
	return err
}

func (w *writes) PutRecord(r types.Record) error {
	return w.during("a record", func() error { return w.Store.PutRecord(r) })
}

func (w *writes) DestroyRecord(k types.RecordKey) error {
	return w.during("the end of a record", func() error { return w.Store.DestroyRecord(k) })
}

func (w *writes) DestroyKey(id types.KeyID) error {
	return w.during("a tombstone", func() error { return w.Store.DestroyKey(id) })
}

func (w *writes) BindDigests(b []types.Binding) error {
	return w.during("bindings", func() error { return w.Store.BindDigests(b) })
}

func (w *writes) BindDigest(id string, content types.Hash, digest []byte) error {
	return w.during("a binding", func() error { return w.Store.BindDigest(id, content, digest) })
}

func (w *writes) BurnPreparams(id uint64) error {
	return w.during("the end of pre-parameters", func() error { return w.Store.BurnPreparams(id) })
}
