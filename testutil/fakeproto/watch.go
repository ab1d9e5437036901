package fakeproto

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Watch sees to it that parties are closed and secrets wiped. It holds on to the
// very slices that cross the border between a session and its parties. It is safe
// for concurrent use.
type Watch struct {
	mu      sync.Mutex
	parties []*watched
	secrets []secret
}

type secret struct {
	what  string
	bytes []byte
}

// watched is a party that is looked at.
type watched struct {
	session.Party
	watch  *Watch
	name   string
	rounds []session.Round
	closed int
	late   int // calls after Close
}

// Made is how many parties were made.
func (w *Watch) Made() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.parties)
}

// Leaks lists what is wrong when all sessions are over: parties that were not
// closed exactly once, calls after that, secrets that nobody wiped.
func (w *Watch) Leaks() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var leaks []string
	for _, p := range w.parties {
		if p.closed != 1 || p.late > 0 {
			leaks = append(leaks, fmt.Sprintf("%s was closed %d times and called %d times after that", p.name, p.closed, p.late))
		}
	}
	for _, s := range w.secrets {
		if len(bytes.Trim(s.bytes, "\x00")) > 0 {
			leaks = append(leaks, s.what+" is still in memory")
		}
	}
	return leaks
}

// Secret adds a slice that somebody must wipe.
func (w *Watch) Secret(what string, b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets = append(w.secrets, secret{what, b})
}

// Over lets a protocol make parties that are looked at; nil looks at nothing.
func (w *Watch) Over(p session.Protocol) session.Protocol {
	if w == nil {
		return p
	}
	return watchedProtocol{p, w}
}

type watchedProtocol struct {
	session.Protocol
	watch *Watch
}

// NewParty implements session.Protocol.
func (p watchedProtocol) NewParty(cfg session.PartyConfig) (session.Party, error) {
	name := fmt.Sprintf("party %s of %s", cfg.Self, cfg.Request.ID)
	p.watch.Secret("the share given to "+name, cfg.Share)
	p.watch.Secret("the pre-parameters given to "+name, cfg.Preparams)
	party, err := p.Protocol.NewParty(cfg)
	if err != nil {
		return nil, err
	}
	pa := &watched{Party: party, watch: p.watch, name: name, rounds: p.Rounds(cfg.Request.Threshold, len(cfg.Signers))}
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	p.watch.parties = append(p.watch.parties, pa)
	return pa, nil
}

// Start implements session.Party.
func (p *watched) Start() (session.Step, error) {
	p.called()
	return p.made(p.Party.Start())
}

// Deliver implements session.Party.
func (p *watched) Deliver(round uint32, in []session.Inbound) (session.Step, error) {
	p.called()
	for _, m := range in {
		if p.sealed(round, m.Type) {
			p.watch.Secret(fmt.Sprintf("%s of %s to %s", m.Type, m.From, p.name), m.Body)
		}
	}
	return p.made(p.Party.Deliver(round, in))
}

// Fix implements session.ParkedParty, for parties that are one.
func (p *watched) Fix(r types.Request) (session.Step, error) {
	p.called()
	return p.made(p.Party.(session.ParkedParty).Fix(r))
}

// Close implements session.Party.
func (p *watched) Close() {
	p.Party.Close()
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	p.closed++
}

func (p *watched) called() {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	if p.closed > 0 {
		p.late++
	}
}

// made notes the secrets of a step.
func (p *watched) made(step session.Step, err error) (session.Step, error) {
	for _, m := range step.Out {
		if m.To != "" {
			p.watch.Secret(fmt.Sprintf("%s of %s to %s", m.Type, p.name, m.To), m.Body)
		}
	}
	if step.Result != nil && step.Result.Share != nil {
		p.watch.Secret("the share made by "+p.name, step.Result.Share)
	}
	return step, err
}

// sealed says whether messages of a type are for one member alone.
func (p *watched) sealed(round uint32, typ string) bool {
	return slices.ContainsFunc(p.rounds[round-1], func(s session.MessageSpec) bool { return s.Type == typ && !s.Broadcast })
}
