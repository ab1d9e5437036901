package session_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// parked lets a, b and c of four park a presignature that a owns.
func parked(t testing.TB) (*network, *types.Request) {
	t.Helper()
	n, asked := newPresign(t, 4, 2)
	n.open()
	n.settle()
	for _, p := range n.players[:3] {
		require.Equal(t, session.Parked, p.s.Phase(), "%v", p.ends)
		require.Nil(t, p.s.Target())
		require.True(t, p.s.Usable())
	}
	require.Equal(t, types.ErrReleased, n.players[3].ended().Reason)
	return n, asked
}

// know tells the others what the chain asks for.
func know(asked *types.Request, players ...*player) {
	for _, p := range players {
		p.knows = asked
		if p.s != nil {
			p.s.RetryConsume(p.net.now)
		}
	}
}

// contextBytes is how headers name the session.
func (n *network) contextBytes() []byte {
	c := n.context()
	return c[:]
}

func signed(t testing.TB, asked *types.Request, players ...*player) {
	t.Helper()
	for _, p := range players {
		require.Equal(t, session.Lingering, p.s.Phase(), "%s waits for %v in round %d: %v", p.op, p.s.AwaitedFor(), p.s.Round(), p.ends)
		require.Equal(t, asked.ID, p.s.Target().ID)
		require.Equal(t, asked.ID.ID, p.result.Signature.RequestID)
		require.NoError(t, types.VerifySignature(asked.PublicKey, asked.Digest, p.result.Signature))
	}
}

// A parked session says nothing by itself, and holds what it has for as long as it is
// let.
func TestParkedIsQuiet(t *testing.T) {
	n, _ := parked(t)
	before := len(n.sent)
	n.pass(time.Hour, time.Second)
	require.Len(t, n.sent, before)
	for _, p := range n.players[:3] {
		require.Equal(t, session.Parked, p.s.Phase())
		require.Empty(t, p.jobs)
	}
	for _, m := range n.sent {
		require.False(t, m.e.Header.Kind == wire.KIND_ROUND && m.e.Header.Round > 3, "round 4 of %s left before it is known what for", m.from.op)
	}
}

func TestConsume(t *testing.T) {
	n, asked := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	know(asked, b, c)
	require.NoError(t, a.s.Consume(*asked, 0, n.now))
	require.Error(t, a.s.Consume(*asked, 0, n.now), "once")
	n.settle()
	signed(t, asked, a, b, c)
	require.Error(t, b.s.Consume(*asked, 0, n.now))
}

// Whatever the order in which things move, and whatever arrives twice.
func TestConsumeInAnyOrder(t *testing.T) {
	for seed := range uint64(50) {
		n, asked := newPresign(t, 4, 2)
		n.chance = rand.New(rand.NewPCG(seed, 5))
		n.open()
		for i := 0; !n.players[0].s.Usable(); i++ {
			require.Less(t, i, 10_000)
			n.pass(time.Second, time.Second)
		}
		know(asked, n.players...)
		require.NoError(t, n.players[0].s.Consume(*asked, 0, n.now))
		n.settle()
		n.pass(5*time.Second, time.Second)
		for _, op := range n.players[0].s.Signers() {
			signed(t, asked, n.player(op))
		}
	}
}

// Nobody but its owner uses a presignature, and not before all signers parked.
func TestWhoConsumes(t *testing.T) {
	n, asked := newPresign(t, 4, 2)
	n.open()
	b := n.players[1]
	n.hold = func(m mail) bool { return m.from == b && m.e.Header.Kind == wire.KIND_PARKED }
	n.settle()
	a := n.players[0]
	require.Equal(t, session.Parked, a.s.Phase())
	require.False(t, a.s.Usable())
	require.Error(t, a.s.Consume(*asked, 0, n.now))
	require.Error(t, b.s.Consume(*asked, 0, n.now))
	n.release()
	require.True(t, a.s.Usable())
	require.Error(t, b.s.Consume(*asked, 0, n.now))
	// A Consume of somebody else is not for it to send.
	know(asked, n.players...)
	body := encode(t, &wire.Consume{RequestId: asked.ID.ID, Digest: asked.Digest})
	a.hear(forge(t, b, wire.Header{Context: n.contextBytes(), Kind: wire.KIND_ROUND, Round: 4, Type: "consume"}, body))
	require.Equal(t, []types.Operator{b.op}, a.ended().Culprits)
}

