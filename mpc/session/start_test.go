package session_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// starting is a signature by 3 of 4 just before its Start: op-a leads, the
// others said Ready, and the test has everything to write a Start.
type starting struct {
	*network
	// sender signs the Start, to and round are what its header names.
	sender  *player
	to      string
	round   uint32
	context []byte // instead of the session's id
	id      types.SessionID
	body    wire.Start
	raw     []byte // instead of body
}

func newStarting(t *testing.T) *starting { return startingOf(newSign(t, 4, 2)) }

// startingOf is that of any network.
func startingOf(n *network) *starting {
	t := n.t
	n.hold = func(m mail) bool { return m.e.Header.Kind == wire.KIND_READY }
	n.open()
	n.settle()
	require.Len(t, n.held, 3)
	s := &starting{network: n, sender: n.players[0], id: n.players[0].s.ID()}
	s.body.Prepare = n.sent[0].e
	for _, m := range n.held { // in the order of joining, which is theirs
		s.body.Readys = append(s.body.Readys, m.e)
	}
	s.body.Signers = []string{"op-a", "op-b", "op-c"}
	return s
}

// ready is another Ready of a player.
func (s *starting) ready(from *player, h wire.Header, key []byte) *wire.Envelope {
	h.Kind, h.Context, h.To = wire.KIND_READY, s.id[:], "op-a"
	return forge(s.t, from, h, encode(s.t, &wire.Ready{EphemeralKey: key})).Envelope()
}

func (s *starting) start() types.Verified {
	if s.raw == nil {
		s.raw = encode(s.t, &s.body)
	}
	if s.context == nil {
		s.context = s.id[:]
	}
	return forge(s.t, s.sender, wire.Header{Kind: wire.KIND_START, Context: s.context, To: s.to, Round: s.round}, s.raw)
}

func someKey() []byte {
	key := sha256.Sum256([]byte("a session key"))
	return key[:]
}

