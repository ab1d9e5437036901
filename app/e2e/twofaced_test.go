package e2e

import (
	"sync"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// twofaced is the channel of a participant that may tell one member of a session
// something else than the others, signed like everything that it says.
type twofaced struct {
	mpc.Transport
	home string

	mu    sync.Mutex
	self  mpc.Self
	split map[types.Context]*split
}

// split is the lie in one session: who hears it, and what.
type split struct {
	to      types.Operator
	instead *wire.Envelope
}

// wrap stands before the node's own channel.
func (f *twofaced) wrap(next mpc.Transport) mpc.Transport {
	f.Transport = next
	return f
}

// SetSelf implements mpc.Transport.
func (f *twofaced) SetSelf(self mpc.Self) {
	f.mu.Lock()
	f.self = self
	f.mu.Unlock()
	f.Transport.SetSelf(self)
}

// who is the participant that speaks; nobody before the engine knows.
func (f *twofaced) who() mpc.Self {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.self
}

// Send implements mpc.Transport.
func (f *twofaced) Send(to types.Operator, e *wire.Envelope) bool {
	return f.Transport.Send(to, f.told(to, e))
}

// told is what a member hears: of the first broadcast of a session, the first one
// to whom it is sent hears another one, also when it is sent again.
func (f *twofaced) told(to types.Operator, e *wire.Envelope) *wire.Envelope {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := e.Header
	if h.Kind != wire.KIND_ROUND || h.Round != 1 || h.To != "" || types.Operator(h.From) != f.self.Operator {
		return e
	}
	lies := f.split[types.Context(h.Context)]
	if lies == nil {
		if told, err := lieOf(f.home); err != nil || told != twofold {
			return e
		}
		if err := countLie(f.home); err != nil {
			return e
		}
		other := *h
		body := append([]byte(nil), e.Body...)
		body[len(body)-1] ^= 1
		lies = &split{to, types.SignEnvelope(&other, body, f.self.Key)}
		f.split[types.Context(h.Context)] = lies
	}
	if to == lies.to && h.Type == lies.instead.Header.Type {
		return lies.instead
	}
	return e
}
