package session_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
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

// fakeRound4 is what a member's party would say in round 4.
func fakeRound4(t testing.TB, n *network, from *player, r *types.Request) types.Verified {
	t.Helper()
	body := sha256.Sum256(fmt.Appendf(nil, "%s|4|s4|%s||%x", n.context(), from.op, r.Digest))
	return forge(t, from, wire.Header{Context: n.contextBytes(), Kind: wire.KIND_ROUND, Round: 4, Type: "s4"}, body[:])
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

// A member that begins without its owner's word: whoever hears that asks for the word, and
// shows the owner what came. The owner knows that it said nothing, so the member lied.
func TestRound4WithoutConsume(t *testing.T) {
	for name, hear := range map[string]func(n *network, said types.Verified){
		"to another member": func(n *network, said types.Verified) { n.players[1].hear(said) },
		"to the owner":      func(n *network, said types.Verified) { n.players[0].hear(said) },
	} {
		t.Run(name, func(t *testing.T) {
			n, asked := parked(t)
			a, b, c := n.players[0], n.players[1], n.players[2]
			hear(n, fakeRound4(t, n, c, asked))
			n.pass(2*timing.Resend, time.Second)
			require.Equal(t, types.ErrProtocolFault, a.ended().Reason)
			require.Equal(t, []types.Operator{c.op}, a.ended().Culprits)
			require.Equal(t, a.op, b.ended().Left)
			require.Equal(t, types.ErrProtocolFault, b.ended().LeftFor)
			require.Equal(t, []types.Operator{c.op}, b.ended().LeftOver)
			for _, m := range n.sent {
				require.False(t, m.e.Header.Kind == wire.KIND_ROUND && m.e.Header.Round > 3)
			}
		})
	}
}

// It may come before the owner parked.
func TestRound4BeforeTheOwnerParked(t *testing.T) {
	n, asked := newPresign(t, 4, 2)
	a, c := n.players[0], n.players[2]
	n.hold = func(m mail) bool { return m.to == a && m.from == c && m.e.Header.Round == 3 }
	n.open()
	n.settle()
	require.Equal(t, session.Running, a.s.Phase())
	a.hear(fakeRound4(t, n, c, asked))
	require.Equal(t, []types.Operator{c.op}, a.ended().Culprits)
}

// If the owner says nothing to that, it or who began is to blame, and nobody else can tell:
// whoever leaves it names both.
func TestRound4WithoutItsOwner(t *testing.T) {
	n, asked := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	n.hold = func(m mail) bool { return m.from == a || m.to == a }
	b.hear(fakeRound4(t, n, c, asked))
	n.pass(timing.Stall+time.Second, time.Second)
	end := b.ended()
	require.Equal(t, types.ErrPresignLost, end.Reason)
	require.Empty(t, end.Culprits)
	require.Equal(t, []types.Operator{a.op, c.op}, end.Awaited)
	require.Equal(t, b.op, c.ended().Left)
	require.Equal(t, types.ErrPresignLost, c.ended().LeftFor)
	require.Equal(t, []types.Operator{a.op}, c.ended().LeftOver)
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

// Who restarted has no part of a presignature any more. It tells those that ask; its owner
// gives it up and says for whom, nobody else does: what one member is told means nothing to
// the others.
func TestDisowned(t *testing.T) {
	n, _ := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	lost := func(to *player) types.Verified {
		h := wire.Header{Context: n.contextBytes(), Kind: wire.KIND_REFUSE, To: string(to.op)}
		return forge(t, b, h, encode(t, &wire.Refuse{Reason: string(types.ErrPresignLost)}))
	}
	c.hear(lost(a))
	n.hold = func(m mail) bool { return m.from == b }
	c.s.Probe(b.op, n.now)
	require.Len(t, c.s.PendingTo(b.op), 1)
	c.hear(lost(c))
	require.Empty(t, c.s.PendingTo(b.op), "it asks no more")
	require.Empty(t, c.ends)
	n.hold = nil
	a.hear(lost(a))
	n.settle()
	require.Equal(t, types.ErrPresignLost, a.ended().Reason)
	require.Equal(t, []types.Operator{b.op}, a.ended().Awaited)
	require.Empty(t, a.ended().Culprits)
	require.Equal(t, a.op, c.ended().Left)
	require.Equal(t, types.ErrPresignLost, c.ended().LeftFor)
	require.Equal(t, []types.Operator{b.op}, c.ended().LeftOver)

	n, asked := parked(t)
	a, b = n.players[0], n.players[1]
	know(asked, n.players...)
	require.NoError(t, a.s.Consume(*asked, 0, n.now))
	a.hear(lost(a))
	require.Empty(t, a.ends, "once it is used, only its end counts")
}

// A signer that came back is asked until it says that it still has its part; the owner
// uses nothing before, and lets go when it never does.
func TestProbe(t *testing.T) {
	n, _ := parked(t)
	a, b := n.players[0], n.players[1]
	lose := 1
	n.hold = func(m mail) bool {
		if m.from == b && lose > 0 {
			lose--
			return true
		}
		return false
	}
	a.s.Probe(b.op, n.now)
	require.False(t, a.s.Usable())
	n.settle()
	require.False(t, a.s.Usable())
	n.pass(5*time.Second, time.Second)
	require.True(t, a.s.Usable())

	n.hold = func(m mail) bool { return m.from == b }
	a.s.Probe(b.op, n.now)
	n.pass(timing.Stall+time.Second, time.Second)
	require.Equal(t, types.ErrPresignLost, a.ended().Reason)
	require.Equal(t, []types.Operator{b.op}, a.ended().Awaited)
	require.Empty(t, a.ended().Culprits)
}

// A signer whose owner is out of reach keeps its part for as long as the owner would wait
// for it, and once more; it says for whom it leaves. An owner that answers loses nothing.
func TestOwnerIsOutOfReach(t *testing.T) {
	n, _ := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	for range 5 {
		n.hold = func(m mail) bool { return m.from == a }
		b.s.Probe(a.op, n.now)
		n.pass(2*timing.Stall-time.Second, time.Second)
		n.release()
		require.Equal(t, session.Parked, b.s.Phase())
		n.pass(time.Second, time.Second)
	}
	n.hold = func(m mail) bool { return m.from == a }
	b.s.Probe(a.op, n.now)
	n.pass(2*timing.Stall, time.Second)
	require.Equal(t, types.ErrPresignLost, b.ended().Reason)
	require.Equal(t, []types.Operator{a.op}, b.ended().Awaited)
	require.Empty(t, b.ended().Culprits)
	require.Equal(t, []types.Operator{a.op}, c.ended().LeftOver)
}

// A signer that comes and goes is asked, and makes this node sign, once in a resend time. It
// is given up when it does not answer for as long as any other.
func TestProbeOfWhoFlaps(t *testing.T) {
	n, _ := parked(t)
	a, b := n.players[0], n.players[1]
	n.hold = func(m mail) bool { return m.from == b }
	before, begun := len(n.times(a, b, wire.KIND_PARKED)), n.now
	for range 1000 {
		a.s.Probe(b.op, n.now)
		a.s.Reconnected(b.op, n.now)
	}
	require.Len(t, n.times(a, b, wire.KIND_PARKED), before+1)
	for range 200 {
		if len(a.ends) > 0 {
			break
		}
		a.s.Probe(b.op, n.now)
		n.pass(250*time.Millisecond, 250*time.Millisecond)
	}
	require.Equal(t, timing.Stall, n.now.Sub(begun))
	require.Equal(t, []types.Operator{b.op}, a.ended().Awaited)
	require.LessOrEqual(t, len(n.times(a, b, wire.KIND_PARKED)), before+1+int(timing.Stall/timing.Resend))
}

// What a signer said before it was asked, and what it answered to something else, is no answer,
// whoever says it again: it may have lost its part since.
func TestOldWordsAnswerNoProbe(t *testing.T) {
	n, _ := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	fromB := func(m mail) bool { return m.from == b }
	replay := func() {
		old := slices.Clone(n.sent)
		for _, m := range old {
			if m.from == b && m.e.Header.Kind == wire.KIND_PARKED {
				m.to = a
				n.deliver(m)
			}
		}
	}
	for range 3 {
		n.pass(timing.Resend, time.Second)
		c.s.Probe(b.op, n.now) // it has an answer, too
		n.settle()
		n.hold = fromB
		replay()
		require.True(t, a.s.Usable())
		a.s.Probe(b.op, n.now)
		replay()
		require.False(t, a.s.Usable())
		n.settle()
		require.False(t, a.s.Usable())
		n.release()
		require.True(t, a.s.Usable())
		n.hold = fromB
		a.s.Probe(b.op, n.now)
		replay()
		require.False(t, a.s.Usable(), "it is to be asked again")
		n.pass(timing.Resend, time.Second)
		n.release()
		require.True(t, a.s.Usable())
	}
}

// Two that find each other back ask each other at once, and both are answered.
func TestProbeOfEachOther(t *testing.T) {
	n, _ := parked(t)
	a, b := n.players[0], n.players[1]
	a.s.Probe(b.op, n.now)
	b.s.Probe(a.op, n.now)
	require.False(t, a.s.Usable() || b.s.Usable())
	n.settle()
	require.True(t, a.s.Usable() && b.s.Usable())
	before := len(n.sent)
	n.pass(time.Hour, time.Second)
	require.Len(t, n.sent, before)
}

// Who is asked before it parked answers when it did.
func TestProbeOfWhoParksLate(t *testing.T) {
	n, _ := newPresign(t, 4, 2)
	a, b := n.players[0], n.players[1]
	n.hold = func(m mail) bool {
		b.slow = b.slow || m.from == b && m.e.Header.Round == 3 // what it computes after that is the last
		return false
	}
	n.open()
	n.settle()
	require.Equal(t, session.Parked, a.s.Phase())
	require.Equal(t, session.Running, b.s.Phase())
	a.s.Probe(b.op, n.now)
	n.settle()
	n.hold, b.slow = nil, false
	n.settle()
	require.Equal(t, session.Parked, b.s.Phase())
	n.pass(2*timing.Resend, time.Second)
	require.True(t, a.s.Usable())
}

// A signer that comes back again and again, and answers just before it would be given up,
// keeps the presignature from being used: its owner gives it up for that, and says so. One
// that answers at once may come as often as it likes.
func TestProbeOfWhoAnswersLate(t *testing.T) {
	n, _ := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	for range 1000 {
		a.s.Probe(b.op, n.now)
		n.settle()
		n.pass(3*time.Second, time.Second)
		require.True(t, a.s.Usable())
	}
	begun := n.now
	for range 3 {
		a.s.Probe(b.op, n.now)
		n.hold = func(m mail) bool { return m.from == b && m.to == a }
		n.pass(timing.Stall-time.Second, time.Second)
		if len(a.ends) > 0 {
			break
		}
		n.release()
		require.True(t, a.s.Usable())
	}
	require.LessOrEqual(t, n.now.Sub(begun), 3*timing.Stall)
	require.Equal(t, types.ErrPresignLost, a.ended().Reason)
	require.Equal(t, []types.Operator{b.op}, a.ended().Awaited)
	require.Equal(t, []types.Operator{b.op}, c.ended().LeftOver)
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
