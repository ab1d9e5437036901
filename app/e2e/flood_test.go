package e2e

import (
	"context"
	stded25519 "crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/libs/log"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/version"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/p2p"
	"github.com/sequencer-mpc/sequencer/storage"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// floodedBlocks at least measure the network under a flood.
	floodedBlocks = 20
	// flooders send to each node at a time, each what one of the sorts has.
	flooders = 2
	// messages are those of one flooder, again and again.
	messages = 1000
	// maxStretch bounds the longest interval under a flood, which the 95th percentile does not: a
	// block after three rounds that failed.
	maxStretch = 4 * maxIdle
	// farAttempt is one that no request gets to.
	farAttempt = 1 << 20
	// failedRounds are how many rounds may fail for a hundred blocks under a flood.
	failedRounds = 20
)

// flooding goes on until it is stopped.
type flooding struct {
	ctx  context.Context
	stop context.CancelFunc
	wait sync.WaitGroup
	// connections were made so far.
	connections atomic.Int64
}

// speaker is whose words a flooder says.
type speaker struct {
	operator string
	identity stded25519.PrivateKey
	// requests for signatures are open ones that the words are for, in turn; none: each word is
	// for another one that nobody made.
	requests []string
	// proves: the flooder's connections say whose they are, and prove it.
	proves bool
}

// flood has peers that send to all nodes as fast as their connections take it, and
// come back under a new name whenever they are stopped. Half of them say what a
// stranger signed, half of them what a registered participant did: another validator
// than the one that hears it, with its true identity.
func (n *network) flood(ctx context.Context) *flooding {
	f := &flooding{}
	f.ctx, f.stop = context.WithCancel(ctx)
	n.t.Cleanup(f.end)
	for i := range n.Len() {
		member := n.Node((i + 1) % n.Len())
		for _, s := range [flooders]speaker{
			{operator: "seqvaloper1nobody", identity: stded25519.NewKeyFromSeed(make([]byte, stded25519.SeedSize))},
			{operator: member.Info().Operator, identity: identityOf(n.t, member)},
		} {
			f.by(n.t, s, n.Manifest().ChainID, n.Node(i))
		}
	}
	return f
}

// floodAs has a validator flood all others besides, on connections that they know for its own,
// with words for requests that are open, or soon are. What it is sent goes to these connections
// now: it takes no part in what the others do.
func (n *network) floodAs(f *flooding, member int, requests ...string) {
	s := speaker{operator: n.Node(member).Info().Operator, identity: identityOf(n.t, n.Node(member)), requests: requests, proves: true}
	for i := range n.Len() {
		if i != member {
			f.by(n.t, s, n.Manifest().ChainID, n.Node(i))
		}
	}
}

// by has one more peer flood a node.
func (f *flooding) by(t *testing.T, s speaker, chainID string, to *localnet.Node) {
	t.Helper()
	words := s.words(t, chainID, to.Info().Operator)
	f.wait.Go(func() {
		for f.ctx.Err() == nil {
			s.flood(f.ctx, chainID, to, words)
			f.connections.Add(1)
		}
	})
}

// identityOf is the private half of a node's registered identity.
func identityOf(t *testing.T, node *localnet.Node) stded25519.PrivateKey {
	t.Helper()
	cfg, home := mpcnode.DefaultConfig(), node.Info().Home
	cfg.Passphrase = "file:config/mpc.pass"
	passphrase, err := mpcnode.ReadPassphrase(cfg, home)
	require.NoError(t, err)
	identity, err := storage.LoadIdentity(cfg.PathsOf(home).Identity, passphrase)
	require.NoError(t, err)
	return identity.Current()
}

// words are envelopes of the kinds that a member sends, each another one, validly
// signed by the speaker under its first identity. Those that lead an attempt of a request that is
// open lead one whose time has not come: who leads one in its turn with rubbish is a liar, and
// nobody signs with it any more.
func (s speaker) words(t *testing.T, chainID, to string) []*wire.Envelope {
	t.Helper()
	kinds := []wire.Kind{
		wire.KIND_READY, wire.KIND_ROUND, wire.KIND_CONFIRM, wire.KIND_WORKING, wire.KIND_REFUSE, wire.KIND_PREPARE, wire.KIND_START,
	}
	words := make([]*wire.Envelope, messages)
	for i := range words {
		h := &wire.Header{
			ChainId: chainID, Context: make([]byte, 32), Kind: kinds[i%len(kinds)], From: s.operator, IdentityVersion: 1, To: to,
			Sequence: uint64(i), RequestKind: uint32(types.KindSign), RequestId: fmt.Sprint("flood-", i),
		}
		copy(h.Context, h.RequestId)
		if len(s.requests) > 0 {
			h.RequestId = s.requests[i/len(kinds)%len(s.requests)]
		}
		body, err := make([]byte, 32), error(nil)
		switch h.Kind {
		case wire.KIND_ROUND:
			h.Type = "kg1"
		case wire.KIND_PREPARE:
			prepare := wire.Prepare{Attempt: farAttempt, Nonce: h.Context, EphemeralKey: append([]byte{9}, make([]byte, 31)...)}
			h.To, h.Context = "", make([]byte, 32)
			body, err = prepare.Marshal()
		case wire.KIND_START:
			start := wire.Start{Prepare: words[i-1], Signers: []string{s.operator}}
			h.To = ""
			body, err = start.Marshal()
		}
		require.NoError(t, err)
		words[i] = types.SignEnvelope(h, body, s.identity)
	}
	return words
}

