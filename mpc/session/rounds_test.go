package session_test

import (
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// lacking is a keygen of three in which op-b has everything of round 1 but what
// op-c says.
func lacking(t testing.TB) *network {
	n := newKeygen(t, 3)
	b, c := n.players[1], n.players[2]
	n.hold = func(m mail) bool { return m.from == c && m.to == b && m.e.Header.Kind != wire.KIND_READY }
	n.open()
	n.settle()
	require.Equal(t, []types.Operator{"op-c"}, b.s.AwaitedFor())
	require.Equal(t, uint32(1), b.s.Round())
	return n
}

func round(number uint32, typ, to string) wire.Header {
	return wire.Header{Kind: wire.KIND_ROUND, Round: number, Type: typ, To: to}
}

func confirm(number uint32) wire.Header { return wire.Header{Kind: wire.KIND_CONFIRM, Round: number} }

// TestRoundMessages has op-c say to op-b what it may not, under its own
// signature.
func TestRoundMessages(t *testing.T) {
	hash := make([]byte, 32)
	digest := encode(t, &wire.Confirm{Digest: hash})
	tests := []struct {
		name   string
		header wire.Header
		body   []byte
		fault  string // none: ignored
	}{
		{"unknown type", round(1, "zz", ""), hash, `no message "zz"`},
		{"type of another round", round(1, "k2b", ""), hash, `no message "k2b"`},
		{"round 0", round(0, "k1", ""), hash, "round 0 does not exist"},
		{"round beyond the last", round(4, "k1", ""), hash, "round 4 does not exist"},
		{"huge round", round(1<<32-1, "k1", ""), hash, "does not exist"},
		{"too large", round(1, "k1", ""), make([]byte, 33), "33 bytes, at most 32"},
		{"sealed and too large", round(2, "k2p", "op-b"), make([]byte, 33+session.SealOverhead), "49 bytes, at most 48"},
		{"not sealed", round(2, "k2p", "op-b"), make([]byte, 32+session.SealOverhead), "cannot be opened"},
		{"confirm without a digest", confirm(1), nil, "malformed"},
		{"confirm with half a digest", confirm(1), encode(t, &wire.Confirm{Digest: hash[:16]}), "malformed"},
		{"confirm that is none", confirm(1), []byte{0xff}, "malformed"},
		{"confirm of round 0", confirm(0), digest, "nothing to confirm"},
		{"confirm beyond the last round", confirm(4), digest, "nothing to confirm"},

		{"broadcast for one", round(1, "k1", "op-b"), hash, ""},
		{"point to point for all", round(2, "k2p", ""), hash, ""},
		{"for somebody else", round(2, "k2p", "op-a"), hash, ""},
		{"two rounds ahead", round(3, "k3", ""), hash, ""},
		{"confirm two rounds ahead", confirm(3), digest, ""},
		{"working that is none", wire.Header{Kind: wire.KIND_WORKING, Round: 1}, []byte{0xff}, ""},
		{"another context", wire.Header{Kind: wire.KIND_ROUND, Round: 1, Type: "zz", Context: hash}, hash, ""},
		{"confirm of another context", wire.Header{Kind: wire.KIND_CONFIRM, Context: hash}, nil, ""},
		{"identity that was not pinned", wire.Header{Kind: wire.KIND_ROUND, Round: 1, Type: "zz", IdentityVersion: 2}, hash, ""},
		{"ready", wire.Header{Kind: wire.KIND_READY}, nil, ""},
		{"refuse", wire.Header{Kind: wire.KIND_REFUSE}, nil, ""},
		{"start", wire.Header{Kind: wire.KIND_START}, nil, ""},
		{"prepare", wire.Header{Kind: wire.KIND_PREPARE}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := lacking(t)
			b, c := n.players[1], n.players[2]
			if tt.header.Context == nil {
				context := n.context()
				tt.header.Context = context[:]
			}
			before := b.s.Snapshot()
			b.hear(forge(t, c, tt.header, tt.body))
			if tt.fault != "" {
				end := b.ended()
				require.Equal(t, types.ErrProtocolFault, end.Reason)
				require.Equal(t, []types.Operator{"op-c"}, end.Culprits)
				require.ErrorContains(t, end.Err, tt.fault)
				return
			}
			require.Equal(t, before, b.s.Snapshot())
			require.Equal(t, []int{1, 0, 0}, []int{b.s.Held(1), b.s.Held(2), b.s.Held(3)})
			n.release()
			n.finished(n.players...)
		})
	}
}

