package p2p

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

func TestHelloIsSentFirstAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sent{open: make(chan struct{})}
		r, _, _ := bound(t, defaultLimits(), s.take)
		require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 1, nil)))
		require.NoError(t, r.SetSelf(alice.self("alices")))
		close(s.open)
		time.Sleep(sendRetry)
		synctest.Wait()
		require.Len(t, s.list(), 2, "hello and envelope")
		require.Contains(t, s.list(), proto.Message(alice.hello("alices")))

		r.SetRoster(rosterOf(alice, bob)) // the same identities: nothing to say
		require.NoError(t, r.SetSelf(alice.self("alices")))
		require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 2, nil)))
		synctest.Wait()
		require.Len(t, s.list(), 3)
		require.IsType(t, &wire.Envelope{}, s.list()[2], "no hello")
		r.SetRoster(rosterOf(alice, bob, carol))
		synctest.Wait()
		require.Len(t, s.list(), 4)
		require.Equal(t, proto.Message(alice.hello("alices")), s.list()[3])
		r.ClearSelf()
		r.SetRoster(rosterOf(alice, bob))
		require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 3, nil)))
		synctest.Wait()
		require.Len(t, s.list(), 5)
		require.IsType(t, &wire.Envelope{}, s.list()[4], "no hello without an identity")
	})
}

func TestNewestHelloWins(t *testing.T) {
	r, rec, first := bound(t, defaultLimits(), nil)
	second := join(r, newFakePeer("bobs-2"))
	deliver(r, second, bob.hello("bobs-2"))
	peerOf := func() string {
		r.mu.RLock()
		defer r.mu.RUnlock()
		return r.operators["bob"].id
	}
	eventually(t, "the second has it", func() bool { return peerOf() == "bobs-2" })
	deliver(r, first, bob.hello("bobs")) // a repetition is not a new claim
	deliver(r, first, alice.attestation(0))
	eventually(t, "judged", func() bool { return rec.gossiped() == 1 })
	require.Equal(t, "bobs-2", peerOf())
	r.RemovePeer(second, nil)
	require.Equal(t, "bobs", peerOf())
	rec.do(func() { require.Equal(t, []types.Operator{"bob", "bob", "bob"}, rec.operators) })
	rec.do(func() { require.Empty(t, rec.gone) })
	r.RemovePeer(first, nil)
	rec.do(func() { require.Equal(t, []types.Operator{"bob"}, rec.gone, "none of its connections is left") })
}

// Whoever has an identity that was replaced says hello with it, as often as it likes: what is
// for the operator goes to the peer that shows the successor, and to it alone while that one
// is not there.
func TestReplacedIdentityTakesNothing(t *testing.T) {
	old, now := newIdentity("bob", 1), newIdentity("bob", 2)
	r, _ := lone(t, Options{Workers: 1}, defaultLimits())
	r.SetRoster(rosterOf(alice, old)) // it does not know the successor yet
	require.NoError(t, r.SetSelf(alice.self("alices")))
	require.NoError(t, r.Start())
	got := map[string]*sent{}
	joined := map[string]*fakePeer{}
	for _, name := range []string{"bobs", "thiefs"} {
		s := &sent{open: make(chan struct{})}
		close(s.open)
		p := newFakePeer(name)
		p.send = s.take
		got[name], joined[name] = s, join(r, p)
	}
	seq := uint64(0)
	reaches := func(name string) {
		t.Helper()
		seq++
		require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", seq, nil)))
		eventually(t, name+" has it", func() bool {
			for _, m := range got[name].list() {
				if e, ok := m.(*wire.Envelope); ok && e.Header.Sequence == seq {
					return true
				}
			}
			return false
		})
	}
	judged := func() { // one worker judges in order
		t.Helper()
		before := r.metrics.(*recorder).gossiped()
		seq++
		deliver(r, joined["bobs"], alice.attestation(uint32(seq)))
		eventually(t, "judged", func() bool { return r.metrics.(*recorder).gossiped() > before })
	}
	deliver(r, joined["bobs"], now.hello("bobs"))
	deliver(r, joined["thiefs"], old.hello("thiefs"))
	eventually(t, "who is known has it", func() bool { return helloVersion(r, "bob") == 1 })
	reaches("thiefs")
	r.SetRoster(rosterOf(alice, old, now))
	eventually(t, "the successor has it", func() bool { return helloVersion(r, "bob") == 2 })
	reaches("bobs")

	// A peer that shows an older one after all stays what it was, and takes nothing.
	deliver(r, joined["thiefs"], old.hello("thiefs"))
	thiefs2 := join(r, newFakePeer("thiefs2"))
	deliver(r, thiefs2, old.hello("thiefs2"))
	deliver(r, joined["bobs"], old.hello("bobs"))
	judged()
	require.Equal(t, uint32(2), helloVersion(r, "bob"))
	reaches("bobs")

	r.RemovePeer(joined["bobs"], nil)
	require.Equal(t, uint32(1), helloVersion(r, "bob"), "nobody shows the successor")
}

