package session

import (
	"fmt"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// tickRunning says Working while our own party computes, and otherwise ends a
// session that waits too long for the same members.
func (s *Session) tickRunning(now time.Time) {
	s.charge(now)
	if s.busy() {
		s.sayWorking(now)
		s.progress = now
		return
	}
	if s.giveUp(now) {
		return
	}
	s.sayMissing(now)
	s.urge(now)
	var silent []types.Operator
	for _, op := range s.AwaitedFor() {
		if min(s.waiting(op, now), now.Sub(s.peers[op].working)) >= s.cfg.Timing.Stall {
			silent = append(silent, s.blame(op, s.cfg.Timing.Stall/2, now)...)
		}
	}
	silent = compact(silent)
	if len(silent) > 0 && s.parking.target != nil && s.round == s.parking.round {
		if !slices.Contains(silent, s.initiator) {
			// Somebody may have lost its part, and nobody can tell.
			s.end(End{Reason: types.ErrPresignLost, Awaited: silent, Err: fmt.Errorf("nothing of %v since it is used", silent)})
			return
		}
		silent = []types.Operator{s.initiator} // has its part, or it could not use it, and would have left by now
	}
	if len(silent) > 0 {
		s.end(End{
			Reason: types.ErrStalled, Culprits: silent,
			Err: fmt.Errorf("nothing of %v in round %d for %s", silent, s.round, s.cfg.Timing.Stall),
		})
	}
}

// feed notes that a member brought this node nearer to the end of its round.
// What it sends ahead of the round does not.
func (s *Session) feed(from *peer, round uint32, now time.Time) {
	if round == s.round {
		from.fed, s.progress = now, now
	}
}

// waiting is for how long a member could have said what is not here of it: since
// the round began, since all messages of the round are here, or since another
// one said something new. What it says itself is no excuse for the rest.
func (s *Session) waiting(op types.Operator, now time.Time) time.Duration {
	return now.Sub(s.waitsSince(op))
}

func (s *Session) waitsSince(op types.Operator) time.Time {
	last := s.since
	if s.inbox.confirmed == s.round && s.held.After(last) {
		last = s.held
	}
	for other, p := range s.peers {
		if other != op && p.fed.After(last) {
			last = p.fed
		}
	}
	return last
}

// AwaitedFor lists the members that this session cannot go on without now:
// those of whom a message is missing, or else a Confirm.
func (s *Session) AwaitedFor() []types.Operator {
	switch {
	case s.phase == Preparing:
		return s.unheard()
	case s.phase == Waiting:
		return []types.Operator{s.initiator}
	case s.phase != Running || s.busy() || s.round == 0:
		return nil
	}
	if missing := s.missing(s.others()); len(missing) > 0 {
		return missing
	}
	return slices.DeleteFunc(s.others(), func(op types.Operator) bool {
		c, said := s.inbox.confirms[s.round][op]
		return said && c.digest == s.inbox.digest
	})
}

// Computes says whether a step of its own party is queued or running.
func (s *Session) Computes() bool { return s.busy() }

// sayWorking is not resent: the next one replaces it.
func (s *Session) sayWorking(now time.Time) {
	if now.Sub(s.lastSaid) < s.cfg.Timing.Working {
		return
	}
	s.lastSaid = now
	s.said++
	body := wire.Working{Count: s.said}
	bz, err := body.Marshal()
	if err != nil {
		s.fail(types.ErrOwnFailure, fmt.Errorf("encode a Working: %w", err))
		return
	}
	e := s.envelope(wire.Header{Context: s.context[:], Kind: wire.KIND_WORKING, Round: s.round}, bz)
	for _, op := range s.others() {
		s.cfg.Host.Send(op, e)
	}
}

// Snapshot is where a session stands, for people.
type Snapshot struct {
	ID      types.SessionID
	Context types.Context
	Request types.RequestID
	KeyID   types.KeyID
	Attempt uint32
	Phase   Phase
	Leader  types.Operator
	Signers []types.Operator
	Round   uint32
	Rounds  int
	Busy    bool
	// Ahead: it makes a presignature, for no request so far.
	Ahead    bool
	Awaiting []types.Operator
	Opened   time.Time
	Resent   int
}

// Snapshot copies the state that people are shown.
func (s *Session) Snapshot() Snapshot {
	return Snapshot{
		ID: s.id, Context: s.context, Request: s.cfg.Request.ID, KeyID: s.cfg.Request.KeyID, Attempt: s.cfg.Attempt,
		Phase: s.phase, Leader: s.initiator, Signers: slices.Clone(s.signers), Round: s.round, Rounds: len(s.rounds),
		Busy: s.busy(), Ahead: s.Target() == nil, Awaiting: s.AwaitedFor(), Opened: s.opened, Resent: s.outbox.resent,
	}
}
