package localnet

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	cmtp2p "github.com/cometbft/cometbft/p2p"

	clientconfig "github.com/cosmos/cosmos-sdk/client/config"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	"github.com/cosmos/cosmos-sdk/x/genutil"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
)

// passphraseFile is below a node's home.
const passphraseFile = "config/mpc.pass"

// NodeConfig is everything that a node is configured by.
type NodeConfig struct {
	Comet *cmtcfg.Config
	App   *mpcnode.AppConfig
}

// newInfo names the files and addresses of a node.
func newInfo(dir, name string) (Info, error) {
	ports, err := freePorts(portsPerNode)
	if err != nil {
		return Info{}, err
	}
	return Info{
		Name: name, Home: filepath.Join(dir, name), Log: filepath.Join(dir, name+".log"),
		P2P: ports[0], RPC: "tcp://" + ports[1], GRPC: ports[2], REST: "http://" + ports[3], Prometheus: "http://" + ports[4] + "/metrics",
	}, nil
}

// configOf is the configuration of one of some nodes on this machine: everything
// on loopback, many nodes on one address allowed, its ports its own, and its
// part of the cores.
func configOf(info Info, cfg *Config, nodes int) NodeConfig {
	c := cmtcfg.DefaultConfig()
	c.SetRoot(info.Home)
	c.Moniker = info.Name
	c.Consensus.TimeoutCommit = cfg.BlockTime
	// On loopback, a proposer that says nothing for a second is away, and votes
	// that are not there after a third of one will not come.
	c.Consensus.TimeoutPropose = time.Second
	c.Consensus.TimeoutPrevote = 300 * time.Millisecond
	c.Consensus.TimeoutPrecommit = 300 * time.Millisecond
	c.P2P.ListenAddress = "tcp://" + info.P2P
	c.P2P.AddrBookStrict = false
	c.P2P.AllowDuplicateIP = true
	c.RPC.ListenAddress = info.RPC
	c.RPC.PprofListenAddress = ""
	c.Instrumentation.Prometheus = true
	c.Instrumentation.PrometheusListenAddr = strings.TrimSuffix(strings.TrimPrefix(info.Prometheus, "http://"), "/metrics")

	a := mpcnode.DefaultAppConfig(app.MinGasPrice)
	a.API.Enable = true
	a.API.Address = "tcp://" + strings.TrimPrefix(info.REST, "http://")
	a.GRPC.Address = info.GRPC
	a.MPC.Passphrase = "file:" + passphraseFile
	a.MPC.LogRounds = true
	if info.LibP2P != "" {
		a.MPC.Transport, a.MPC.LibP2PListen = mpcnode.TransportLibP2P, info.LibP2P
	}
	a.MPC.Parallel = max(1, cfg.cores()/nodes)
	return NodeConfig{c, &a}
}

// makeHome makes a node's folders and the keys of CometBFT, and finds what the
// node needs for a transport.
func makeHome(info *Info, transport string) (cryptotypes.PubKey, error) {
	c := cmtcfg.DefaultConfig()
	c.SetRoot(info.Home)
	for _, dir := range []string{"config", "data"} {
		if err := os.MkdirAll(filepath.Join(info.Home, dir), 0o700); err != nil {
			return nil, fmt.Errorf("make the home of %s: %w", info.Name, err)
		}
	}
	id, key, err := genutil.InitializeNodeValidatorFiles(c)
	if err != nil {
		return nil, fmt.Errorf("make the keys of %s: %w", info.Name, err)
	}
	info.NodeID = id
	if transport == mpcnode.TransportLibP2P {
		return key, findLibP2P(info, c.NodeKeyFile())
	}
	return key, nil
}

// findLibP2P finds a port and the id of a node on libp2p.
func findLibP2P(info *Info, nodeKeyFile string) (err error) {
	key, err := cmtp2p.LoadNodeKey(nodeKeyFile)
	if err != nil {
		return fmt.Errorf("load the node key of %s: %w", info.Name, err)
	}
	if info.LibP2PID, err = p2p.LibP2PID(key.PrivKey); err != nil {
		return err
	}
	info.LibP2P, err = freeUDPPort()
	return err
}

// writeConfigs writes config.toml, app.toml and client.toml.
func writeConfigs(info Info, cfg NodeConfig, chainID string) error {
	dir := filepath.Join(info.Home, "config")
	cmtcfg.WriteConfigFile(filepath.Join(dir, "config.toml"), cfg.Comet)
	mpcnode.WriteAppConfig(filepath.Join(dir, "app.toml"), *cfg.App)
	c := clientconfig.DefaultConfig()
	text := fmt.Sprintf("chain-id = %q\nkeyring-backend = %q\nkeyring-default-keyname = \"\"\noutput = %q\nnode = %q\nbroadcast-mode = %q\n",
		chainID, keyringBackend, c.Output, info.RPC, c.BroadcastMode)
	if err := os.WriteFile(filepath.Join(dir, "client.toml"), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write client.toml of %s: %w", info.Name, err)
	}
	return nil
}

// makeIdentity makes a node's MPC identity with a random passphrase and one set
// of pre-parameters, on one core. It proves the identity for an operator.
func makeIdentity(ctx context.Context, info Info, cfg mpcnode.Config, chainID string) (_ ed25519.PublicKey, proof []byte, err error) {
	secret := make([]byte, 24)
	if _, err := rand.Read(secret); err != nil {
		return nil, nil, fmt.Errorf("make a passphrase: %w", err)
	}
	passphrase := []byte(hex.EncodeToString(secret))
	defer types.Wipe(passphrase)
	if err := os.WriteFile(filepath.Join(info.Home, passphraseFile), passphrase, 0o600); err != nil {
		return nil, nil, fmt.Errorf("write the passphrase of %s: %w", info.Name, err)
	}
	vault, err := mpcnode.CreateVault(cfg, info.Home, passphrase)
	if err != nil {
		return nil, nil, fmt.Errorf("make the MPC identity of %s: %w", info.Name, err)
	}
	defer func() { err = errors.Join(err, vault.Close()) }()
	keys := vault.Keys()
	public, proof := mpcnode.ProveIdentity(keys[len(keys)-1], chainID, types.Operator(info.Operator))
	if err := mpcnode.AddPreparams(ctx, vault.Database(), 1, nil); err != nil {
		return nil, nil, fmt.Errorf("make pre-parameters of %s: %w", info.Name, err)
	}
	return public, proof, nil
}