// Where an operator is behind a sentry, nobody else hears the hello of its current identity.
// Whoever shows the one that was replaced has what is for the operator, and so have all others,
// to relay it.
func TestReplacedIdentityMutesNobody(t *testing.T) {
	old, now := newIdentity("bob", 1), newIdentity("bob", 2)
	r, rec := lone(t, Options{Workers: 1}, defaultLimits())
	r.SetRoster(rosterOf(alice, old, now, carol))
	require.NoError(t, r.Start())
	got := map[string]*sent{}
	joined := map[string]*fakePeer{}
	for _, name := range []string{"thiefs", "sentry"} {
		s := &sent{open: make(chan struct{})}
		close(s.open)
		p := newFakePeer(name)
		p.send = s.take
		got[name], joined[name] = s, join(r, p)
	}
	// has says how a peer was given an envelope.
	has := func(name string, seq uint64) (direct, relayed int) {
		for _, m := range got[name].list() {
			switch m := m.(type) {
			case *wire.Envelope:
				if m.Header.Sequence == seq {
					direct++
				}
			case *wire.Relay:
				if m.Envelope.Header.Sequence == seq {
					relayed++
				}
			}
		}
		return direct, relayed
	}
	goes := func(name string, seq uint64, direct, relayed int) {
		t.Helper()
		eventually(t, name, func() bool { d, r := has(name, seq); return d == direct && r == relayed })
	}
	deliver(r, joined["thiefs"], old.hello("thiefs"))
	eventually(t, "the older one is there", func() bool { return helloVersion(r, "bob") == 1 })
	require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 1, nil)))
	goes("sentry", 1, 0, 1)
	goes("thiefs", 1, 1, 0)

	toAll := alice.envelope(wire.KIND_ROUND, "", 2, nil)
	require.True(t, r.Send("bob", toAll))
	require.True(t, r.Send("carol", toAll))
	goes("sentry", 2, 0, 1)
	goes("thiefs", 2, 1, 1) // carol may be behind it

	deliver(r, joined["sentry"], now.hello("sentry"))
	eventually(t, "the current one is there", func() bool { return helloVersion(r, "bob") == 2 })
	require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 3, nil)))
	goes("sentry", 3, 1, 0)
	goes("thiefs", 3, 0, 0)

	r.RemovePeer(joined["sentry"], nil)
	require.True(t, r.Send("bob", alice.envelope(wire.KIND_READY, "bob", 4, nil)))
	goes("thiefs", 4, 1, 0)
	require.Zero(t, rec.drops(Out, DropUnreachable), "it may be bob's own node")
}

// A hello that waits for the roster outlives one of an older identity that comes after it.
func TestSuccessorWaits(t *testing.T) {
	old, now := newIdentity("bob", 1), newIdentity("bob", 2)
	r, rec := lone(t, Options{Workers: 1}, defaultLimits())
	r.SetRoster(rosterOf(alice, old))
	require.NoError(t, r.Start())
	p := join(r, newFakePeer("bobs"))
	deliver(r, p, now.hello("bobs"))
	eventually(t, "it waits", func() bool { return rec.drops(In, DropHelloWaits) == 1 })
	deliver(r, p, old.hello("bobs"))
	eventually(t, "the old one counts", func() bool { return helloVersion(r, "bob") == 1 })
	r.SetRoster(rosterOf(alice, old, now))
	eventually(t, "the successor counts", func() bool { return helloVersion(r, "bob") == 2 })
}

// An operator whose identity is not registered any more is behind no peer.
func TestRevokedIsDisconnected(t *testing.T) {
	r, rec, _ := bound(t, defaultLimits(), nil)
	r.SetRoster(rosterOf(alice))
	rec.do(func() { require.Equal(t, []types.Operator{"bob"}, rec.gone) })
}

// Hellos are repeated less and less often, and answered, but not without end.
func TestHellosAreRepeatedAndAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, topology{ids: []identity{alice, bob}, links: [][2]int{{0, 1}}})
		hellos := func() int { return m.recs[0].went("hello") + m.recs[1].went("hello") }
		require.Equal(t, 2, hellos())
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		// Each by itself at 2, 6, 14, 30, 62 s and then every minute; an answer is
		// one that another one made superfluous or came beside it.
		require.InDelta(t, 2*(1+5+9), hellos(), 2*9)

		r, p := m.nodes[0], newFakePeer("bobs")
		s := &sent{open: make(chan struct{})}
		close(s.open)
		p.send = s.take
		join(r, p)
		deliver(r, p, bob.hello("bobs"))
		synctest.Wait()
		require.Len(t, s.list(), 1)
		deliver(r, p, bob.hello("bobs"))
		synctest.Wait()
		require.Len(t, s.list(), 1, "it was greeted just now")
		time.Sleep(helloAnswer + helloFirst + 1500*time.Millisecond) // between the repeats at 6 and 14 s
		synctest.Wait()
		before := len(s.list())
		deliver(r, p, bob.hello("bobs"))
		synctest.Wait()
		require.Len(t, s.list(), before, "it was greeted at 6 s")
		time.Sleep(helloAnswer - time.Second)
		deliver(r, p, bob.hello("bobs"))
		synctest.Wait()
		require.Len(t, s.list(), before+1, "answered")
	})
}
