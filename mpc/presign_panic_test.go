package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// joiner carries what op-00 sends to op-01, which takes part in the first session that it
// hears of. It panics after each Consume, when that is on its way.
type joiner struct {
	*partner
	cfg      session.Config
	consumes [][]byte
}

func (j *joiner) Send(to types.Operator, e *wire.Envelope) bool {
	switch {
	case to != "op-01":
	case j.s == nil:
		v := j.verified(e)
		_, attempt, err := session.DecodePrepare(v)
		require.NoError(j.t, err)
		j.cfg.Attempt = attempt
		j.s, err = session.Join(j.cfg, v, j.now)
		require.NoError(j.t, err)
		j.mails = append(j.mails, func() { j.s.Announce(j.now) })
	default:
		j.partner.Send(to, e)
	}
	if e.Header.Type == "consume" {
		j.consumes = append(j.consumes, e.Body)
		panic("secret")
	}
	return true
}

// TestPanicOfAUse: a presignature whose use panics is gone, whoever heard what for by then.
// Its owner says nothing else of it: the two words would be proof against an honest node.
// What it was for is signed without it, and its signers are suspected of nothing.
func TestPanicOfAUse(t *testing.T) {
	p, cfg, first := newPair(t)
	p.core.guards = true
	j := &joiner{partner: p, cfg: cfg}
	p.core.opts.Transport = j
	p.view.Presign = 1
	p.commit()
	p.core.Tick()
	require.NotNil(t, p.s, "op-00 begins one")
	p.settle()
	for range 40 {
		if p.live().Usable() {
			break
		}
		p.pass(time.Second)
	}
	require.True(t, p.live().Usable(), p.live().Phase())

	second := first
	for first.Initiator(0) != "op-00" {
		first.ID.ID += "x"
	}
	for second.ID = first.ID; second.Initiator(0) != "op-00" || second.ID == first.ID; {
		second.ID.ID += "x"
	}
	p.view.Requests = []types.Request{first, second}
	p.commit()
	require.NoError(t, p.core.Err())
	require.Len(t, j.consumes, 1)
	require.Zero(t, p.core.presigns.count)
	require.Len(t, p.core.sessions, 2, "both are signed as if there had been none")
	for _, l := range p.core.ordered() {
		require.Equal(t, session.Preparing, l.Phase())
	}
	p.settle()
	require.Equal(t, session.Ended, p.s.Phase())
	require.Empty(t, p.core.suspects)
	require.Empty(t, p.core.liars)
	require.Empty(t, p.core.Results().Accusations)
	require.Empty(t, p.core.Results().Evidence)
}
