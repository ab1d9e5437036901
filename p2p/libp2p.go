package p2p

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/lp2p"
	cmtp2p "github.com/cometbft/cometbft/p2p"
)

const (
	// libp2pStreams is how many streams a peer may have open: more than the guard lets
	// it have (openStreams), or those beyond it would be refused without anybody hearing
	// of them.
	libp2pStreams = 2 * openStreams
	// libp2pGuests is how many connections of peers that are in nobody's list may
	// be there at a time, on their way out.
	libp2pGuests = 16
)

// LibP2POptions say where a libp2p switch listens, and who its peers are. There
// is no peer exchange: two nodes are connected if each has the other in its list.
type LibP2POptions struct {
	// Key is the node key.
	Key crypto.PrivKey
	// Listen is the address of a UDP port, such as 0.0.0.0:26670.
	Listen string
	// External is what peers are told, if that is another address.
	External string
	Peers    []LibP2PPeer
	// Logger gets what the switch says, the same message not more often than every
	// few seconds in the long run.
	Logger log.Logger
}

// LibP2PPeer is where a node listens. The host is a name or an IPv4 address.
type LibP2PPeer struct{ ID, Address string }

// LibP2PID is the id of a node on libp2p.
func LibP2PID(key crypto.PrivKey) (string, error) {
	id, err := lp2p.IDFromPrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("make a libp2p id of the node key: %w", err)
	}
	return id.String(), nil
}

// ParseLibP2PPeers reads ID@HOST:PORT,ID@HOST:PORT and so on.
func ParseLibP2PPeers(list string) ([]LibP2PPeer, error) {
	var peers []LibP2PPeer
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		id, address, ok := strings.Cut(entry, "@")
		if !ok {
			return nil, fmt.Errorf("peer %.100q is not of the form ID@HOST:PORT", entry)
		}
		if _, err := lp2p.AddrInfoFromHostAndID(address, id); err != nil {
			return nil, fmt.Errorf("peer %.100q is not of the form ID@HOST:PORT with a libp2p id: %w", entry, err)
		}
		peers = append(peers, LibP2PPeer{id, address})
	}
	return peers, nil
}

// LibP2P runs a reactor on a libp2p switch of its own, beside CometBFT's.
type LibP2P struct {
	host   *lp2p.Host
	sw     *lp2p.Switch
	redial *redialer
}

// NewLibP2P listens. Run or Close it.
func NewLibP2P(opts LibP2POptions, r *Reactor) (*LibP2P, error) {
	cfg := config.DefaultP2PConfig()
	cfg.ListenAddress, cfg.ExternalAddress = opts.Listen, opts.External
	cfg.LibP2PConfig.Enabled = true
	cfg.LibP2PConfig.Limits = config.LibP2PLimits{
		Mode: config.LibP2PLimitsModeCustom, MaxPeers: len(opts.Peers) + libp2pGuests, MaxPeerStreams: libp2pStreams,
	}
	for _, p := range opts.Peers {
		cfg.LibP2PConfig.BootstrapPeers = append(cfg.LibP2PConfig.BootstrapPeers,
			config.LibP2PBootstrapPeer{Host: p.Address, ID: p.ID}) // not persistent: see redialer
	}
	logger := newSparingLog(opts.Logger, r.opts.Now)
	host, err := lp2p.NewHost(cfg, opts.Key, logger)
	if err != nil {
		return nil, fmt.Errorf("listen for libp2p on %s (UDP): %w", opts.Listen, err)
	}
	guarded, err := guardStreams(host, r)
	if err != nil {
		return nil, errors.Join(err, host.Close())
	}
	cool := coolReactor{r, newCooldown(r)}
	host = cool.guard(guarded)
	sw, err := lp2p.NewSwitch(cmtp2p.DefaultNodeInfo{}, host, []lp2p.SwitchReactor{{Name: "MPC", Reactor: cool}}, cmtp2p.NopMetrics(), logger)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the libp2p switch: %w", err), host.Close())
	}
	redial, err := newRedialer(host, sw, cool)
	if err != nil {
		return nil, errors.Join(err, host.Close())
	}
	return &LibP2P{host, sw, redial}, nil
}

// Run starts the switch and the reactor, and stops them when the context ends.
func (l *LibP2P) Run(ctx context.Context) error {
	if err := l.sw.Start(); err != nil {
		return errors.Join(fmt.Errorf("start the libp2p switch: %w", err), l.Close())
	}
	l.redial.run(ctx)
	<-ctx.Done()
	// A message may be stuck on its way to a peer that does not read. That ends
	// with the connection; the reactor waits for it when it stops.
	err := l.Close()
	return errors.Join(err, l.sw.Stop())
}

// Close ends all connections and stops listening.
func (l *LibP2P) Close() error {
	if err := l.host.Close(); err != nil {
		return fmt.Errorf("close the libp2p port: %w", err)
	}
	return nil
}