// hello says, and proves, that a connection of a peer with this id is the speaker's.
func (s speaker) hello(chainID string, id cmtp2p.ID) *wire.Hello {
	h := &wire.Hello{Operator: s.operator, IdentityVersion: 1, PeerId: string(id)}
	h.Signature = stded25519.Sign(s.identity, types.HelloSignBytes(chainID, types.Operator(s.operator), h.IdentityVersion, h.PeerId))
	return h
}

// end stops all peers and waits for them.
func (f *flooding) end() {
	f.stop()
	f.wait.Wait()
}

// makeKeyFlooded makes a key of all and signs with it under a flood, which neither
// holds up nor slows down blocks. While it signs one of the four floods itself.
func (n *network) makeKeyFlooded(ctx context.Context, idle intervals) mpctypes.Key {
	t := n.t
	f := n.flood(ctx)
	began, from := time.Now(), n.height(ctx)
	key := n.makeKey(ctx, "key", 2)
	some := digests("flooded", 2)
	n.floodAs(f, n.Len()-1, slices.Collect(maps.Keys(some))...)
	n.askSignatures(ctx, key.Id, some)
	n.awaitSignatures(ctx, key, some)
	took := time.Since(began)
	to := max(n.height(ctx), from+floodedBlocks)
	require.NoError(t, n.WaitHeight(ctx, to))
	f.end()
	busy := measure(t, ctx, n.Node(0), from, to)
	t.Logf("a key of 4 and %d signatures under a flood: %.1f s; %d connections were made", len(some), took.Seconds(), f.connections.Load())
	t.Logf("block interval, flooded: %s", busy)
	t.Logf("95th percentile flooded over idle: x%.2f, where no round failed x%.2f", float64(busy.p95())/float64(idle.p95()), busy.smoothOver(idle))
	busy.requireNotSlowed(t, idle)
	require.LessOrEqual(t, busy.longest(), maxStretch, busy.String())
	require.LessOrEqual(t, busy.failed()*100, failedRounds*len(busy.all), busy.String())
	require.Greater(t, f.connections.Load(), int64(n.Len()*flooders), "flooders are stopped")
	served := n.get(ctx, n.Node(1).Info().Prometheus)
	require.Regexp(t, counted(p2p.DropUnknownSender), served, "the stranger's words")
	require.Regexp(t, counted(p2p.FaultFlood), served, "who goes on is stopped")
	require.Regexp(t, counted(types.ErrUnknownRequest), served, "the engine hears the member, and has no use for it")
	require.Regexp(t, `(?m)^sequencer_mpc_channel_bytes_total\{.*direction="out",type="refuse"\} [1-9]`, served, "who leads out of turn is told so")
	require.NotRegexp(t, counted(p2p.FaultSignature), served, "the participant's are as they should be")
	require.NotRegexp(t, counted(p2p.FaultShape), served)
	return key
}

// counted is a counter of what is dropped for a reason that is not 0.
func counted(reason types.Reason) string {
	return fmt.Sprintf(`(?m)^sequencer_mpc_dropped_total\{.*reason="%s".*\} [1-9]`, reason)
}

// flood connects with a node as a peer with a new name, and says the same words again
// and again until it is stopped.
func (s speaker) flood(ctx context.Context, chainID string, node *localnet.Node, words []*wire.Envelope) {
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
	if peer := sw.Peers().Get(address.ID); peer != nil && s.proves {
		peer.Send(cmtp2p.Envelope{ChannelID: p2p.ChannelID, Message: s.hello(chainID, key.ID())})
	}
	for i := 0; ctx.Err() == nil; i++ {
		peer := sw.Peers().Get(address.ID)
		if peer == nil {
			return
		}
		peer.Send(cmtp2p.Envelope{ChannelID: p2p.ChannelID, Message: words[i%len(words)]})
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