// TestStrangers: what is signed by somebody who does not run the rounds has no
// effect, whatever it says.
func TestStrangers(t *testing.T) {
	for _, who := range []string{"a member that was not chosen", "no member", "this node itself"} {
		t.Run(who, func(t *testing.T) {
			n := newSign(t, 4, 2)
			a, b, d := n.players[0], n.players[1], n.players[3]
			n.hold = func(m mail) bool { return m.to == b && m.from == a && m.e.Header.Kind == wire.KIND_ROUND }
			n.open()
			n.settle()
			stranger := map[string]*player{"a member that was not chosen": d, "no member": outsider(n), "this node itself": b}[who]
			context := n.context()
			before := b.s.Snapshot()
			for _, h := range []wire.Header{round(1, "s1b", ""), round(0, "", ""), confirm(1), confirm(0), {Kind: wire.KIND_WORKING}} {
				h.Context = context[:]
				b.hear(forge(t, stranger, h, make([]byte, 32)))
			}
			require.Equal(t, before, b.s.Snapshot())
			n.release()
			n.finished(n.players[:3]...)
		})
	}
}

// TestNothingToConfirm: a round without broadcasts has no Confirm.
func TestNothingToConfirm(t *testing.T) {
	n := newSign(t, 2, 1)
	a, b := n.players[0], n.players[1]
	n.hold = func(m mail) bool { return m.from == a && m.e.Header.Round == 2 }
	n.open()
	n.settle()
	require.Equal(t, uint32(2), b.s.Round())
	context := n.context()
	h := confirm(2)
	h.Context = context[:]
	b.hear(forge(t, a, h, encode(t, &wire.Confirm{Digest: make([]byte, 32)})))
	require.ErrorContains(t, b.ended().Err, "round 2 has nothing to confirm")
}

// TestWrongContent: what only a party can tell names its sender, and whoever
// got it ends the session.
func TestWrongContent(t *testing.T) {
	for _, typ := range []string{"k1", "k2p", "k2b", "k3"} {
		t.Run(typ, func(t *testing.T) {
			n := newKeygen(t, 3)
			n.players[2].lie = func(out []session.Outbound) {
				for i := range out {
					if out[i].Type == typ {
						out[i].Body = make([]byte, 32)
					}
				}
			}
			n.open()
			n.settle()
			for _, p := range n.players[:2] {
				end := p.ended()
				require.Equal(t, types.ErrProtocolFault, end.Reason)
				require.Equal(t, []types.Operator{"op-c"}, end.Culprits)
				require.ErrorContains(t, end.Err, typ+" of round "+typ[1:2]+" is wrong")
			}
		})
	}
}

// TestSealedBodyFlipped: one bit of a sealed body, signed by its sender.
func TestSealedBodyFlipped(t *testing.T) {
	n := newKeygen(t, 3)
	b, c := n.players[1], n.players[2]
	n.hold = func(m mail) bool { return m.from == c && m.to == b && m.e.Header.Type == "k2p" }
	n.open()
	n.settle()
	require.Len(t, n.held, 1)
	honest := n.held[0].e
	flipped := slices.Clone(honest.Body)
	flipped[7] ^= 1
	h := *honest.Header
	b.hear(forge(t, c, h, flipped))
	end := b.ended()
	require.Equal(t, types.ErrProtocolFault, end.Reason)
	require.Equal(t, []types.Operator{"op-c"}, end.Culprits)
	require.ErrorContains(t, end.Err, "k2p cannot be opened")
}

// TestSecondBody: two bodies for one slot end the session, with both envelopes
// as evidence, also while the party already computes on the first.
func TestSecondBody(t *testing.T) {
	for _, busy := range []bool{false, true} {
		n := lacking(t)
		a, b := n.players[0], n.players[1]
		if busy {
			b.slow = true
			n.release()
			require.Len(t, b.jobs, 1)
		}
		context := n.context()
		h := round(1, "k1", "")
		h.Context = context[:]
		second := forge(t, a, h, make([]byte, 32))
		b.hear(second)
		end := b.ended()
		require.Equal(t, types.ErrBroadcastDiffer, end.Reason)
		require.Equal(t, []types.Operator{"op-a"}, end.Culprits)
		require.NoError(t, end.Evidence.Verify(chainID, a.key.Public().(ed25519.PublicKey)))
		require.Equal(t, types.Operator("op-a"), end.Evidence.Culprit())
		require.Equal(t, context, end.Evidence.Context())
		require.Equal(t, n.request.ID, end.Evidence.Request())
		bodies := [][]byte{end.Evidence.First.Header.BodyHash, end.Evidence.Second.Header.BodyHash}
		require.Contains(t, bodies, second.Header().BodyHash)
	}
}

