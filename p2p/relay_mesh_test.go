package p2p

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// nobody runs a node without an identity.
var nobody = identity{}

// topology is who runs the nodes, and which of them are connected.
type topology struct {
	name  string
	ids   []identity
	links [][2]int
}

var topologies = []topology{
	{"line", []identity{alice, nobody, bob}, [][2]int{{0, 1}, {1, 2}}},
	{"two sentries in a row", []identity{alice, nobody, nobody, bob}, [][2]int{{0, 1}, {1, 2}, {2, 3}}},
	{"by way of a participant", []identity{alice, carol, bob}, [][2]int{{0, 1}, {1, 2}}},
	{"star", []identity{alice, nobody, bob, carol}, [][2]int{{0, 1}, {2, 1}, {3, 1}}},
	{"two shared sentries", []identity{alice, nobody, nobody, bob, carol}, [][2]int{{0, 1}, {0, 2}, {3, 1}, {3, 2}, {4, 1}, {4, 2}, {1, 2}}},
	{"ring", []identity{alice, nobody, nobody, nobody, nobody, bob}, [][2]int{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 1}, {3, 5}}},
	{"clique", []identity{alice, nobody, nobody, nobody, bob}, [][2]int{{0, 1}, {1, 2}, {2, 3}, {3, 1}, {2, 4}, {3, 4}}},
}

// Validators that are connected through other nodes only reach each other, on
// real switches.
func TestRelayOnSwitches(t *testing.T) {
	for _, tt := range topologies {
		t.Run(tt.name, func(t *testing.T) {
			nodes := map[types.Operator]*node{}
			all := make([]*node, len(tt.ids))
			for i, id := range tt.ids {
				all[i] = newNode(t, i)
				all[i].r.SetRoster(rosterOf(alice, bob, carol))
				if id.op != "" {
					all[i].identify(t, id)
					nodes[id.op] = all[i]
				}
			}
			degree := make([]int, len(all))
			for _, l := range tt.links {
				connect(all[l[0]].sw, all[l[1]].sw)
				degree[l[0]]++
				degree[l[1]]++
			}
			for i, n := range all {
				eventually(t, "peers are there", func() bool { return n.r.Peers() == degree[i] })
			}
			a, b := nodes["alice"], nodes["bob"]
			require.NotContains(t, a.r.Reachable(), types.Operator("bob"))

			body := make([]byte, MaxRoundBody)
			require.True(t, a.r.Send("bob", alice.envelope(wire.KIND_ROUND, "bob", 1, body)))
			toAll := alice.envelope(wire.KIND_ROUND, "", 2, body)
			require.True(t, a.r.Send("bob", toAll))
			require.True(t, a.r.Send("carol", toAll))
			for seq := range uint64(20) {
				require.True(t, a.r.Send("bob", alice.envelope(wire.KIND_CONFIRM, "bob", 10+seq, nil)))
				require.True(t, b.r.Send("alice", bob.envelope(wire.KIND_READY, "alice", 10+seq, nil)))
			}
			// What is for all may come to him twice.
			eventually(t, "bob has it all", func() bool { return len(distinct(b.sequences("alice"))) == 22 })
			eventually(t, "alice has it all", func() bool { return len(a.sequences("bob")) == 20 })
			if c := nodes["carol"]; c != nil {
				// Where carol is a peer and on the way to bob, she gets it twice.
				eventually(t, "carol has what is for all", func() bool { return slices.Contains(c.sequences("alice"), 2) })
			}
			for i, n := range all {
				if tt.ids[i].op == "" {
					require.Empty(t, n.envelopes, "who only relays takes nothing")
				}
				require.Zero(t, n.drops(In, FaultShape)+n.drops(In, FaultSignature))
			}
		})
	}
}

// distinct are these without those that came before.
func distinct(seqs []uint64) []uint64 { return slices.Compact(slices.Sorted(slices.Values(seqs))) }

// mesh are reactors whose peers hand messages over at once. It lives in a bubble
// of synctest: when all goroutines wait, nothing is on its way.
type mesh struct {
	t     *testing.T
	nodes []*Reactor
	recs  []*recorder
}

func newMesh(t *testing.T, tt topology) *mesh {
	m := &mesh{t: t}
	for i, id := range tt.ids {
		r, rec := lone(t, Options{Workers: 2}, defaultLimits())
		r.SetRoster(rosterOf(alice, bob, carol))
		if id.op != "" {
			require.NoError(t, r.SetSelf(id.self(peerName(i))))
		}
		require.NoError(t, r.Start())
		m.nodes, m.recs = append(m.nodes, r), append(m.recs, rec)
	}
	for _, l := range tt.links {
		m.link(l[0], l[1])
	}
	synctest.Wait()
	return m
}

func peerName(i int) cmtp2p.ID { return cmtp2p.ID(fmt.Sprintf("node%d", i)) }

func (m *mesh) link(i, j int) {
	atI, atJ := newFakePeer(string(peerName(j))), newFakePeer(string(peerName(i)))
	atI.send = func(msg proto.Message) bool { deliver(m.nodes[j], atJ, msg); return true }
	atJ.send = func(msg proto.Message) bool { deliver(m.nodes[i], atI, msg); return true }
	m.nodes[i].InitPeer(atI)
	m.nodes[j].InitPeer(atJ)
	m.nodes[i].AddPeer(atI)
	m.nodes[j].AddPeer(atJ)
}

func (m *mesh) relays() (n int) {
	for _, rec := range m.recs {
		n += rec.went("relay")
	}
	return n
}

// An envelope crosses each connection once each way, and then is gone. Where a copy that came a
// longer way is faster, the one that may go further passes once more.
func TestRelaysDoNotCirculate(t *testing.T) {
	for _, tt := range topologies {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMesh(t, tt)
				e := alice.envelope(wire.KIND_CONFIRM, "", 1, nil)
				last := 0
				for resend := range 3 {
					require.True(t, m.nodes[0].Send("bob", e))
					require.True(t, m.nodes[0].Send("bob", e), "a repeat is on its way already")
					synctest.Wait()
					relays := m.relays()
					require.Positive(t, relays-last)
					require.LessOrEqual(t, relays-last, 2*2*len(tt.links))
					last = relays
					for i, id := range tt.ids {
						want := 0
						if id.op == "bob" || id.op == "carol" {
							want = resend + 1
						}
						require.Len(t, m.recs[i].sequences("alice"), want, "node %d", i)
						require.Empty(t, m.recs[i].stopped)
					}
					time.Sleep(relayHoldMax)
					require.Equal(t, last, m.relays(), "nothing is on its way any more")
				}
			})
		})
	}
}

func TestHopsAreLimited(t *testing.T) {
	for sentries := MaxHops - 2; sentries <= MaxHops; sentries++ {
		t.Run(fmt.Sprint(sentries, " sentries"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt := topology{ids: []identity{alice}}
				for i := range sentries + 1 {
					tt.ids = append(tt.ids, nobody)
					tt.links = append(tt.links, [2]int{i, i + 1})
				}
				tt.ids[sentries+1] = bob
				m := newMesh(t, tt)
				require.True(t, m.nodes[0].Send("bob", alice.envelope(wire.KIND_READY, "bob", 1, nil)))
				synctest.Wait()
				arrived := len(m.recs[sentries+1].sequences("alice")) == 1
				require.Equal(t, sentries < MaxHops, arrived, "%d connections", sentries+1)
			})
		})
	}
}
