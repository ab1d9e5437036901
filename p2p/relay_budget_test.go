package p2p

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Peers that repeat a sender's envelopes use up their own parts of what may be delivered in
// its name, once half of it is gone, and the sender all of its own.
func TestRelayBudgets(t *testing.T) {
	many := budgetLimit{messages: 1000, messageBurst: 1000, bytes: 1 << 20, byteBurst: 1 << 20}
	few := func(n int) budgetLimit {
		return budgetLimit{messages: 1, messageBurst: n, bytes: 1 << 20, byteBurst: 1 << 20}
	}
	synctest.Test(t, func(t *testing.T) {
		l := defaultLimits()
		l.others, l.presign, l.sender, l.detour, l.relay = few(12), few(2), few(5), few(4), many
		c := newCrossroads(t, Options{}, l)
		seq := uint64(0)
		passes := func(from string, id identity, n int, change ...func(*wire.Header)) (passed int) {
			for range n {
				seq++
				if len(c.relay(from, id.changed(wire.KIND_CONFIRM, "", seq, nil, change...), 1)) > 0 {
					passed++
				}
			}
			return passed
		}
		ofPresign := func(h *wire.Header) { h.RequestKind = uint32(types.KindPresign) }
		require.Equal(t, 6+12, passes("in", carol, 30), "half of it, and the part of one that is alone")
		require.Equal(t, 6, passes("out", carol, 30), "one of two parts")
		require.Equal(t, 4, passes("alices", carol, 30), "one of three parts")
		require.Equal(t, 1+2, passes("in", carol, 30, ofPresign), "beside it, what is for presignatures")
		require.Equal(t, 4, passes("in", alice, 10), "what comes beside its own connection")
		require.Zero(t, passes("out", alice, 10))
		require.Equal(t, 5, passes("alices", alice, 10), "all of its own")
		require.Equal(t, 12+24+26+27+6+10+5, c.drops(In, DropSenderBudget))
		time.Sleep(2 * time.Second)
		require.Equal(t, 2, passes("alices", alice, 10))
		time.Sleep(partFor)
		require.Equal(t, 1, passes("out", carol, 1))
		time.Sleep(partFor)
		require.Greater(t, passes("out", carol, 30), 6, "it is alone again")
	})
	synctest.Test(t, func(t *testing.T) {
		l := defaultLimits()
		l.relay = few(4)
		c := newCrossroads(t, Options{}, l)
		for seq := range uint64(10) {
			c.relay("in", alice.envelope(wire.KIND_CONFIRM, "", seq, nil), 1)
		}
		require.Equal(t, 6, c.drops(In, DropRelayBudget))
		require.NoError(t, c.SetSelf(carol.self("self")))
		deliver(c.Reactor, c.peers["in"], alice.envelope(wire.KIND_ABORT, "carol", 99, nil))
		synctest.Wait()
		require.Equal(t, []uint64{99}, c.sequences("alice"), "its own are not held up")
	})
}

// Peers of a participant's sentry kept what it signed for an open request, and say it
// again, each as much as a peer may, whenever the sentry would let it pass once more.
// What the participant itself says meanwhile passes all the same, to the last message:
// here, and at the next node, which gives this one a share for all that it brings of the
// participant.
func TestOldWordsDoNotSilenceTheirSender(t *testing.T) {
	tenth := func(b budgetLimit) budgetLimit {
		return budgetLimit{b.messages / 10, b.messageBurst / 10, b.bytes / 10, b.byteBurst / 10}
	}
	const rogues, seconds, own, firstOwn = 8, 12, 20, 1_000_000
	synctest.Test(t, func(t *testing.T) {
		l := defaultLimits()
		for _, b := range []*budgetLimit{&l.relay, &l.sender, &l.others, &l.detour, &l.relayPace} {
			*b = tenth(*b)
		}
		c := newCrossroads(t, Options{}, l)
		for i := range rogues {
			name := fmt.Sprint("rogue", i)
			c.peers[name] = join(c.Reactor, newFakePeer(name))
		}
		old, fresh := uint64(0), uint64(firstOwn)
		passed := func() (olds, own int) {
			for _, m := range c.sent["bobs"].list() {
				if relay, ok := m.(*wire.Relay); ok && relay.Envelope.Header.Sequence >= firstOwn {
					own++
				} else if ok {
					olds++
				}
			}
			return olds, own
		}
		var olds int
		for second := range seconds {
			before, _ := passed()
			for range own {
				for i := range rogues {
					for range l.relay.messages / own {
						old++
						deliver(c.Reactor, c.peers[fmt.Sprint("rogue", i)], &wire.Relay{Envelope: alice.envelope(wire.KIND_CONFIRM, "bob", old, nil), Hops: 1})
					}
				}
				fresh++
				deliver(c.Reactor, c.peers["alices"], &wire.Relay{Envelope: alice.envelope(wire.KIND_CONFIRM, "bob", fresh, nil), Hops: 1})
				synctest.Wait()
				time.Sleep(time.Second / own)
			}
			after, _ := passed()
			if olds = after - before; second == seconds-1 {
				require.LessOrEqual(t, olds+own, l.others.messages, "the next node takes it all")
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		_, all := passed()
		require.Equal(t, seconds*own, all)
		require.Positive(t, c.drops(In, DropSenderBudget), "they say more than they may")
	})
}

// What belongs to no open request goes on sparingly: a replay is cheap to stop,
// and a new request is not known everywhere at once.
func TestRelayOfClosedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := defaultLimits()
		l.notOpen = budgetLimit{messages: 1, messageBurst: 2, bytes: 1 << 20, byteBurst: 1 << 20}
		open := false
		c := newCrossroads(t, Options{Open: func(id types.RequestID) bool { return id.ID == "request" && open }}, l)
		passed := 0
		for seq := range uint64(6) {
			passed += len(c.relay("in", alice.envelope(wire.KIND_CONFIRM, "bob", seq, nil), 1))
		}
		require.Equal(t, 2, passed)
		require.Equal(t, 4, c.drops(In, DropNotOpen))
		open = true
		for seq := range uint64(6) {
			passed += len(c.relay("in", alice.envelope(wire.KIND_CONFIRM, "bob", 10+seq, nil), 1))
		}
		require.Equal(t, 8, passed)
	})
}
