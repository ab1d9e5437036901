package fakeproto

import (
	"errors"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// parkRound is the last round of the fake signature that does not depend on the
// digest.
const parkRound = 3

// parker makes a protocol one that parks; its parties can all be told what they sign.
type parker struct{ session.Protocol }

// ParksAfter implements session.Parker.
func (parker) ParksAfter() uint32 { return parkRound }

// Fix implements session.ParkedParty.
func (p *party) Fix(r types.Request) (session.Step, error) {
	p.ledger.fix(p.cfg, &r)
	if p.target.Digest != nil {
		return session.Step{}, errors.New("a fake presignature was used twice")
	}
	p.target = &r
	return p.send(parkRound + 1), nil
}
