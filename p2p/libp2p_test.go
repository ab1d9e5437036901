package p2p

import (
	"fmt"
	"net"
	"testing"

	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/lp2p"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// libp2pSwitch runs a reactor, unchanged, on a libp2p switch of its own.
func libp2pSwitch(t *testing.T, r cmtp2p.Reactor, port int, key ed25519.PrivKey, peers []config.LibP2PBootstrapPeer) *lp2p.Switch {
	t.Helper()
	c := config.DefaultP2PConfig()
	c.ListenAddress = fmt.Sprintf("tcp://127.0.0.1:%d", port)
	c.ExternalAddress = c.ListenAddress
	c.LibP2PConfig.Enabled = true
	c.LibP2PConfig.BootstrapPeers = peers
	host, err := lp2p.NewHost(c, key, log.NewNopLogger())
	require.NoError(t, err)
	sw, err := lp2p.NewSwitch(cmtp2p.DefaultNodeInfo{}, host, []lp2p.SwitchReactor{{Name: "MPC", Reactor: r}}, cmtp2p.NopMetrics(), log.NewNopLogger())
	require.NoError(t, err)
	return sw
}

func freeUDPPort(t *testing.T) int {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

// No order, base58 ids, peers without a channel list, a TrySend that blocks.
func TestOnLibP2P(t *testing.T) {
	keys := []ed25519.PrivKey{ed25519.GenPrivKey(), ed25519.GenPrivKey()}
	ports := []int{freeUDPPort(t), freeUDPPort(t)}
	ids := make([]string, 2)
	var peers []config.LibP2PBootstrapPeer
	for i, key := range keys {
		id, err := lp2p.IDFromPrivateKey(key)
		require.NoError(t, err)
		ids[i] = id.String()
		peers = append(peers, config.LibP2PBootstrapPeer{Host: fmt.Sprintf("127.0.0.1:%d", ports[i]), ID: ids[i], Persistent: true})
	}
	reactors, recorders := make([]*Reactor, 2), make([]*recorder, 2)
	for i, id := range []identity{alice, bob} {
		rec := newRecorder()
		r := NewReactor(Options{ChainID: chain, Metrics: rec})
		r.SetSink(rec)
		r.SetRoster(rosterOf(alice, bob))
		require.NoError(t, r.SetSelf(id.self(cmtp2p.ID(ids[i]))))
		sw := libp2pSwitch(t, r, ports[i], keys[i], peers)
		require.NoError(t, sw.Start())
		t.Cleanup(func() { require.NoError(t, sw.Stop()) })
		reactors[i], recorders[i] = r, rec
	}
	for _, r := range reactors {
		eventually(t, "the other is reachable", func() bool { return len(r.Reachable()) == 1 })
	}
	for seq := range uint64(100) {
		require.True(t, reactors[0].Send("bob", alice.envelope(wire.KIND_ROUND, "bob", seq, make([]byte, 1000))))
		reactors[1].Gossip(bob.attestation(uint32(seq)))
	}
	require.True(t, reactors[0].Send("bob", alice.envelope(wire.KIND_ROUND, "bob", 100, make([]byte, MaxRoundBody))))
	eventually(t, "all arrive", func() bool { return len(recorders[1].sequences("alice")) == 101 && recorders[0].gossiped() == 100 })
}