// startTests are Starts that op-a, or somebody else, might write.
var startTests = []struct {
	name   string
	tamper func(*starting)
	// reason is empty if the rounds begin.
	reason  types.Reason
	culprit types.Operator
	err     string
}{
	{name: "honest", tamper: func(*starting) {}},
	{"not chosen", func(s *starting) { s.body.Signers[1] = "op-c"; s.body.Signers[2] = "op-d" }, types.ErrReleased, "", ""},
	{"our Ready came too late", func(s *starting) {
		s.body.Readys, s.body.Signers = s.body.Readys[1:], []string{"op-a", "op-c", "op-d"}
	}, types.ErrReleased, "", ""},
	{"our Ready is of an earlier life", func(s *starting) {
		s.body.Readys[0] = s.ready(s.players[1], wire.Header{}, someKey())
	}, types.ErrInterrupted, "", "before this node's restart"},
	{"our Ready omitted, yet a signer", func(s *starting) {
		s.body.Readys = s.body.Readys[1:]
	}, types.ErrProtocolFault, "op-a", "signer op-b did not say Ready"},
	{"Ready omitted for a signer", func(s *starting) {
		s.body.Readys = append(s.body.Readys[:1], s.body.Readys[2])
	}, types.ErrProtocolFault, "op-a", "signer op-c did not say Ready"},
	{"Ready of another session", func(s *starting) {
		s.body.Readys[1] = forge(s.t, s.players[2], wire.Header{Kind: wire.KIND_READY, Context: make([]byte, 32)},
			encode(s.t, &wire.Ready{EphemeralKey: someKey()})).Envelope()
	}, types.ErrProtocolFault, "op-a", "another session"},
	{"invented Ready", func(s *starting) {
		e := s.ready(s.players[3], wire.Header{}, someKey())
		e.Header.From = "op-c"
		s.body.Readys[1] = e
	}, types.ErrProtocolFault, "op-a", "signature of an envelope of op-c is wrong"},
	{"session key swapped in a Ready", func(s *starting) {
		e := *s.body.Readys[1]
		e.Body = encode(s.t, &wire.Ready{EphemeralKey: someKey()})
		s.body.Readys[1] = &e
	}, types.ErrProtocolFault, "op-a", "does not match its header"},
	{"Ready under an identity that was not pinned", func(s *starting) {
		s.body.Readys[1] = s.ready(s.players[2], wire.Header{IdentityVersion: 2}, someKey())
	}, types.ErrProtocolFault, "op-a", "no member"},
	{"Ready of somebody who is no member", func(s *starting) {
		s.body.Readys = append(s.body.Readys, s.ready(outsider(s.network), wire.Header{}, someKey()))
	}, types.ErrProtocolFault, "op-a", "no member"},
	{"Ready of the initiator", func(s *starting) {
		h := wire.Header{Kind: wire.KIND_READY, Context: s.id[:]}
		e := forge(s.t, s.players[0], h, encode(s.t, &wire.Ready{EphemeralKey: someKey()})).Envelope()
		s.body.Readys = append([]*wire.Envelope{e}, s.body.Readys...)
	}, types.ErrProtocolFault, "op-a", "out of order or none"},
	{"Refuse in place of a Ready", func(s *starting) {
		s.body.Readys[1] = forge(s.t, s.players[2], wire.Header{Kind: wire.KIND_REFUSE, Context: s.id[:]}, nil).Envelope()
	}, types.ErrProtocolFault, "op-a", "out of order or none"},
	{"Readys out of order", func(s *starting) {
		s.body.Readys[1], s.body.Readys[2] = s.body.Readys[2], s.body.Readys[1]
	}, types.ErrProtocolFault, "op-a", "out of order"},
	{"Ready twice", func(s *starting) {
		s.body.Readys = append(s.body.Readys, s.body.Readys[2])
	}, types.ErrProtocolFault, "op-a", "out of order"},
	{"empty Ready", func(s *starting) {
		s.body.Readys[1] = &wire.Envelope{}
	}, types.ErrProtocolFault, "op-a", "without a header"},
	{"another Prepare", func(s *starting) {
		s.body.Prepare = forge(s.t, s.players[0], wire.Header{Kind: wire.KIND_PREPARE, Context: make([]byte, 32)}, s.body.Prepare.Body).Envelope()
	}, types.ErrProtocolFault, "op-a", "another Prepare"},
	{"no Prepare", func(s *starting) { s.body.Prepare = nil }, types.ErrProtocolFault, "op-a", "without a header"},
	{"too few signers", func(s *starting) { s.body.Signers = s.body.Signers[:2] }, types.ErrProtocolFault, "op-a", "2 signers, not 3"},
	{"too many signers", func(s *starting) {
		s.body.Signers = append(s.body.Signers, "op-d")
	}, types.ErrProtocolFault, "op-a", "4 signers, not 3"},
	{"signers not ascending", func(s *starting) {
		s.body.Signers = []string{"op-b", "op-a", "op-c"}
	}, types.ErrProtocolFault, "op-a", "not ascending"},
	{"signer twice", func(s *starting) {
		s.body.Signers = []string{"op-a", "op-b", "op-b"}
	}, types.ErrProtocolFault, "op-a", "not ascending"},
	{"signer who is no member", func(s *starting) {
		s.body.Signers = []string{"op-a", "op-b", "op-z"}
	}, types.ErrProtocolFault, "op-a", "signer op-z did not say Ready"},
	{"session key of low order", func(s *starting) {
		s.body.Readys[1] = s.ready(s.players[2], wire.Header{}, make([]byte, 32))
	}, types.ErrProtocolFault, "op-c", "session key of op-c"},
	{"session key of 31 bytes", func(s *starting) {
		s.body.Readys[1] = s.ready(s.players[2], wire.Header{}, make([]byte, 31))
	}, types.ErrProtocolFault, "op-a", "31 bytes"},
	{"not a Start", func(s *starting) { s.raw = []byte{0xff} }, types.ErrProtocolFault, "op-a", "decode a Start"},
}

