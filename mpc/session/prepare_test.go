package session_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// prepared is an attempt whose answers to the Prepare are all held back.
func prepared(n *network) *network {
	n.hold = func(m mail) bool { return m.e.Header.Kind == wire.KIND_READY }
	n.open()
	n.settle()
	return n
}

// answer delivers one member's Ready.
func (n *network) answer(op types.Operator) {
	n.t.Helper()
	i := slices.IndexFunc(n.held, func(m mail) bool { return m.from.op == op })
	require.GreaterOrEqual(n.t, i, 0, "%s did not say Ready", op)
	n.deliver(n.held[i])
}

func TestChooseSigners(t *testing.T) {
	tests := []struct {
		name     string
		keygen   bool
		suspects map[types.Operator]int
		answers  []types.Operator
		after    time.Duration
		signers  []types.Operator // none: it still waits
	}{
		{"first come", false, nil, []types.Operator{"op-d", "op-c"}, 0, []types.Operator{"op-a", "op-c", "op-d"}},
		{"too few", false, nil, []types.Operator{"op-d"}, time.Minute / 2, nil},
		{"suspect waits", false, map[types.Operator]int{"op-c": 1}, []types.Operator{"op-c", "op-b"}, timing.Grace - 1, nil},
		{"suspect is passed over", false, map[types.Operator]int{"op-c": 1}, []types.Operator{"op-c", "op-b", "op-d"}, 0, []types.Operator{"op-a", "op-b", "op-d"}},
		{"suspect after the grace", false, map[types.Operator]int{"op-c": 1}, []types.Operator{"op-c", "op-b"}, timing.Grace, []types.Operator{"op-a", "op-b", "op-c"}},
		{
			"who accuses everybody keeps nobody out", false, map[types.Operator]int{"op-b": 1, "op-c": 1, "op-d": 1},
			[]types.Operator{"op-c", "op-b"}, 0, []types.Operator{"op-a", "op-b", "op-c"},
		},
		{
			"somebody better may come", false, map[types.Operator]int{"op-b": 2, "op-c": 1, "op-d": 3},
			[]types.Operator{"op-d", "op-c"}, timing.Grace - 1, nil,
		},
		{
			"nobody better came", false, map[types.Operator]int{"op-b": 2, "op-c": 1, "op-d": 3},
			[]types.Operator{"op-d", "op-c"}, timing.Grace, []types.Operator{"op-a", "op-c", "op-d"},
		},
		{
			"the least suspected of more", false, map[types.Operator]int{"op-b": 2, "op-d": 3},
			[]types.Operator{"op-d", "op-c", "op-b"}, 0, []types.Operator{"op-a", "op-b", "op-c"},
		},
		{"keygen needs all", true, nil, []types.Operator{"op-b", "op-c"}, time.Minute / 2, nil},
		{"keygen needs suspects too", true, map[types.Operator]int{"op-c": 1}, []types.Operator{"op-b", "op-c", "op-d"}, 0, []types.Operator{"op-a", "op-b", "op-c", "op-d"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newKeygen(t, 4)
			if !tt.keygen {
				n = newSign(t, 4, 2)
			}
			a := n.players[0]
			a.suspects = tt.suspects
			prepared(n)
			for _, op := range tt.answers {
				n.answer(op)
			}
			n.now = n.now.Add(tt.after)
			a.tick()
			require.Equal(t, tt.signers, a.s.Snapshot().Signers)
			require.Equal(t, tt.signers != nil, a.s.Phase() == session.Running)
			for _, op := range tt.answers {
				released := tt.signers != nil && !slices.Contains(tt.signers, op)
				if released {
					require.Len(t, n.times(a, n.player(op), wire.KIND_START), 1, "%s is told that it is free", op)
				}
			}
		})
	}
}

// TestLateReadyIsReleased: whoever still asks after the Start gets it again.
func TestLateReadyIsReleased(t *testing.T) {
	n := prepared(newSign(t, 4, 2))
	a, d := n.players[0], n.players[3]
	n.answer("op-b")
	n.answer("op-c")
	require.Equal(t, session.Running, a.s.Phase())
	n.mails = nil // even the release is lost
	require.Empty(t, n.times(a, d, wire.KIND_START), "op-d had not answered: nobody owes it a Start")
	n.answer("op-d")
	require.Len(t, n.times(a, d, wire.KIND_START), 1)
	n.settle()
	require.Equal(t, types.ErrReleased, d.ended().Reason)
}

