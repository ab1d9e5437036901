package mpcnode

import (
	"context"
	"fmt"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	cmtnode "github.com/cometbft/cometbft/node"
	cmtp2p "github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/rpc/client/local"
	cmttypes "github.com/cometbft/cometbft/types"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/server/api"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	cmtlog "github.com/cosmos/cosmos-sdk/server/log"
	"github.com/cosmos/cosmos-sdk/telemetry"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/sequencer-mpc/sequencer/app/mpcnode/page"
	"github.com/sequencer-mpc/sequencer/mpc"
)

// postSetup is the SDK's hook for programs that add something to a node.
type postSetup = func(*server.Context, client.Context, context.Context, *errgroup.Group) error

// node is a running CometBFT node with its application, its servers and its
// engine. serve owns its goroutines.
type node struct {
	svrCtx    *server.Context
	clientCtx client.Context
	cfg       serverconfig.Config
	metrics   *telemetry.Metrics //nolint:staticcheck // the SDK's API server takes this type
	postSetup postSetup

	app    App
	vault  *Vault
	mpcCfg Config
	comet  *cmtnode.Node
	// wrapTransport may be nil.
	wrapTransport func(mpc.Transport) mpc.Transport
}

// run starts everything in the group and returns.
func (n *node) run(ctx context.Context, group *errgroup.Group) error {
	key, err := cmtp2p.LoadOrGenNodeKey(n.svrCtx.Config.NodeKeyFile())
	if err != nil {
		return fmt.Errorf("load the node key: %w", err)
	}
	m, err := newMember(n.mpcCfg, n.vault, n.app, key, n.svrCtx)
	if err != nil {
		return err
	}
	m.wrapTransport = n.wrapTransport
	if err := n.startComet(ctx, key, m.reactors()); err != nil {
		return err
	}
	if m.metrics != nil {
		blocks := &blockEvents{n.comet.EventBus(), m.blockLooks(), m.log, time.Now}
		group.Go(func() error { return blocks.run(ctx) })
	}
	if err := n.startServers(ctx, group, m); err != nil {
		return err
	}
	m.signs = &consensusKey{ask: n.comet.PrivValidator().GetPubKey}
	m.votedLately = func(validator []byte) bool { return votedLately(n.comet.BlockStore(), validator) }
	if public, err := m.signs.ask(); err == nil { // else a remote signer is away
		m.consensus = public.Address()
	}
	return m.start(ctx, group, n.comet.ConsensusReactor())
}

// startComet builds and starts the CometBFT node. Blocks that the application
// has not seen are replayed inside, before the reactor exists.
func (n *node) startComet(ctx context.Context, key *cmtp2p.NodeKey, reactors map[string]cmtp2p.Reactor) error {
	cfg := n.svrCtx.Config
	comet, err := cmtnode.NewNodeWithContext(ctx, cfg,
		privval.LoadOrGenFilePV(cfg.PrivValidatorKeyFile(), cfg.PrivValidatorStateFile()),
		key,
		proxy.NewLocalClientCreator(server.NewCometABCIWrapper(n.app)),
		func() (*cmttypes.GenesisDoc, error) { return readGenesis(cfg) },
		cmtcfg.DefaultDBProvider,
		cmtnode.DefaultMetricsProvider(cfg.Instrumentation),
		cmtlog.CometLoggerWrapper{Logger: n.svrCtx.Logger},
		cmtnode.CustomReactors(reactors),
	)
	if err != nil {
		return fmt.Errorf("make the CometBFT node: %w", err)
	}
	n.comet = comet
	if err := comet.Start(); err != nil {
		return fmt.Errorf("start the CometBFT node: %w", err)
	}
	dropEarlyPeers(comet.Switch(), n.svrCtx.Logger)
	return nil
}

// stopComet ends the CometBFT node, its reactors included, if it runs.
func (n *node) stopComet() {
	if n.comet == nil || !n.comet.IsRunning() {
		return
	}
	if err := n.comet.Stop(); err != nil {
		n.svrCtx.Logger.Error("stop the CometBFT node", "err", err)
	}
	n.comet.Wait()
}

func readGenesis(cfg *cmtcfg.Config) (*cmttypes.GenesisDoc, error) {
	genesis, err := genutiltypes.AppGenesisFromFile(cfg.GenesisFile())
	if err != nil {
		return nil, fmt.Errorf("read the genesis file: %w", err)
	}
	return genesis.ToGenesisDoc()
}

// startServers starts gRPC and REST as app.toml says.
func (n *node) startServers(ctx context.Context, group *errgroup.Group, m *member) error {
	clientCtx := n.clientCtx
	if n.cfg.API.Enable || n.cfg.GRPC.Enable {
		clientCtx = clientCtx.WithClient(local.New(n.comet))
		n.app.RegisterTxService(clientCtx)
		n.app.RegisterTendermintService(clientCtx)
		n.app.RegisterNodeService(clientCtx, n.cfg)
	}
	grpcServer, clientCtx, err := server.StartGrpcServer(ctx, group, n.cfg.GRPC, clientCtx, n.svrCtx, n.app)
	if err != nil {
		return fmt.Errorf("start the gRPC server: %w", err)
	}
	n.startAPI(ctx, group, clientCtx, grpcServer, m)
	if n.postSetup != nil {
		return n.postSetup(n.svrCtx, clientCtx, ctx, group)
	}
	return nil
}

func (n *node) startAPI(ctx context.Context, group *errgroup.Group, clientCtx client.Context, grpcServer *grpc.Server, m *member) {
	if !n.cfg.API.Enable {
		return
	}
	s := api.New(clientCtx.WithHomeDir(n.svrCtx.Config.RootDir), n.svrCtx.Logger.With("module", "api-server"), grpcServer)
	n.app.RegisterAPIRoutes(s, n.cfg.API)
	if n.mpcCfg.showsPage(n.cfg.API.Address) {
		s.Router.PathPrefix(page.Path).Handler(n.mpcCfg.guardPage(page.Handler(m.pages.asker(n.comet.GenesisDoc().ChainID, clientCtx))))
	}
	if n.cfg.Telemetry.Enabled { //nolint:staticcheck // the operator's choice, deprecated or not
		s.SetTelemetry(n.metrics) //nolint:staticcheck // as above
	}
	group.Go(func() error { return s.Start(ctx, n.cfg) })
}
