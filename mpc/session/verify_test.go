package session_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// verifier is who hands envelopes to one player, and counts how often their signatures can
// have been checked: it spoils each of them as soon as it was checked, so that whoever
// checks it again finds it wrong.
type verifier struct {
	n      *network
	spoilt []*wire.Envelope
}

func (c *verifier) verify(e *wire.Envelope) types.Verified {
	c.n.t.Helper()
	v := c.check(e)
	v.Envelope().Signature = bytes.Repeat([]byte{7}, ed25519.SignatureSize)
	c.spoilt = append(c.spoilt, v.Envelope())
	return v
}

// check checks a copy, and leaves it as it is.
func (c *verifier) check(e *wire.Envelope) types.Verified {
	c.n.t.Helper()
	bz, err := e.Marshal()
	require.NoError(c.n.t, err)
	copied := &wire.Envelope{}
	require.NoError(c.n.t, copied.Unmarshal(bz))
	v, err := types.VerifyEnvelope(copied, chainID, c.n.player(types.Operator(e.Header.From)).key.Public().(ed25519.PublicKey))
	require.NoError(c.n.t, err)
	return v
}

// carry delivers as the network does. Members put Prepares, Readys and Starts into what they
// send, so these stay as they are.
func (c *verifier) carry(m mail) {
	var v types.Verified
	switch m.e.Header.Kind {
	case wire.KIND_PREPARE, wire.KIND_READY, wire.KIND_START:
		v = c.check(m.e)
	default:
		v = c.verify(m.e)
	}
	if m.to.s != nil {
		m.to.hear(v)
		return
	}
	var err error
	m.to.s, err = session.Join(m.to.config(), v, c.n.now)
	require.NoError(c.n.t, err)
	m.to.s.Announce(c.n.now)
}

// TestSignaturesAreCheckedOnce: a Prepare and the Readys that its initiator collects are
// checked when they arrive, and not again when a session is made of them, or when they are put
// into a Start.
func TestSignaturesAreCheckedOnce(t *testing.T) {
	n := newSign(t, 3, 2)
	n.open()
	a := n.players[0]
	checked := &verifier{n: n}
	for _, p := range n.players[1:] {
		i := 0
		for n.mails[i].to != p {
			i++
		}
		var err error
		p.s, err = session.Join(p.config(), checked.verify(n.mails[i].e), n.now)
		require.NoError(t, err, "the Prepare is checked again")
		p.s.Announce(n.now)
	}
	for _, m := range n.mails {
		if m.e.Header.Kind == wire.KIND_READY {
			a.hear(checked.verify(m.e))
		}
	}
	require.Equal(t, session.Running, a.s.Phase(), "its Readys are checked again for its own Start: %v", a.ends)
	require.Len(t, checked.spoilt, 4)
}

// TestRoundsAreCheckedOnce: of what comes in the rounds of a whole signature nothing is
// checked again, by whoever uses it: as many signatures are checked as envelopes come.
func TestRoundsAreCheckedOnce(t *testing.T) {
	n := newSign(t, 4, 3)
	checked := &verifier{n: n}
	n.hold = func(m mail) bool { checked.carry(m); return true }
	n.open()
	n.settle()
	n.finished(n.players...)
	rounds := 0
	for _, m := range n.sent {
		if k := m.e.Header.Kind; k == wire.KIND_ROUND || k == wire.KIND_CONFIRM {
			rounds++
		}
	}
	require.Greater(t, rounds, 4*3*n.players[0].s.Rounds())
	require.GreaterOrEqual(t, len(checked.spoilt), rounds)
}

