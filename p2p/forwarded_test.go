package p2p

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// newOutpost is bob's node, without a connection to alice.
func newOutpost(t *testing.T, opts Options, l limits, peers ...string) (*Reactor, *recorder, map[string]*fakePeer) {
	t.Helper()
	opts.Workers = 1
	r, rec := lone(t, opts, l)
	r.SetRoster(rosterOf(alice, bob, carol))
	require.NoError(t, r.SetSelf(bob.self("self")))
	require.NoError(t, r.Start())
	joined := make(map[string]*fakePeer)
	for _, name := range peers {
		joined[name] = join(r, newFakePeer(name))
	}
	return r, rec, joined
}

// Two peers who are nobody kept what a participant once said to all, and say it again, to
// a node that hears that participant through another peer only: each more than the budget
// of all of them takes. What the participant says now arrives all the same, the largest that
// there is.
func TestOldWordsDoNotStarveWhoIsHeardThroughOthers(t *testing.T) {
	const (
		every, times = 10 * time.Second, 12
		oldBytes     = 20_000 // ten a second of each
		freshBytes   = 134_000
		firstFresh   = 1_000_000
	)
	for name, say := range map[string]func(*wire.Envelope) cmtp2p.Wrapper{
		"as envelopes": func(e *wire.Envelope) cmtp2p.Wrapper { return e },
		"as relays":    func(e *wire.Envelope) cmtp2p.Wrapper { return &wire.Relay{Envelope: e, Hops: 1} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := defaultLimits()
				for _, b := range []*budgetLimit{&l.sender, &l.others} {
					*b = budgetLimit{b.messages, b.messageBurst, b.bytes / 10, b.byteBurst / 10}
				}
				r, rec, peers := newOutpost(t, Options{}, l, "sentry", "rogue1", "rogue2")
				old := uint64(0)
				for i := range uint64(times) {
					for range int(every / (100 * time.Millisecond)) {
						for _, rogue := range []string{"rogue1", "rogue2"} {
							old++
							deliver(r, peers[rogue], say(alice.envelope(wire.KIND_ROUND, "", old, make([]byte, oldBytes))))
						}
						synctest.Wait()
						time.Sleep(100 * time.Millisecond)
					}
					deliver(r, peers["sentry"], &wire.Relay{Envelope: alice.envelope(wire.KIND_ROUND, "bob", firstFresh+i, make([]byte, freshBytes)), Hops: 1})
					synctest.Wait()
				}
				fresh := 0
				for _, seq := range rec.sequences("alice") {
					if seq >= firstFresh {
						fresh++
					}
				}
				require.Equal(t, times, fresh)
				require.Greater(t, rec.drops(In, DropSenderBudget), int(old)/2, "they say more than they may")
			})
		})
	}
}

// Who comes back has what it left of its part, and not another one.
func TestPartsOutliveTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := defaultLimits()
		l.others = budgetLimit{messages: 1, messageBurst: 12, bytes: 1 << 20, byteBurst: 1 << 20}
		r, rec, peers := newOutpost(t, Options{}, l, "p")
		seq := uint64(0)
		taken := func(from *fakePeer) int {
			before := len(rec.sequences("alice"))
			for range 30 {
				seq++
				deliver(r, from, alice.envelope(wire.KIND_ROUND, "bob", seq, nil))
			}
			synctest.Wait()
			return len(rec.sequences("alice")) - before
		}
		p := peers["p"]
		require.Equal(t, 6+12, taken(p), "half of what is there, and its part")
		for range 3 {
			r.RemovePeer(p, nil)
			p = join(r, newFakePeer("p"))
			require.Zero(t, taken(p))
		}
		time.Sleep(5 * time.Second)
		require.Equal(t, 5, taken(p))
		require.Equal(t, 6, taken(join(r, newFakePeer("q"))), "one of two")
	})
}