// TestConfirmDigest: each Confirm says what all broadcasts were up to its round,
// in an order that everybody has.
func TestConfirmDigest(t *testing.T) {
	for _, n := range []*network{newKeygen(t, 3), newSign(t, 3, 2)} {
		n.open()
		n.settle()
		n.finished(n.players...)
		var digest types.Hash
		for number := range uint32(n.players[0].s.Rounds() + 1) {
			var broadcasts []types.Broadcast
			for _, m := range n.sent {
				if h := m.e.Header; h.Kind == wire.KIND_ROUND && h.Round == number && h.To == "" {
					broadcasts = append(broadcasts, types.Broadcast{From: types.Operator(h.From), Type: h.Type, BodyHash: types.Hash(h.BodyHash)})
				}
			}
			if len(broadcasts) == 0 {
				continue
			}
			slices.SortFunc(broadcasts, func(x, y types.Broadcast) int { return strings.Compare(string(x.From), string(y.From)) })
			broadcasts = slices.Compact(broadcasts)
			require.Len(t, broadcasts, 3)
			digest = types.ConfirmDigest(digest, n.context(), number, broadcasts)
			want := encode(t, &wire.Confirm{Digest: digest[:]})
			said := 0
			for _, m := range n.sent {
				if m.e.Header.Kind == wire.KIND_CONFIRM && m.e.Header.Round == number {
					require.Equal(t, want, m.e.Body)
					said++
				}
			}
			require.Equal(t, 6, said, "everybody to everybody, once")
		}
	}
}

// TestOneRoundAhead: a member that has everybody's Confirm goes on while another
// still waits; what it says is kept.
func TestOneRoundAhead(t *testing.T) {
	n := newKeygen(t, 3)
	a, b, c := n.players[0], n.players[1], n.players[2]
	n.hold = func(m mail) bool { return m.is(a, b, wire.KIND_CONFIRM) && m.e.Header.Round == 1 }
	n.open()
	n.settle()
	require.Equal(t, []uint32{2, 1, 2}, []uint32{a.s.Round(), b.s.Round(), c.s.Round()})
	require.Equal(t, []int{2, 4}, []int{b.s.Held(1), b.s.Held(2)}, "both k2p and both k2b wait")
	sent := len(n.times(a, b, wire.KIND_ROUND)) + len(n.times(c, b, wire.KIND_ROUND))
	require.Zero(t, a.s.Held(1), "what the party took is forgotten")
	n.release()
	n.finished(n.players...)
	require.Equal(t, sent+2, len(n.times(a, b, wire.KIND_ROUND))+len(n.times(c, b, wire.KIND_ROUND)), "only k3 came new")
	require.Zero(t, a.s.Resent()+c.s.Resent())
}

// TestStop ends a session in every phase, once, with nothing after it.
func TestStop(t *testing.T) {
	tests := []struct {
		name  string
		phase session.Phase
		make  func(n *network)
	}{
		{"preparing", session.Preparing, func(n *network) { prepared(n) }},
		{"waiting", session.Waiting, func(n *network) { prepared(n); n.players[0], n.players[1] = n.players[1], n.players[0] }},
		{"making its party", session.Running, func(n *network) { n.players[0].slow = true; n.open(); n.settle() }},
		{"in a round", session.Running, func(n *network) {
			n.hold = func(m mail) bool { return m.to == n.players[0] && m.e.Header.Kind == wire.KIND_ROUND }
			n.open()
			n.settle()
		}},
		{"lingering", session.Lingering, func(n *network) { n.open(); n.settle() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newKeygen(t, 3)
			tt.make(n)
			p := n.players[0]
			require.Equal(t, tt.phase, p.s.Phase())
			p.s.Stop(types.ErrExpired)
			want := session.End{Reason: types.ErrExpired}
			if tt.phase == session.Lingering {
				want = session.End{} // what it was for is done
			}
			require.Equal(t, want, p.ended())

			p.ends, p.net.sent = nil, nil
			for _, m := range append(n.held, n.mails...) {
				if m.to == p {
					n.deliver(m)
				}
			}
			n.now = n.now.Add(time.Hour)
			p.tick()
			p.s.Reconnected("op-c", n.now)
			p.tick()
			p.s.Stop(types.ErrSuperseded)
			if len(p.jobs) > 0 { // a step that waited for a worker
				_, err := p.jobs[0]()
				require.ErrorContains(t, err, "the session is over")
				requireWiped(t, p.material.Preparams)
				p.work()
			}
			require.Empty(t, p.ends)
			require.Empty(t, n.sent)
			require.Empty(t, p.jobs)
			require.Equal(t, session.Ended, p.s.Phase())
			require.Empty(t, p.s.AwaitedFor())
		})
	}
}
