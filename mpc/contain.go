package mpc

import (
	"fmt"
	"runtime/debug"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// maxPanics of what one participant says, or of what is told, are looked into between two
// blocks; the rest of its words is dropped.
const maxPanics = 4

// word is what somebody said.
type word struct {
	from  types.Operator // empty: told, by whomever
	names []types.Hash   // of sessions that it is for, by id or context
}

func wordOf(v types.Verified) word {
	return word{v.From(), []types.Hash{types.Hash(v.Header().Context), v.Hash()}} // a Prepare names its session
}

// wordOfResult is one that is told. Proof ends the session that it is about.
func wordOfResult(j Judged) word {
	if j.evidence == nil {
		return word{}
	}
	return word{names: []types.Hash{j.evidence.Context()}}
}

// contain lets a word take effect. If it panics, the sessions that it is for end, and not
// the engine: who found such a word would switch MPC off on every node that hears it.
//
// That is safe as far as sessions go, because nothing survives one but what is durable, as
// after a crash: it ends, and its secrets are wiped. Nobody is accused: that this node
// panics is its own fault, whoever spoke. Where the panic may have left more than that half
// done, a write or another session's end, the engine ends as it did before.
func (c *Core) contain(w word, run func()) {
	if c.panics[w.from] >= maxPanics {
		c.opts.Observer.Dropped(types.ErrInterrupted)
		return
	}
	before := c.named(w)
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		c.opts.Observer.Dropped(types.ErrPanic)
		c.panics[w.from]++
		// The value may hold secrets.
		c.opts.Log.Error("a word panicked; the sessions that it was for end", "of", w.from, "type", fmt.Sprintf("%T", p),
			"reason", types.ErrInterrupted, "stack", string(debug.Stack()))
		if err := c.afterPanic(append(before, c.named(w)...)); err != nil && c.broken == nil {
			c.broken = fmt.Errorf("the engine's loop panicked (%T): %w", p, err)
		}
	}()
	run()
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

// afterPanic ends sessions. The error says what cannot be put right.
func (c *Core) afterPanic(concerned []*live) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("so did the end of a session (%T)", p)
		}
	}()
	if c.writes.begun {
		return fmt.Errorf("nobody knows whether %s is written", c.writes.what)
	}
	for _, l := range concerned {
		l.Stop(types.ErrInterrupted)
	}
	return c.tidy()
}

// tidy puts right what a panic can leave of a session that did not come to be. The error
// names one that did not come to its end.
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
			return fmt.Errorf("session %s is not here, but its context", context.Short())
		}
	}
	c.reserved, c.presigns.count = held, presigned
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
