package mpc

import (
	"maps"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// A member that was released, or whose session is over, cannot tell by itself that
// its initiator sent others another Start: they seem silent to each other, and
// would accuse each other. Who follows the other one forwards it, so this node
// remembers its own for a while and compares.

// oldStart is the Start of a session that is over here, without its body.
type oldStart struct {
	envelope *wire.Envelope
	since    time.Time
}

// keepStart remembers the Start of a session that ends, if it had one.
func (c *Core) keepStart(s *session.Session, now time.Time) {
	if e := s.Start(); e != nil {
		c.starts[s.ID()] = oldStart{&wire.Envelope{Header: e.Header, Signature: e.Signature}, now}
	}
}

// compareStart looks whether a late Start is another one than that which this node
// took.
func (c *Core) compareStart(v types.Verified) {
	old, known := c.starts[types.SessionID(v.Header().Context)]
	if !known || string(old.envelope.Header.BodyHash) == string(v.Header().BodyHash) {
		return
	}
	e := types.NewEvidence(old.envelope, v.Envelope())
	if id := v.Request(); id.Kind == types.KindPresign {
		e.KeyID = c.presigns.keys[id.ID]
	}
	if e.ValidateBasic(c.opts.ChainID) == nil {
		c.findEvidence(e)
	}
}

func (c *Core) forgetStarts(now time.Time) {
	maps.DeleteFunc(c.starts, func(_ types.SessionID, s oldStart) bool { return now.Sub(s.since) >= endedAge })
}
