package session_test

import (
	"bytes"
	"crypto/ed25519"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// proves: the end names one member and has valid evidence against it.
func proves(t *testing.T, end session.End, culprit *player, typ string) {
	t.Helper()
	require.Equal(t, types.ErrBroadcastDiffer, end.Reason, "%v", end.Err)
	require.Equal(t, []types.Operator{culprit.op}, end.Culprits)
	require.NotNil(t, end.Evidence)
	require.NoError(t, end.Evidence.Verify(chainID, culprit.key.Public().(ed25519.PublicKey)))
	require.Equal(t, culprit.op, end.Evidence.Culprit())
	require.Equal(t, typ, end.Evidence.First.Header.Type)
}

// TestEquivocation: different broadcasts for different members are noticed
// before any party computes on them, and everybody gets proof of who lied.
func TestEquivocation(t *testing.T) {
	for _, typ := range []string{"k1", "k2b", "k3"} {
		t.Run(typ, func(t *testing.T) {
			n := newKeygen(t, 4)
			b, d := n.players[1], n.players[3]
			n.hold = func(m mail) bool { return m.from == d && m.to == b && m.e.Header.Type == typ }
			n.open()
			n.settle()
			n.hold = nil
			at := b.s.Round()
			b.hear(forge(t, d, *n.held[0].e.Header, make([]byte, 32)))
			n.settle()
			for _, p := range n.players {
				end := p.ended()
				require.Equal(t, at, p.s.Round())
				if p == d { // was honest, somebody else has its key
					require.Equal(t, types.ErrIdentityShared, end.Reason)
					require.Empty(t, end.Culprits)
					continue
				}
				proves(t, end, d, typ)
			}
		})
	}
}

// showing is a Dispute of round 1 by op-c, made of what op-b received.
func showing(n *network, change func(d *wire.Dispute)) types.Verified {
	c := n.players[2]
	context := n.context()
	var d wire.Dispute
	for _, p := range n.players {
		i := slices.IndexFunc(n.sent, func(m mail) bool { return m.from == p && m.e.Header.Type == "k1" })
		e := n.sent[i].e
		d.Broadcasts = append(d.Broadcasts, &wire.Envelope{Header: e.Header, Signature: e.Signature})
	}
	change(&d)
	return forge(n.t, c, wire.Header{Context: context[:], Kind: wire.KIND_DISPUTE, Round: 1}, encode(n.t, &d))
}

// TestDispute: whoever confirms what it cannot show is named.
func TestDispute(t *testing.T) {
	zero := encode(t, &wire.Confirm{Digest: make([]byte, 32)})
	for name, tt := range map[string]struct {
		change func(n *network, d *wire.Dispute)
		want   string
	}{
		"the same as ours":       {func(*network, *wire.Dispute) {}, "do not make its digest"},
		"wrong order":            {func(_ *network, d *wire.Dispute) { slices.Reverse(d.Broadcasts) }, "another place"},
		"one without header":     {func(_ *network, d *wire.Dispute) { d.Broadcasts[0] = &wire.Envelope{} }, "without a header"},
		"unsigned":               {func(_ *network, d *wire.Dispute) { d.Broadcasts[0].Signature = make([]byte, 64) }, "signature of a header of op-a"},
		"invented":               {func(_ *network, d *wire.Dispute) { d.Broadcasts[0].Header.BodyHash = make([]byte, 32) }, "signature of a header of op-a"},
		"of another round":       {func(_ *network, d *wire.Dispute) { d.Broadcasts[0].Header.Round = 2 }, "another place"},
		"another one of its own": {func(n *network, d *wire.Dispute) { d.Broadcasts[2] = other(n, 2) }, "do not make its digest"},
	} {
		for _, first := range []bool{true, false} {
			n := lacking(t)
			b, c := n.players[1], n.players[2]
			context := n.context()
			h := confirm(1)
			h.Context = context[:]
			lie := forge(t, c, h, zero)
			dispute := showing(n, func(d *wire.Dispute) {
				for i, e := range d.Broadcasts {
					header := *e.Header
					d.Broadcasts[i] = &wire.Envelope{Header: &header, Signature: e.Signature}
				}
				tt.change(n, d)
			})
			b.hear(lie)
			if first {
				b.hear(dispute)
				require.Empty(t, b.ends, "what is missing may still make it true")
			}
			n.deliver(n.held[slices.IndexFunc(n.held, func(m mail) bool { return m.e.Header.Type == "k1" })])
			if !first {
				require.Equal(t, []types.Operator{"op-c"}, b.s.AwaitedFor())
				require.NotEmpty(t, n.times(b, c, wire.KIND_DISPUTE))
				b.hear(dispute)
			}
			end := b.ended()
			require.Equal(t, types.ErrBroadcastDiffer, end.Reason, name)
			require.Equal(t, []types.Operator{"op-c"}, end.Culprits, name)
			require.ErrorContains(t, end.Err, tt.want, name)
			require.Nil(t, end.Evidence, "what somebody cannot show proves nothing")
		}
	}
}

// TestDisputeThatNobodySends: one of a length that none can have is not kept, and mostly not
// even decoded; who sent it is named at once, whatever comes yet.
func TestDisputeThatNobodySends(t *testing.T) {
	empty := []byte{0x0a, 0x00} // an envelope of nothing: two bytes on the wire, many times that in memory
	whole := bytes.Repeat(empty, 3)
	for name, tt := range map[string]struct {
		round uint32
		body  []byte
		want  string
	}{
		"nothing":               {1, nil, "0 broadcasts, not 3"},
		"one too few":           {1, whole[:4], "2 broadcasts, not 3"},
		"one too many":          {1, bytes.Repeat(empty, 4), "4 broadcasts, not 3"},
		"longer than it can be": {1, bytes.Repeat(empty, 18_432), "36864 bytes, at most 1728 are allowed"},
		"of the next round":     {2, bytes.Repeat(empty, 18_432), "36864 bytes, at most 1728 are allowed"},
		"broken":                {1, []byte{0xff, 0xff}, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			n := lacking(t)
			b, c := n.players[1], n.players[2]
			context := n.context()
			v := forge(t, c, wire.Header{Context: context[:], Kind: wire.KIND_DISPUTE, Round: tt.round}, tt.body)
			took := allocated(func() { b.hear(v) })
			end := b.ended()
			require.Equal(t, types.ErrProtocolFault, end.Reason)
			require.Equal(t, []types.Operator{c.op}, end.Culprits)
			require.ErrorContains(t, end.Err, tt.want)
			require.Less(t, took, uint64(256<<10))
		})
	}
}