// What comes again from peers that its sender is not behind passes once in a while, whether
// it comes as it is or as a relay; what the sender says itself passes always.
func TestForwardedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, rec, peers := newOutpost(t, Options{}, defaultLimits(), "p", "q", "alices")
		e := alice.envelope(wire.KIND_START, "", 1, nil)
		taken := func(from string, m cmtp2p.Wrapper) int {
			before := len(rec.sequences("alice"))
			deliver(r, peers[from], m)
			synctest.Wait()
			return len(rec.sequences("alice")) - before
		}
		require.Equal(t, 1, taken("p", e))
		require.Zero(t, taken("p", e))
		require.Zero(t, taken("q", e))
		require.Zero(t, taken("q", &wire.Relay{Envelope: e}))
		require.Equal(t, 3, rec.drops(In, DropRelayed))
		time.Sleep(relayHold)
		require.Equal(t, 1, taken("q", &wire.Relay{Envelope: e}))
		require.Zero(t, taken("p", e))
		deliver(r, peers["alices"], alice.hello("alices"))
		synctest.Wait()
		require.Equal(t, 1, taken("alices", e))
		require.Equal(t, 1, taken("alices", e))

		forged := alice.envelope(wire.KIND_START, "", 2, nil)
		forged.Signature[0] ^= 1
		require.Zero(t, taken("p", forged))
		require.Equal(t, 1, rec.drops(In, FaultSignature))
		require.Equal(t, 1, taken("p", alice.envelope(wire.KIND_START, "", 2, nil)), "what is forged keeps out nothing")
	})
}

// While a participant's own connection is there, others bring nothing of it as it was said but
// what members forward. What they relay passes, and what another node of the participant says.
func TestOnlyWhatMembersForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, rec, peers := newOutpost(t, Options{}, defaultLimits(), "p", "alices", "alices-2")
		seq := uint64(0)
		taken := func(from string, kind wire.Kind, wrap func(*wire.Envelope) cmtp2p.Wrapper) bool {
			t.Helper()
			seq++
			deliver(r, peers[from], wrap(alice.envelope(kind, "bob", seq, nil)))
			synctest.Wait()
			return slices.Contains(rec.sequences("alice"), seq)
		}
		bare := func(e *wire.Envelope) cmtp2p.Wrapper { return e }
		relayed := func(e *wire.Envelope) cmtp2p.Wrapper { return &wire.Relay{Envelope: e} }
		for kind := wire.KIND_PREPARE; kind <= wire.KIND_PONG; kind++ {
			require.True(t, taken("p", kind, bare), "%s, while alice is not there", kind)
		}
		deliver(r, peers["alices"], alice.hello("alices"))
		deliver(r, peers["alices-2"], alice.hello("alices-2"))
		synctest.Wait()
		kept := 0
		for kind := wire.KIND_PREPARE; kind <= wire.KIND_PONG; kind++ {
			forwarded := kind == wire.KIND_START || kind == wire.KIND_ABORT
			require.Equal(t, forwarded, taken("p", kind, bare), "%s", kind)
			if !forwarded {
				kept++
			}
			for _, own := range []string{"alices", "alices-2"} {
				require.True(t, taken(own, kind, bare), "%s of %s", kind, own)
			}
			require.True(t, taken("p", kind, relayed), "%s as a relay", kind)
		}
		require.Equal(t, kept, rec.drops(In, DropNotForwarded))

		r.SetRoster(rosterOf(alice, newIdentity("alice", 2), bob, carol))
		require.True(t, taken("p", wire.KIND_ROUND, bare), "nobody shows her current identity")
	})
}

// Of what is forwarded for no open request there is little.
func TestForwardedOfClosedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := defaultLimits()
		l.notOpen = budgetLimit{messages: 1, messageBurst: 2, bytes: 1 << 20, byteBurst: 1 << 20}
		open := map[types.RequestID]bool{{Kind: types.KindSign, ID: "request"}: true, {Kind: types.KindPresign, ID: "request"}: true}
		r, rec, peers := newOutpost(t, Options{Open: func(id types.RequestID) bool { return open[id] }}, l, "p", "alices")
		seq := uint64(0)
		taken := func(from string, kind types.RequestKind) int {
			before := len(rec.sequences("alice"))
			for range 10 {
				seq++
				deliver(r, peers[from], alice.changed(wire.KIND_ROUND, "", seq, nil, func(h *wire.Header) { h.RequestKind = uint32(kind) }))
			}
			synctest.Wait()
			return len(rec.sequences("alice")) - before
		}
		require.Equal(t, 10, taken("p", types.KindSign))
		require.Equal(t, 2, taken("p", types.KindKeygen))
		time.Sleep(2 * time.Second)
		require.Equal(t, 10, taken("p", types.KindPresign), "they have a budget of their own")
		require.Equal(t, 8, rec.drops(In, DropNotOpen))
		open[types.RequestID{Kind: types.KindPresign, ID: "request"}] = false // its key is gone
		require.Equal(t, 2, taken("p", types.KindPresign))
		require.Equal(t, 16, rec.drops(In, DropNotOpen))
		deliver(r, peers["alices"], alice.hello("alices"))
		synctest.Wait()
		require.Equal(t, 10, taken("alices", types.KindPresign), "its own connection is asked for nothing")
		require.Equal(t, 10, taken("alices", types.KindKeygen))
	})
}