func refuse(n *network, from *player, reason string) types.Verified {
	id := n.players[0].s.ID()
	return forge(n.t, from, wire.Header{Kind: wire.KIND_REFUSE, Context: id[:]}, encode(n.t, &wire.Refuse{Reason: reason}))
}

func TestRefuse(t *testing.T) {
	tests := []struct {
		name     string
		keygen   bool
		answers  []types.Operator
		refusals []types.Operator
		word     string
		reason   types.Reason // none: it goes on
	}{
		{"one of a keygen", true, nil, []types.Operator{"op-c"}, "no_preparams", types.ErrNoPreparams},
		{"a word nobody knows", true, nil, []types.Operator{"op-c"}, "go away", types.ErrProtocolFault},
		{"one of four, three sign", false, nil, []types.Operator{"op-c"}, "busy", ""},
		{"two of four, three sign", false, nil, []types.Operator{"op-b", "op-c"}, "busy", types.ErrBusy},
		{"the same twice counts once", false, nil, []types.Operator{"op-c", "op-c"}, "busy", ""},
		{"after a Ready it is too late", true, []types.Operator{"op-c"}, []types.Operator{"op-c"}, "busy", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newKeygen(t, 4)
			if !tt.keygen {
				n = newSign(t, 4, 2)
			}
			prepared(n)
			a := n.players[0]
			for _, op := range tt.answers {
				n.answer(op)
			}
			for _, op := range tt.refusals {
				a.hear(refuse(n, n.player(op), tt.word))
				require.Empty(t, a.s.PendingTo(op), "a Prepare that was answered is not sent again")
			}
			if tt.reason == "" {
				require.Equal(t, session.Preparing, a.s.Phase())
				return
			}
			end := a.ended()
			require.Equal(t, tt.reason, end.Reason)
			require.Equal(t, tt.refusals[len(tt.refusals)-1:], end.Culprits)
		})
	}
}

// under signs a refusal by another identity of a member.
func under(n *network, from *player, version uint32, reason string) types.Verified {
	id := n.players[0].s.ID()
	h := wire.Header{Kind: wire.KIND_REFUSE, Context: id[:], IdentityVersion: version}
	return forge(n.t, from, h, encode(n.t, &wire.Refuse{Reason: reason}))
}

// TestOutdatedMember: who refuses for want of the identity that was pinned is not
// called silent, and cannot end what others agree on.
func TestOutdatedMember(t *testing.T) {
	n := prepared(newKeygen(t, 4))
	a, c := n.players[0], n.players[2]
	a.hear(under(n, c, 2, "identity_outdated"))
	n.answer("op-b")
	n.answer("op-d")
	require.Equal(t, session.Preparing, a.s.Phase())
	n.now = n.now.Add(time.Minute * 3 / 4)
	a.tick()
	end := a.ended()
	require.Equal(t, types.ErrIdentityOld, end.Reason)
	require.Equal(t, []types.Operator{"op-c"}, end.Culprits)
	require.False(t, types.Accusable(end.Reason))
}

// TestOutdatedAndSilent: only who was silent is blamed for it.
func TestOutdatedAndSilent(t *testing.T) {
	n := prepared(newKeygen(t, 4))
	a := n.players[0]
	a.hear(under(n, n.players[2], 2, "identity_outdated"))
	n.answer("op-b")
	n.now = n.now.Add(time.Minute * 3 / 4)
	a.tick()
	require.Equal(t, types.ErrStartTimeout, a.ended().Reason)
	require.Equal(t, []types.Operator{"op-d"}, a.ended().Culprits)
}

// TestOutdatedIsAHint: the word of an identity that was not pinned is taken for
// nothing else, and the member's own Ready for more.
func TestOutdatedIsAHint(t *testing.T) {
	n := prepared(newKeygen(t, 4))
	a, c := n.players[0], n.players[2]
	a.hear(under(n, c, 2, "busy"))
	a.hear(under(n, c, 2, "identity_outdated"))
	for _, op := range []types.Operator{"op-b", "op-c", "op-d"} {
		n.answer(op)
	}
	require.Equal(t, session.Running, a.s.Phase())
}

