package e2e

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/libs/log"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/version"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/p2p"
)

const (
	// floodTimeLimit is some four times what the test takes on two cores.
	floodTimeLimit = 8 * time.Minute
	// floodedBlocks measure the network under a flood.
	floodedBlocks = 20
	// flooders send to each validator at a time.
	flooders = 2
)

// Peers that send as fast as their connections take it, and come back under a new
// name whenever they are stopped, neither hold up blocks nor a key.
func TestFlood(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), floodTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.Validators = 3
	cfg.Tune = func(_ int, c *localnet.NodeConfig) { c.App.MPC.PreparamsTarget = 1 }
	n := startNetwork(t, ctx, cfg)
	idle := n.measureIdle(ctx)

	floodCtx, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	var mu sync.Mutex
	connections := 0
	for i := range n.Len() {
		for range flooders {
			wait.Go(func() {
				for floodCtx.Err() == nil {
					flood(floodCtx, cfg.ChainID, n.Node(i))
					mu.Lock()
					connections++
					mu.Unlock()
				}
			})
		}
	}
	from := n.height(ctx)
	require.NoError(t, n.WaitHeight(ctx, from+floodedBlocks))
	busy := measure(t, ctx, n.Node(0), from, from+floodedBlocks)
	t.Logf("block interval, idle: %s", idle)
	t.Logf("block interval, flooded: %s", busy)
	t.Logf("95th percentile flooded over idle: x%.2f", float64(busy.p95())/float64(idle.p95()))
	require.LessOrEqual(t, busy.p95(), maxSlowdown*idle.p95())

	took := time.Now()
	key := n.makeKey(ctx, "key", 1)
	some := digests("flooded", 2)
	n.askSignatures(ctx, key.Id, some)
	n.awaitSignatures(ctx, key, some)
	mu.Lock()
	defer mu.Unlock()
	t.Logf("a key and %d signatures under the flood: %.1f s; %d connections were made", len(some), time.Since(took).Seconds(), connections)
	require.Greater(t, connections, n.Len()*flooders, "flooders are stopped")
}

// flood connects with a node as a peer with a new name, and sends what looks
// valid until it is stopped.
func flood(ctx context.Context, chainID string, node *localnet.Node) {
	c := config.DefaultP2PConfig()
	c.SendRate = 1 << 30
	key := cmtp2p.NodeKey{PrivKey: ed25519.GenPrivKey()}
	info := cmtp2p.DefaultNodeInfo{
		ProtocolVersion: cmtp2p.NewProtocolVersion(version.P2PProtocol, version.BlockProtocol, 0),
		DefaultNodeID:   key.ID(), ListenAddr: "127.0.0.1:1", Network: chainID, Version: "1", Moniker: "flooder",
		Channels: []byte{p2p.ChannelID}, Other: cmtp2p.DefaultNodeInfoOther{TxIndex: "off"},
	}
	sw := cmtp2p.NewSwitch(c, cmtp2p.NewMultiplexTransport(info, key, cmtp2p.MConnConfig(c)))
	sw.SetLogger(log.NewNopLogger())
	sw.SetNodeKey(&key)
	sw.SetNodeInfo(info)
	sw.AddReactor("flooder", newFlooder())
	if err := sw.Start(); err != nil {
		return
	}
	defer func() { _ = sw.Stop() }()
	address, err := cmtp2p.NewNetAddressString(node.Info().NodeID + "@" + node.Info().P2P)
	if err != nil {
		return
	}
	if err := sw.DialPeerWithAddress(address); err != nil {
		return
	}
	identity := ed25519.GenPrivKey()
	h := &wire.Header{
		ChainId: chainID, Context: make([]byte, 32), Kind: wire.KIND_READY, From: "seqvaloper1nobody", To: node.Info().Operator,
		RequestKind: uint32(types.KindSign), RequestId: "flood",
	}
	e := types.SignEnvelope(h, make([]byte, 32), []byte(identity))
	for ctx.Err() == nil {
		peer := sw.Peers().Get(address.ID)
		if peer == nil {
			return
		}
		peer.Send(cmtp2p.Envelope{ChannelID: p2p.ChannelID, Message: e})
	}
}

// flooder only has the channel.
type flooder struct{ cmtp2p.BaseReactor }

func newFlooder() *flooder {
	f := &flooder{}
	f.BaseReactor = *cmtp2p.NewBaseReactor("flooder", f)
	return f
}

func (*flooder) GetChannels() []*cmtp2p.ChannelDescriptor {
	return []*cmtp2p.ChannelDescriptor{{
		ID: p2p.ChannelID, Priority: 1, SendQueueCapacity: 1000, RecvMessageCapacity: p2p.MaxMessageBytes, MessageType: &wire.Message{},
	}}
}
