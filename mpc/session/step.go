package session

import (
	"errors"
	"sync/atomic"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// errOver is what a step answers whose session ended while it waited.
var errOver = errors.New("the session is over")

// task is one step of the party on its way through the executor, with the
// secrets that were opened for it.
type task struct {
	// taken is set by who comes first: the executor that runs the step, or the
	// session that gives it up.
	taken   atomic.Bool
	secrets [][]byte
}

func (t *task) take() bool { return t.taken.CompareAndSwap(false, true) }

func (t *task) wipe() {
	for _, secret := range t.secrets {
		types.Wipe(secret)
	}
}

// owned is the party of a session. While a step runs it belongs to the step,
// otherwise to the session; whoever ends the session closes it.
type owned struct{ party Party }

func (o *owned) close() {
	if o.party != nil {
		o.party.Close()
	}
	o.party = nil
}

// submit queues a step and the secrets that it needs. They are wiped when the
// step has run, or when the session ends before it began: an executor that
// stops with steps in its queue leaves nothing behind.
func (s *Session) submit(secrets [][]byte, run func() (Step, error)) {
	t := &task{secrets: secrets}
	s.task = t
	s.cfg.Host.Submit(s, func() (Step, error) {
		if !t.take() {
			return Step{}, errOver
		}
		defer t.wipe()
		return run()
	})
}

// busy says whether a step is queued or running.
func (s *Session) busy() bool { return s.task != nil }

// release wipes what the session holds. A step that runs cannot be interrupted:
// it keeps the party until HandleStep takes both back.
func (s *Session) release() {
	s.inbox.wipe()
	s.outbox.pending = nil
	s.links = nil
	s.ephemeral = nil
	if s.task != nil {
		if !s.task.take() {
			return
		}
		s.task.wipe()
	}
	s.party.close()
}

// wipe overwrites what a step made for others in confidence, and its share.
// Broadcasts are public, and their bytes are those of their envelopes.
func (s *Step) wipe() {
	for _, m := range s.Out {
		if m.To != "" {
			types.Wipe(m.Body)
		}
	}
	if s.Result != nil {
		types.Wipe(s.Result.Share)
	}
}