// TestOutdatedIsNotWaitedFor: a signature does not wait for somebody better that
// cannot come.
func TestOutdatedIsNotWaitedFor(t *testing.T) {
	n := newSign(t, 4, 2)
	a := n.players[0]
	a.suspects = map[types.Operator]int{"op-d": 1}
	prepared(n)
	n.answer("op-d")
	n.answer("op-b")
	require.Equal(t, session.Preparing, a.s.Phase(), "op-c may come")
	a.hear(under(n, n.players[2], 2, "identity_outdated"))
	require.Equal(t, []types.Operator{"op-a", "op-b", "op-d"}, a.s.Snapshot().Signers)
}

// TestReadyIsChecked: what is no Ready for this session counts as a refusal,
// until a right one comes.
func TestReadyIsChecked(t *testing.T) {
	right := wire.Ready{EphemeralKey: someKey()}
	tests := []struct {
		name  string
		ready func(n *network) types.Verified
	}{
		{"key of 31 bytes", func(n *network) types.Verified {
			id := n.players[0].s.ID()
			return forge(n.t, n.players[1], wire.Header{Kind: wire.KIND_READY, Context: id[:]}, encode(n.t, &wire.Ready{EphemeralKey: make([]byte, 31)}))
		}},
		{"no Ready at all", func(n *network) types.Verified {
			id := n.players[0].s.ID()
			return forge(n.t, n.players[1], wire.Header{Kind: wire.KIND_READY, Context: id[:]}, []byte{0xff})
		}},
		{"of another session", func(n *network) types.Verified {
			return forge(n.t, n.players[1], wire.Header{Kind: wire.KIND_READY, Context: make([]byte, 32)}, encode(n.t, &right))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := prepared(newSign(t, 4, 2))
			a := n.players[0]
			a.hear(tt.ready(n))
			require.Equal(t, session.Preparing, a.s.Phase())
			require.Equal(t, []types.Operator{"op-c", "op-d"}, a.s.AwaitedFor())
			n.answer("op-b")
			a.hear(refuse(n, n.player("op-c"), "busy"))
			require.Empty(t, a.ends, "three are left")
			n.answer("op-d")
			require.Equal(t, []types.Operator{"op-a", "op-b", "op-d"}, a.s.Snapshot().Signers)
		})
	}
}

// TestOwnReady: somebody else with this node's identity counts for nobody.
func TestOwnReady(t *testing.T) {
	n := prepared(newSign(t, 3, 1))
	a, id := n.players[0], n.players[0].s.ID()
	a.hear(forge(t, a, wire.Header{Kind: wire.KIND_READY, Context: id[:]}, encode(t, &wire.Ready{EphemeralKey: someKey()})))
	require.Equal(t, session.Preparing, a.s.Phase())
}

// TestStartTimeouts: the initiator names who said nothing, a member the
// initiator, neither a moment too early.
func TestStartTimeouts(t *testing.T) {
	n := prepared(newKeygen(t, 3))
	a, b := n.players[0], n.players[1]
	n.answer("op-b")

	n.now = epoch.Add(n.request.StartTimeout*3/4 - 1)
	a.tick()
	require.Equal(t, session.Preparing, a.s.Phase())
	n.now = n.now.Add(1)
	a.tick()
	require.Equal(t, session.End{Reason: types.ErrStartTimeout, Culprits: []types.Operator{"op-c"}}, a.ended())

	n.now = epoch.Add(n.request.StartTimeout - 1)
	b.tick()
	require.Equal(t, session.Waiting, b.s.Phase())
	require.Equal(t, []types.Operator{"op-a"}, b.s.AwaitedFor())
	n.now = n.now.Add(1)
	b.tick()
	require.Equal(t, session.End{Reason: types.ErrStartTimeout, Culprits: []types.Operator{"op-a"}}, b.ended())
}

// TestAnnounce: nobody hears of a session before its owner wrote down what must
// not be forgotten.
func TestAnnounce(t *testing.T) {
	n := newKeygen(t, 3)
	s, err := session.Open(n.players[0].config(), n.now)
	require.NoError(t, err)
	require.Empty(t, n.sent)
	s.Announce(n.now)
	require.Len(t, n.sent, 2)
	s.Announce(n.now)
	require.Len(t, n.sent, 2, "once")
	s.Stop(types.ErrStorage)
	require.Len(t, n.sent, 4, "both hear that it is over")
	s.Announce(n.now.Add(time.Hour))
	require.Len(t, n.sent, 4)
}

