package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// busySigner is op-01, who takes part in each presignature that op-00 makes, and whenever
// op-00 wants to use one is in another session of that request.
type busySigner struct {
	*partner
	cfg    session.Config
	joined map[types.Hash]bool
	all    []*session.Session
	uses   map[string]wire.Consume // by presignature
}

type busyHost struct{ *ownerHost }

func (busyHost) Consume(*session.Session, uint32, string, []byte) (*types.Request, types.Reason) {
	return nil, types.ErrInProgress
}

func (b *busySigner) Send(to types.Operator, e *wire.Envelope) bool {
	if to != "op-01" {
		return true
	}
	v := b.verified(e)
	if e.Header.Type == "consume" {
		var c wire.Consume
		require.NoError(b.t, c.Unmarshal(e.Body))
		b.uses[string(e.Header.Context)] = c
	}
	if v.Request().Kind == types.KindPresign && e.Header.Kind == wire.KIND_PREPARE && !b.joined[v.Hash()] {
		b.join(v)
		return true
	}
	for _, s := range b.all {
		b.mails = append(b.mails, func() { s.HandleEnvelope(v, b.now) })
	}
	return true
}

func (b *busySigner) join(v types.Verified) {
	_, attempt, err := session.DecodePrepare(v)
	require.NoError(b.t, err)
	cfg := b.cfg
	cfg.Attempt, cfg.Height = attempt, b.view.Height
	s, err := session.Join(cfg, v, b.now)
	require.NoError(b.t, err)
	b.joined[v.Hash()] = true
	b.all = append(b.all, s)
	b.mails = append(b.mails, func() { s.Announce(b.now) })
}

// pass lets a second pass at both.
func (b *busySigner) pass() {
	for range 4 {
		b.now = b.now.Add(250 * time.Millisecond)
		b.core.Tick()
		for _, s := range b.all {
			s.Tick(b.now)
		}
		b.settle()
	}
}

// serving are the phases of the sessions of op-00 that work for a request.
func (b *busySigner) serving(id types.RequestID) (phases []session.Phase) {
	for _, l := range b.core.ordered() {
		if serves(l.Session).ID == id {
			phases = append(phases, l.Phase())
		}
	}
	return phases
}

// TestNextAttemptUsesAnother: where a signer is in another session of the request, the attempt
// goes on without presignatures, since that signer would leave each of them. The owner's next
// attempt uses another one. What is signed is the same in all.
func TestNextAttemptUsesAnother(t *testing.T) {
	p, cfg, sign := newPair(t)
	cfg.Host = busyHost{cfg.Host.(*ownerHost)}
	b := &busySigner{partner: p, cfg: cfg, joined: make(map[types.Hash]bool), uses: make(map[string]wire.Consume)}
	p.core.opts.Transport = b
	p.commit()
	stocked := func() bool {
		st := p.core.Status().Presignatures
		return len(st) == 1 && st[0].Ready == 2
	}
	for range 100 {
		if !stocked() {
			b.pass()
		}
	}
	require.True(t, stocked(), "%v", p.core.Status().Presignatures)

	for sign.Initiator(0) != "op-00" {
		sign.ID.ID += "x"
	}
	sign.Height = p.view.Height
	p.view.Requests = []types.Request{sign}
	p.commit()
	b.settle()
	require.Len(t, b.uses, 1)
	require.Equal(t, []session.Phase{session.Preparing}, b.serving(sign.ID), "the attempt goes on without, though there is another one")
	for range len(p.ops) * int(sign.AttemptBlocks) {
		require.Len(t, b.uses, 1, "in attempt %d", sign.Attempt(p.view.Height))
		b.pass()
		p.view.Height++
		p.commit()
		b.settle()
	}
	require.Equal(t, types.Operator("op-00"), sign.Initiator(sign.Attempt(p.view.Height)))
	require.Len(t, b.uses, 2, "its next attempt uses another one")
	for _, use := range b.uses {
		require.Equal(t, sign.ID.ID, use.RequestId)
		require.Equal(t, sign.Digest, use.Digest)
	}
	require.Empty(t, p.core.Results().Accusations)
}