// TestDisputeOfNothing: nobody can differ about a round without broadcasts.
func TestDisputeOfNothing(t *testing.T) {
	n := newSign(t, 3, 2)
	b, c := n.players[1], n.players[2]
	n.hold = func(m mail) bool { return m.from == c && m.to == b && m.e.Header.Kind != wire.KIND_READY }
	n.open()
	n.settle()
	require.Equal(t, uint32(1), b.s.Round())
	context := n.context()
	b.hear(forge(t, c, wire.Header{Context: context[:], Kind: wire.KIND_DISPUTE, Round: 2}, []byte{0x0a, 0x00}))
	require.Equal(t, []types.Operator{c.op}, b.ended().Culprits)
	require.ErrorContains(t, b.ended().Err, "at most 0 are allowed")
}

// TestDisputeIsTakenOnce: what a member says again is not decoded again.
func TestDisputeIsTakenOnce(t *testing.T) {
	n := lacking(t)
	b := n.players[1]
	b.hear(showing(n, func(*wire.Dispute) {}))
	context := n.context()
	b.hear(forge(t, n.players[2], wire.Header{Context: context[:], Kind: wire.KIND_DISPUTE, Round: 1}, []byte{0xff}))
	require.Empty(t, b.ends)
}

// allocated is how many bytes a call allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// other is another first broadcast of a player, signed by it.
func other(n *network, i int) *wire.Envelope {
	context := n.context()
	h := round(1, "k1", "")
	h.Context = context[:]
	e := forge(n.t, n.players[i], h, make([]byte, 40)).Envelope()
	return &wire.Envelope{Header: e.Header, Signature: e.Signature}
}

// TestDisputeUnanswered: who confirms something else and then falls silent is
// the one that the session waited for.
func TestDisputeUnanswered(t *testing.T) {
	n := lacking(t)
	b, c := n.players[1], n.players[2]
	context := n.context()
	h := confirm(1)
	h.Context = context[:]
	n.deliver(n.held[slices.IndexFunc(n.held, func(m mail) bool { return m.e.Header.Type == "k1" })])
	b.hear(forge(t, c, h, encode(t, &wire.Confirm{Digest: make([]byte, 32)})))
	n.hold = func(mail) bool { return true } // op-a, who could prove it, is out of reach
	n.pass(2*timing.Stall, timing.Resend)
	end := b.ended()
	require.Equal(t, types.ErrStalled, end.Reason)
	require.Equal(t, []types.Operator{"op-c"}, end.Culprits)
}

// TestConvict: proof that another member found ends the session here too, and
// only the session that it is of.
func TestConvict(t *testing.T) {
	n := lacking(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	i := slices.IndexFunc(n.sent, func(m mail) bool { return m.from == c && m.e.Header.Type == "k1" })
	e := types.NewEvidence(n.sent[i].e, other(n, 2))
	elsewhere := *e.First.Header
	elsewhere.Context = make([]byte, 32)
	b.s.Convict(types.Evidence{First: &wire.Envelope{Header: &elsewhere}, Second: e.Second})
	require.Empty(t, b.ends)
	b.s.Convict(e)
	proves(t, b.ended(), c, "k1")
	b.s.Convict(e)
	require.Len(t, b.ends, 1)
	require.Empty(t, a.ends)
}
