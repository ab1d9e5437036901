package tss

import (
	"errors"
	"fmt"

	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/session"
)

// party runs a party of the library round by round. It is not safe for
// concurrent use; the session calls it one call at a time.
//
// The library sends from inside Start and Update, so out has room for
// everything that one call can send, and is emptied after each call. No call
// leaves a goroutine behind that waits for us.
type party struct {
	library tss.Party
	roster  *roster
	spec    []roundSpec
	guard   guard
	out     chan tss.Message
	// result is called once, after the last round.
	result func() (*session.Result, error)
	// wipe overwrites the secrets that this session's copy of the share holds.
	wipe func()
	// round is the round whose messages were sent; 0 before Start.
	round uint32
	ended bool
}

var _ session.Party = (*party)(nil)

var errEnded = errors.New("the party has ended")

// outCapacity is more than any one call sends: a direct message to every peer
// and a broadcast, and one to spare.
func outCapacity(members int) int { return members + 1 }

// Start makes the messages of round 1.
func (p *party) Start() (session.Step, error) {
	if p.ended || p.round != 0 {
		return session.Step{}, errEnded
	}
	if err := p.call(p.library.Start); err != nil {
		return session.Step{}, p.fail(err)
	}
	return p.step()
}

// Deliver judges all messages of a round before the library sees the first, and
// again before anything leaves that the library made of them.
func (p *party) Deliver(round uint32, in []session.Inbound) (session.Step, error) {
	if p.ended {
		return session.Step{}, errEnded
	}
	if p.round == 0 || round != p.round {
		return session.Step{}, fmt.Errorf("round %d was delivered in round %d", round, p.round)
	}
	msgs, err := p.judge(round, in)
	if err != nil {
		return session.Step{}, p.fail(err)
	}
	for _, m := range msgs {
		parsed := p.roster.parsed(m)
		err := p.call(func() *tss.Error {
			_, terr := p.library.Update(parsed)
			return terr
		})
		if err != nil {
			return session.Step{}, p.fail(err)
		}
	}
	if err := p.guard.accepted(round); err != nil {
		return session.Step{}, p.fail(err)
	}
	return p.step()
}

// judge opens a round's messages and lets the guard judge them.
func (p *party) judge(round uint32, in []session.Inbound) ([]received, error) {
	msgs, err := p.roster.openRound(p.spec[round-1], in)
	if err != nil {
		return nil, err
	}
	for _, m := range msgs {
		if err := p.guard.message(m.from, m.content); err != nil {
			return nil, blame(fmt.Errorf("%s: %w", m.spec.Type, err), m.from)
		}
	}
	if err := p.guard.complete(round); err != nil {
		return nil, unblamed(err)
	}
	return msgs, nil
}

// step collects what the library made of the last call.
func (p *party) step() (session.Step, error) {
	sent := p.drain()
	p.round++
	if int(p.round) > len(p.spec) {
		if len(sent) != 0 {
			return session.Step{}, p.fail(unblamed(fmt.Errorf("the library sent %d messages after the last round", len(sent))))
		}
		result, err := p.result()
		if err != nil {
			return session.Step{}, p.fail(err)
		}
		p.end()
		return session.Step{Result: result}, nil
	}
	out, contents, err := p.roster.closeRound(p.spec[p.round-1], sent)
	if err != nil {
		return session.Step{}, p.fail(after(p.round, err))
	}
	for _, c := range contents {
		p.guard.sent(c)
	}
	return session.Step{Out: out}, nil
}

func (p *party) drain() []tss.Message {
	var sent []tss.Message
	for {
		select {
		case m := <-p.out:
			sent = append(sent, m)
		default:
			return sent
		}
	}
}

// call runs the library and turns its errors and panics into ours. A panic
// leaves the library's lock held and goroutines of it at work on the secrets,
// so the party is given up and nothing of it is wiped.
func (p *party) call(f func() *tss.Error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			p.wipe = func() {}
			// The library and the runtime panic with fixed texts and indexes, never
			// with a number of the protocol.
			err = unblamed(fmt.Errorf("the library panicked in round %d: %.200v", p.round, v))
		}
	}()
	if terr := f(); terr != nil {
		return p.roster.fromLibrary(terr)
	}
	return nil
}

func (p *party) fail(err error) error {
	p.end()
	return err
}

// Close ends a party that has neither a result nor an error yet.
func (p *party) Close() {
	if !p.ended {
		p.end()
	}
}

// end forgets the library's party: it must not be called after an error.
func (p *party) end() {
	p.ended = true
	p.wipe()
	p.library, p.guard, p.out = nil, nil, nil
}