// TestBroadcastIsSignedOnce: what goes to several members, or to one again, is one envelope,
// encoded and signed once.
func TestBroadcastIsSignedOnce(t *testing.T) {
	n := newSign(t, 4, 3)
	n.open()
	n.hold = func(m mail) bool { return m.e.Header.Kind == wire.KIND_ROUND && m.e.Header.Round == 3 }
	n.settle()
	n.pass(3*timing.Resend, time.Second)
	type name struct {
		from     string
		sequence uint64
	}
	type word struct {
		from, of string
		kind     wire.Kind
		round    uint32
	}
	signed, sends, broadcasts := make(map[name]*wire.Envelope), make(map[name]int), make(map[word]*wire.Envelope)
	for _, m := range n.sent {
		h := m.e.Header
		if w := (word{h.From, h.Type, h.Kind, h.Round}); h.To == "" && (h.Kind == wire.KIND_ROUND || h.Kind == wire.KIND_CONFIRM) {
			if broadcasts[w] == nil {
				broadcasts[w] = m.e
			}
			require.Same(t, broadcasts[w], m.e, "%s %s of round %d is encoded for each member", h.Kind, h.Type, h.Round)
		}
		id := name{h.From, h.Sequence}
		if first := signed[id]; first != nil {
			require.Same(t, first, m.e, "%s of round %d is signed again", h.Kind, h.Round)
		}
		signed[id] = m.e
		sends[id]++
	}
	most := 0
	for _, n := range sends {
		most = max(most, n)
	}
	require.Greater(t, most, 3, "nothing was sent again to all others")
	require.NotEmpty(t, broadcasts)
}

// TestStartIsCheckedOnce: of what a Start carries a member checks what it does not have byte
// for byte: the Readys of others, each once, and what only looks like what it has.
func TestStartIsCheckedOnce(t *testing.T) {
	spoilt := bytes.Repeat([]byte{7}, ed25519.SignatureSize)
	for name, tt := range map[string]struct {
		spoil func(s *wire.Start, b, c *player)
		runs  bool
	}{
		"as it is there":                  {func(s *wire.Start, _, _ *player) { s.Prepare.Signature = spoilt }, true},
		"checked anew":                    {func(*wire.Start, *player, *player) {}, true},
		"another signature of a Prepare":  {func(s *wire.Start, _, _ *player) { s.Prepare.Signature[0] ^= 1 }, false},
		"another body":                    {func(s *wire.Start, _, _ *player) { s.Prepare.Signature = spoilt; s.Prepare.Body[0] ^= 1 }, false},
		"another header":                  {func(s *wire.Start, _, _ *player) { s.Prepare.Signature = spoilt; s.Prepare.Header.Sequence++ }, false},
		"another signature of its Ready":  {func(s *wire.Start, b, _ *player) { readyOf(s, b).Signature[0] ^= 1 }, false},
		"another signature of some Ready": {func(s *wire.Start, _, c *player) { readyOf(s, c).Signature[0] ^= 1 }, false},
		"no Prepare":                      {func(s *wire.Start, _, _ *player) { s.Prepare = nil }, false},
		"an empty Prepare":                {func(s *wire.Start, _, _ *player) { s.Prepare = &wire.Envelope{} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := newSign(t, 3, 2)
			n.hold = func(m mail) bool { return m.e.Header.Kind == wire.KIND_START }
			a, b, c := n.players[0], n.players[1], n.players[2]
			n.open()
			prepare := n.mails[0].e
			var err error
			b.s, err = session.Join(b.config(), (&verifier{n: n}).verify(prepare), n.now)
			require.NoError(t, err)
			b.s.Announce(n.now)
			n.settle()
			require.Equal(t, session.Running, a.s.Phase())
			require.NotEmpty(t, n.held)
			var start wire.Start
			require.NoError(t, start.Unmarshal(n.held[0].e.Body))
			tt.spoil(&start, b, c)
			b.hear(forge(t, a, wire.Header{Context: n.held[0].e.Header.Context, Kind: wire.KIND_START}, encode(t, &start)))
			require.Equal(t, tt.runs, b.s.Phase() == session.Running, "%v", b.ends)
		})
	}
}

func readyOf(s *wire.Start, p *player) *wire.Envelope {
	for _, e := range s.Readys {
		if e.Header.From == string(p.op) {
			return e
		}
	}
	return nil
}
