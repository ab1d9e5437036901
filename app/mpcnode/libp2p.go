package mpcnode

import (
	"context"
	"fmt"
	"net"

	cmtp2p "github.com/cometbft/cometbft/p2p"

	cmtlog "github.com/cosmos/cosmos-sdk/server/log"

	"github.com/sequencer-mpc/sequencer/p2p"
)

// What carries the MPC channel.
const (
	// TransportComet: CometBFT's connections.
	TransportComet = "comet"
	// TransportLibP2P: a libp2p switch beside CometBFT.
	TransportLibP2P = "libp2p"
)

// checkTransport names the first setting of the transport that cannot work.
func (c Config) checkTransport() error {
	switch c.Transport {
	case TransportComet:
		return nil
	case TransportLibP2P:
	default:
		return fmt.Errorf("transport is %q, not %q or %q", c.Transport, TransportComet, TransportLibP2P)
	}
	if _, _, err := net.SplitHostPort(c.LibP2PListen); err != nil {
		return fmt.Errorf("libp2p-listen is no address such as 0.0.0.0:26670: %w", err)
	}
	if c.LibP2PExternal != "" {
		if _, _, err := net.SplitHostPort(c.LibP2PExternal); err != nil {
			return fmt.Errorf("libp2p-external is no address such as 192.0.2.1:26670: %w", err)
		}
	}
	if _, err := p2p.ParseLibP2PPeers(c.LibP2PPeers); err != nil {
		return fmt.Errorf("libp2p-peers: %w", err)
	}
	return nil
}

// peerID is the id under which peers see a node.
func (c Config) peerID(key *cmtp2p.NodeKey) (string, error) {
	if c.Transport == TransportLibP2P {
		return p2p.LibP2PID(key.PrivKey)
	}
	return string(key.ID()), nil
}

// listen opens the port of the libp2p switch; nil if CometBFT carries the channel.
func (m *member) listen() (*p2p.LibP2P, error) {
	if m.cfg.Transport != TransportLibP2P {
		return nil, nil
	}
	peers, err := p2p.ParseLibP2PPeers(m.cfg.LibP2PPeers)
	if err != nil {
		return nil, fmt.Errorf("section [mpc] of app.toml: libp2p-peers: %w", err)
	}
	return p2p.NewLibP2P(p2p.LibP2POptions{
		Key: m.nodeKey.PrivKey, Listen: m.cfg.LibP2PListen, External: m.cfg.LibP2PExternal, Peers: peers,
		Logger: cmtlog.CometLoggerWrapper{Logger: m.svrLog.With("module", "mpc-libp2p")},
	}, m.reactor)
}

// runSwitch runs the libp2p switch until the context ends. One that fails is no
// reason to stop a validator.
func (m *member) runSwitch(ctx context.Context, s *p2p.LibP2P) error {
	m.log.Info("MPC goes over libp2p", "id", m.peerID, "listen", m.cfg.LibP2PListen)
	if err := safely(m.log, "the libp2p switch", func() error { return s.Run(ctx) }); err != nil {
		m.log.Error("the libp2p switch of MPC failed; this node takes part in no keys and signatures until it is started again, and goes on with the chain", "err", err)
	}
	return nil
}