// TestStart gives op-b a Start that was tampered with in every way.
func TestStart(t *testing.T) {
	for _, tt := range startTests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStarting(t)
			tt.tamper(s)
			b := s.players[1]
			b.hear(s.start())
			if tt.reason == "" {
				require.Equal(t, session.Running, b.s.Phase())
				require.Empty(t, b.ends)
				return
			}
			end := b.ended()
			require.Equal(t, tt.reason, end.Reason)
			if tt.culprit != "" {
				require.Equal(t, []types.Operator{tt.culprit}, end.Culprits)
			} else {
				require.Empty(t, end.Culprits)
			}
			if tt.err != "" {
				require.ErrorContains(t, end.Err, tt.err)
			}
			require.Empty(t, b.jobs, "no party is made")
		})
	}
}

// TestOwnerOutsideItsSigners: a presignature is its owner's to use, who signs with it.
func TestOwnerOutsideItsSigners(t *testing.T) {
	n, _ := newPresign(t, 4, 2)
	s := startingOf(n)
	s.body.Signers = []string{"op-b", "op-c", "op-d"}
	b := s.players[1]
	b.hear(s.start())
	end := b.ended()
	require.Equal(t, types.ErrProtocolFault, end.Reason)
	require.Equal(t, []types.Operator{"op-a"}, end.Culprits)
	require.ErrorContains(t, end.Err, "no signer of")
	require.Empty(t, b.jobs, "no party is made")
}

// TestForeignStart: what only looks like a Start of this session changes nothing,
// whoever signed it, and the right one is taken after it.
func TestForeignStart(t *testing.T) {
	for name, tamper := range map[string]func(*starting){
		"not an initiator's":           func(s *starting) { s.sender = s.players[2] },
		"of a released member":         func(s *starting) { s.sender = s.players[3] },
		"addressed to one":             func(s *starting) { s.to = "op-b" },
		"under another session's name": func(s *starting) { s.context = make([]byte, 32) },
		"of a round":                   func(s *starting) { s.round = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStarting(t)
			right, b := s.start(), s.players[1]
			tamper(s)
			b.hear(s.start())
			require.Equal(t, session.Waiting, b.s.Phase())
			require.Empty(t, b.ends)
			b.hear(right)
			require.Equal(t, session.Running, b.s.Phase())
		})
	}
}

// TestSecondStart: the same again is a resend, what is no Start of this session
// changes nothing, and another one proves that its initiator made two. Who leads
// listens to none.
func TestSecondStart(t *testing.T) {
	s := newStarting(t)
	a, b := s.players[0], s.players[1]
	b.hear(s.start())
	context := b.s.Context()
	b.hear(s.start())
	other := encode(t, &wire.Start{Prepare: s.body.Prepare, Readys: s.body.Readys, Signers: []string{"op-a", "op-b", "op-d"}})
	h := wire.Header{Kind: wire.KIND_START, Context: s.id[:]}
	for _, change := range []func(*wire.Header, *player) *player{
		func(_ *wire.Header, p *player) *player { return s.players[2] },
		func(h *wire.Header, p *player) *player { h.To = "op-b"; return p },
		func(h *wire.Header, p *player) *player { h.Round = 1; return p },
		func(h *wire.Header, p *player) *player { h.Context = make([]byte, 32); return p },
	} {
		bad := h
		b.hear(forge(t, change(&bad, a), bad, other))
		require.Equal(t, session.Running, b.s.Phase())
		require.Equal(t, context, b.s.Context())
	}
	b.hear(forge(t, a, h, other))
	proves(t, b.ended(), a, "")
	require.Equal(t, wire.KIND_START, b.ended().Evidence.First.Header.Kind)

	a.hear(forge(t, b, h, other))
	require.Equal(t, session.Preparing, a.s.Phase())
}