func TestConfigIsChecked(t *testing.T) {
	tests := map[string]func(*session.Config){
		"no member":        func(c *session.Config) { c.Self = "op-z" },
		"no identity":      func(c *session.Config) { c.Identity = nil },
		"another identity": func(c *session.Config) { c.Identity = newPlayer(nil, 1).key },
		"no host":          func(c *session.Config) { c.Host = nil },
		"no protocol":      func(c *session.Config) { c.Protocol = nil },
		"no randomness":    func(c *session.Config) { c.Rand = nil },
		"too many members": func(c *session.Config) {
			c.Request.Members = append(slices.Clone(c.Request.Members), make([]types.Member, types.MaxMembers)...)
		},
	}
	n := newKeygen(t, 2)
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := n.players[0].config()
			spoil(&cfg)
			_, err := session.Open(cfg, n.now)
			require.Error(t, err)
		})
	}
}

func TestDecodePrepare(t *testing.T) {
	n := newKeygen(t, 2)
	good := wire.Prepare{Attempt: 3, Nonce: make([]byte, 32), EphemeralKey: make([]byte, 32)}
	tests := []struct {
		name  string
		spoil func(*wire.Prepare)
		err   string
	}{
		{"good", func(*wire.Prepare) {}, ""},
		{"short nonce", func(p *wire.Prepare) { p.Nonce = p.Nonce[1:] }, "32 bytes each"},
		{"long key", func(p *wire.Prepare) { p.EphemeralKey = make([]byte, 33) }, "32 bytes each"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := good
			tt.spoil(&p)
			h := wire.Header{Kind: wire.KIND_PREPARE, Context: make([]byte, 32), RequestKind: 2, RequestId: "sig"}
			v := forge(t, n.players[0], h, encode(t, &p))
			id, attempt, err := session.DecodePrepare(v)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, types.RequestID{Kind: types.KindSign, ID: "sig"}, id)
			require.Equal(t, uint32(3), attempt)
		})
	}
	_, _, err := session.DecodePrepare(forge(t, n.players[0], wire.Header{Kind: wire.KIND_PREPARE, Context: make([]byte, 32)}, []byte{0xff}))
	require.ErrorContains(t, err, "decode a Prepare")
}

// TestPaddedReady: a Ready that is longer than it needs to be would make the Start longer than
// anybody takes, and its honest initiator look as if it said nothing.
func TestPaddedReady(t *testing.T) {
	for name, tt := range map[string]struct {
		padding []byte
		taken   bool
	}{
		"as long as it can be": {nil, true},
		"one byte of padding":  {[]byte{0x1a, 0x00}, false},
		"a lot":                {append([]byte{0x1a, 0xff, 0x02}, make([]byte, 383)...), false},
	} {
		t.Run(name, func(t *testing.T) {
			n := newKeygen(t, 4)
			a, c := n.players[0], n.players[2]
			n.hold = func(m mail) bool { return m.from == c || m.to == c }
			n.open()
			n.settle()
			id := a.s.ID()
			body := encode(t, &wire.Ready{EphemeralKey: append([]byte{9}, make([]byte, 31)...), Deals: true})
			a.hear(forge(t, c, wire.Header{Context: id[:], Kind: wire.KIND_READY, To: string(a.op)}, append(body, tt.padding...)))
			if tt.taken {
				require.Equal(t, session.Running, a.s.Phase())
				return
			}
			require.Equal(t, types.ErrProtocolFault, a.ended().Reason)
			require.Equal(t, []types.Operator{c.op}, a.ended().Culprits)
		})
	}
}

// TestReadyThatIsRepeated: who brings a member's Ready over and over has the initiator send
// its Start now and then.
func TestReadyThatIsRepeated(t *testing.T) {
	n := newKeygen(t, 3)
	a, b := n.players[0], n.players[1]
	n.hold = func(m mail) bool { return m.to == b && m.e.Header.Kind == wire.KIND_START }
	n.open()
	n.settle()
	i := slices.IndexFunc(n.sent, func(m mail) bool { return m.is(b, a, wire.KIND_READY) })
	require.GreaterOrEqual(t, i, 0)
	before := len(n.times(a, b, wire.KIND_START))
	for range 50 {
		n.deliver(n.sent[i])
	}
	require.Len(t, n.times(a, b, wire.KIND_START), before+1)
	n.now = n.now.Add(timing.Resend)
	n.deliver(n.sent[i])
	require.Len(t, n.times(a, b, wire.KIND_START), before+2)
}