// A lost notice is asked for again until it is there.
func TestParkedIsToldAgain(t *testing.T) {
	n, _ := newPresign(t, 3, 2)
	lose := 2
	n.hold = func(m mail) bool {
		if m.e.Header.Kind == wire.KIND_PARKED && lose > 0 {
			lose--
			return true
		}
		return false
	}
	n.open()
	n.settle()
	n.held = nil
	n.pass(20*time.Second, time.Second)
	for _, p := range n.players {
		require.True(t, p.s.Usable(), p.op)
	}
	before := len(n.sent)
	n.pass(time.Hour, time.Second)
	require.Len(t, n.sent, before)
}

// A member whose chain is a block behind waits for it; nobody is blamed meanwhile.
func TestConsumeWaitsForTheBlock(t *testing.T) {
	n, asked := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	know(asked, b)
	require.NoError(t, a.s.Consume(*asked, 0, n.now))
	n.settle()
	n.pass(3*time.Second, time.Second)
	require.Equal(t, session.Parked, c.s.Phase())
	require.Equal(t, session.Running, b.s.Phase())
	know(asked, c)
	n.settle()
	signed(t, asked, a, b, c)
}

// Its owner gives a presignature up soon when it does not come to its end, without a
// word against anybody.
func TestConsumeIsGivenUp(t *testing.T) {
	n, asked := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	know(asked, b)
	require.NoError(t, a.s.Consume(*asked, 0, n.now))
	n.settle()
	n.pass(timing.Online+time.Second, time.Second)
	require.Equal(t, types.ErrPresignLost, a.ended().Reason)
	require.Empty(t, a.ended().Culprits)
	for _, p := range []*player{b, c} {
		require.Equal(t, types.ErrAborted, p.ended().Reason)
		require.Equal(t, types.ErrPresignLost, p.ended().LeftFor)
	}
	require.Equal(t, []types.Operator{c.op}, a.ended().Awaited)
	require.Equal(t, []types.Operator{c.op}, b.ended().LeftOver, "it hears whom it waited for")
}

// A party that cannot be told what is signed is this node's own trouble: the request is
// signed otherwise, and nobody is doubted.
func TestFixFails(t *testing.T) {
	n, asked := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	know(asked, b, c)
	require.NoError(t, a.s.Consume(*asked, 0, n.now))
	require.Len(t, a.jobs, 1)
	a.jobs[0] = func() (session.Step, error) { return session.Step{}, errors.New("a presignature is used once") }
	n.settle()
	require.Equal(t, types.ErrPresignLost, a.ended().Reason)
	require.Empty(t, a.ended().Culprits)
	for _, p := range []*player{b, c} {
		require.Equal(t, types.ErrPresignLost, p.ended().LeftFor)
	}
}

// Who does not want to sign what the owner says ends it for all.
func TestConsumeIsRefused(t *testing.T) {
	n, asked := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	know(asked, b)
	c.refuses = types.ErrExpired
	require.NoError(t, a.s.Consume(*asked, 0, n.now))
	n.settle()
	require.Equal(t, types.ErrExpired, c.ended().Reason)
	require.Equal(t, types.ErrExpired, a.ended().LeftFor)
	require.Equal(t, types.ErrExpired, b.ended().LeftFor)
}