// TestSplitStart: an initiator that starts its members into two sessions is
// proved to by all of them, whoever else is in either.
func TestSplitStart(t *testing.T) {
	for name, change := range map[string]func(*wire.Start){
		"other Readys":  func(b *wire.Start) { b.Readys = b.Readys[:2] },
		"other signers": func(b *wire.Start) { b.Signers = []string{"op-a", "op-c", "op-d"} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStarting(t)
			a, b, c := s.players[0], s.players[1], s.players[2]
			b.hear(s.start())
			s.raw = nil
			change(&s.body)
			c.hear(s.start())
			require.NotEqual(t, b.s.Context(), c.s.Context())
			s.hold = func(m mail) bool { return m.from == a || m.to == a }
			s.settle()
			s.pass(timing.Resend, 250*time.Millisecond)
			proves(t, b.ended(), a, "")
			proves(t, c.ended(), a, "")
		})
	}
}

// TestReleasedKeepsStart: who was not chosen can still tell that there are two.
func TestReleasedKeepsStart(t *testing.T) {
	s := newStarting(t)
	d := s.players[3]
	require.Nil(t, d.s.Start())
	first := s.start()
	d.hear(first)
	require.Equal(t, types.ErrReleased, d.ended().Reason)
	require.Equal(t, first.Envelope(), d.s.Start())
}

// TestConvictStart: proof of two Starts ends the sessions that they are of,
// whichever each member follows; proof of any others does not.
func TestConvictStart(t *testing.T) {
	s := newStarting(t)
	a, b, c := s.players[0], s.players[1], s.players[2]
	first := s.start()
	s.raw, s.body.Readys = nil, s.body.Readys[:2]
	proof := types.NewEvidence(first.Envelope(), s.start().Envelope())
	b.hear(first)

	elsewhere := types.NewEvidence(
		forge(t, a, wire.Header{Kind: wire.KIND_START, Context: make([]byte, 32)}, []byte("one")).Envelope(),
		forge(t, a, wire.Header{Kind: wire.KIND_START, Context: make([]byte, 32)}, []byte("other")).Envelope())
	b.s.Convict(elsewhere)
	usurper := types.NewEvidence(
		forge(t, c, wire.Header{Kind: wire.KIND_START, Context: s.id[:]}, []byte("one")).Envelope(),
		forge(t, c, wire.Header{Kind: wire.KIND_START, Context: s.id[:]}, []byte("other")).Envelope())
	b.s.Convict(usurper)
	require.Equal(t, session.Running, b.s.Phase())

	for _, p := range []*player{b, c} { // one runs, one still waits
		p.s.Convict(proof)
		proves(t, p.ended(), a, "")
	}
}

// TestConvictStranger: who is no signer has nothing to say in a session, not even
// against itself.
func TestConvictStranger(t *testing.T) {
	s := newStarting(t)
	b, c, d := s.players[1], s.players[2], s.players[3]
	b.hear(s.start())
	for _, p := range []*player{b, c} {
		context := p.s.Context() // zero before the Start
		h := round(1, "s1b", "")
		h.Context = context[:]
		p.s.Convict(types.NewEvidence(forge(t, d, h, []byte("one")).Envelope(), forge(t, d, h, []byte("other")).Envelope()))
		require.Empty(t, p.ends)
	}
}

// TestTranscriptNamesEverything: any other Prepare, Ready or choice of signers is
// another session.
func TestTranscriptNamesEverything(t *testing.T) {
	contexts := make(map[types.Context]string)
	for name, tamper := range map[string]func(*starting){
		"honest":                 func(*starting) {},
		"other signers":          func(s *starting) { s.body.Signers[2] = "op-d" },
		"without the unchosen":   func(s *starting) { s.body.Readys = s.body.Readys[:2] },
		"another Ready of op-c":  func(s *starting) { s.body.Readys[1] = s.ready(s.players[2], wire.Header{}, someKey()) },
		"another Ready unchosen": func(s *starting) { s.body.Readys[2] = s.ready(s.players[3], wire.Header{}, someKey()) },
	} {
		s := newStarting(t)
		tamper(s)
		s.players[1].hear(s.start())
		require.Equal(t, session.Running, s.players[1].s.Phase(), name)
		context := s.players[1].s.Context()
		require.Empty(t, contexts[context], "same context as %s", name)
		contexts[context] = name
	}
	require.Len(t, contexts, 5)
}
