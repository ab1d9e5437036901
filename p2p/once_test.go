package p2p

import (
	"fmt"
	"testing"
	"testing/synctest"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// copied is an envelope as another peer delivers it.
func copied(t *testing.T, e *wire.Envelope) *wire.Envelope {
	t.Helper()
	bz, err := e.Marshal()
	require.NoError(t, err)
	other := &wire.Envelope{}
	require.NoError(t, other.Unmarshal(bz))
	return other
}

// TestCopiesAreCheckedOnce: of an envelope that many peers deliver, each its own copy, one
// signature is checked at each node. After the first copy the roster has another key for the
// sender: whoever checks another one finds it wrong, and says so of the peer.
func TestCopiesAreCheckedOnce(t *testing.T) {
	plain := func(e *wire.Envelope) cmtp2p.Wrapper { return e }
	relay := func(e *wire.Envelope) cmtp2p.Wrapper { return &wire.Relay{Envelope: e, Hops: 1} }
	for name, c := range map[string]struct {
		self        identity
		first, then func(*wire.Envelope) cmtp2p.Wrapper
	}{
		"forwarded to a member":             {bob, plain, plain},
		"relayed to a member":               {bob, relay, relay},
		"relayed, and then forwarded to it": {bob, relay, plain},
		"relayed by a sentry":               {nobody, relay, relay},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const copies = 20
				r, rec := lone(t, Options{Workers: 1}, defaultLimits())
				r.SetRoster(rosterOf(alice, bob))
				if c.self.op != "" {
					require.NoError(t, r.SetSelf(c.self.self("self")))
				}
				require.NoError(t, r.Start())
				var peers []*fakePeer
				for i := range copies {
					peers = append(peers, join(r, newFakePeer(fmt.Sprint("peer", i))))
				}
				said := alice.envelope(wire.KIND_START, "", 1, nil)
				deliver(r, peers[0], c.first(copied(t, said)))
				synctest.Wait()
				require.Zero(t, rec.drops(In, FaultSignature))

				r.SetRoster(rosterOf(identity{op: "alice", version: 1, key: newIdentity("another alice", 1).key}, bob))
				for _, p := range peers {
					deliver(r, p, c.then(copied(t, said)))
				}
				synctest.Wait()
				require.Equal(t, copies, rec.drops(In, DropRelayed))
				require.Zero(t, rec.drops(In, FaultSignature), "copies that were checked again")
				if c.self.op != "" {
					require.Equal(t, []uint64{1}, rec.sequences("alice"))
				}

				deliver(r, peers[1], c.then(alice.envelope(wire.KIND_START, "", 2, nil)))
				synctest.Wait()
				require.Equal(t, 1, rec.drops(In, FaultSignature), "what did not come before is checked")
			})
		})
	}
}

// TestBroadcastIsOneEnvelope: what goes to many is the same envelope for each of them, in a
// frame or a relay or as it is: nobody copies or signs it for one peer more.
func TestBroadcastIsOneEnvelope(t *testing.T) {
	const direct, members = 4, 6 // the others are behind no peer
	synctest.Test(t, func(t *testing.T) {
		ids := []identity{alice}
		for i := range members {
			ids = append(ids, newIdentity(types.Operator(fmt.Sprint("member", i)), 1))
		}
		r, _ := lone(t, Options{Workers: 1}, defaultLimits())
		r.SetRoster(rosterOf(ids...))
		require.NoError(t, r.SetSelf(alice.self("self")))
		require.NoError(t, r.Start())
		got := make([]*sent, direct)
		for i := range got {
			got[i] = &sent{open: make(chan struct{})}
			close(got[i].open)
			p := newFakePeer(fmt.Sprint("peer", i))
			p.send = got[i].take
			join(r, p)
			deliver(r, p, ids[i+1].hello("peer"+cmtp2p.ID(fmt.Sprint(i))))
		}
		synctest.Wait()
		said := []*wire.Envelope{alice.envelope(wire.KIND_CONFIRM, "", 1, nil), alice.envelope(wire.KIND_ROUND, "", 2, make([]byte, 1000))}
		for _, e := range said {
			for _, id := range ids[1:] {
				require.True(t, r.Send(id.op, e))
			}
		}
		synctest.Wait()
		for i, s := range got {
			came := make(map[uint64]int)
			for _, m := range s.list() {
				e, plain := m.(*wire.Envelope)
				if relay, wrapped := m.(*wire.Relay); wrapped {
					e, plain = relay.Envelope, true
				}
				if !plain {
					continue // a hello
				}
				seq := e.Header.Sequence
				require.Same(t, said[seq-1], e, "peer %d", i)
				came[seq]++
			}
			require.Equal(t, map[uint64]int{1: 2, 2: 2}, came, "peer %d: for itself, and for those behind others", i)
		}
	})
}