// An owner that tells two members different things: both parties are told, the digests
// differ, and neither computes with what it was told. The two Consumes are proof.
func TestTwoConsumes(t *testing.T) {
	n, asked := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	other := *asked
	other.ID.ID, other.Digest = "other", append(make([]byte, 31), 2)
	b.knows, c.knows = asked, &other
	n.hold = func(m mail) bool { return m.from == a || m.to == a } // op-a itself knows that it said nothing
	consume := func(to *player, r *types.Request) {
		body := encode(t, &wire.Consume{RequestId: r.ID.ID, Digest: r.Digest})
		to.hear(forge(t, a, wire.Header{Context: n.contextBytes(), Kind: wire.KIND_ROUND, Round: 4, Type: "consume"}, body))
		s4 := fakeRound4(t, n, a, r)
		to.hear(s4)
	}
	consume(b, asked)
	consume(c, &other)
	for range 10 {
		n.settle()
		n.pass(time.Second, time.Second)
	}
	for _, p := range []*player{b, c} {
		end := p.ended()
		require.Equal(t, types.ErrBroadcastDiffer, end.Reason, "%s: %v", p.op, end.Err)
		require.Equal(t, []types.Operator{a.op}, end.Culprits)
		require.NotNil(t, end.Evidence)
		require.Less(t, p.s.Round(), uint32(5), "the party got round 4")
	}
}

// A Consume that got lost is sent again before anybody gives up.
func TestConsumeIsResent(t *testing.T) {
	n, asked := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	know(asked, b, c)
	lost := false
	n.hold = func(m mail) bool {
		lose := !lost && m.to == c && m.e.Header.Type == "consume"
		lost = lost || lose
		return lose
	}
	require.NoError(t, a.s.Consume(*asked, 0, n.now))
	n.settle()
	require.Equal(t, session.Parked, c.s.Phase())
	n.held = nil
	n.pass(3*time.Second, time.Second)
	signed(t, asked, a, b, c)
}

// Whatever ends a parked session says so, and wipes what it has.
func TestParkedIsStopped(t *testing.T) {
	n, _ := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	c.s.Stop(types.ErrSuperseded)
	n.settle()
	require.Equal(t, types.ErrSuperseded, c.ended().Reason)
	for _, p := range []*player{a, b} {
		require.Equal(t, types.ErrAborted, p.ended().Reason)
		require.Equal(t, types.ErrSuperseded, p.ended().LeftFor)
	}
	require.Empty(t, n.watch.Leaks())
}

// A dishonest owner uses a presignature of which a signer lost its part: nobody accuses
// that one.
func TestConsumeOfALostPart(t *testing.T) {
	n, asked := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	b.s.Stop(types.ErrInterrupted)
	n.mails = nil // nobody hears of it
	know(asked, c)
	body := encode(t, &wire.Consume{RequestId: asked.ID.ID, Digest: asked.Digest})
	c.hear(forge(t, a, wire.Header{Context: n.contextBytes(), Kind: wire.KIND_ROUND, Round: 4, Type: "consume"}, body))
	c.hear(fakeRound4(t, n, a, asked))
	n.hold = func(m mail) bool { return m.from == a || m.from == b }
	n.pass(2*timing.Stall, time.Second)
	require.Equal(t, types.ErrPresignLost, c.ended().Reason)
	require.Empty(t, c.ended().Culprits)
}

// What no request can be is not looked up: its sender is named.
func TestConsumeIsChecked(t *testing.T) {
	for name, body := range map[string]wire.Consume{
		"no id":        {Digest: append(make([]byte, 31), 1)},
		"no digest":    {RequestId: "sig"},
		"empty digest": {RequestId: "sig", Digest: make([]byte, 32)},
	} {
		n, _ := parked(t)
		a, b := n.players[0], n.players[1]
		b.hear(forge(t, a, wire.Header{Context: n.contextBytes(), Kind: wire.KIND_ROUND, Round: 4, Type: "consume"}, encode(t, &body)))
		require.Equal(t, []types.Operator{a.op}, b.ended().Culprits, name)
	}
}
