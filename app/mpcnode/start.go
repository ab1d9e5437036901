package mpcnode

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
)

// Refusals of combinations in which MPC could not work.
var (
	// ErrLibP2P: CometBFT v0.40 drops custom reactors on its libp2p switch.
	ErrLibP2P = errors.New("p2p.libp2p.enabled: CometBFT does not run the MPC channel on its libp2p switch; set it to false in config.toml (transport = \"libp2p\" in section [mpc] of app.toml gives MPC a libp2p switch of its own), or enabled = false in section [mpc]")
	// ErrNoEmptyBlocks: attempts and expiries count blocks.
	ErrNoEmptyBlocks = errors.New("consensus.create_empty_blocks and consensus.create_empty_blocks_interval: while blocks wait for transactions, the clock of MPC requests stands still; set them to true and \"0s\" in config.toml, or enabled = false in section [mpc] of app.toml")
)

// AddCommands adds the SDK's commands of a node, as server.AddCommandsWithStartCmdOptions
// does, with StartCmd in the place of its start.
func AddCommands(root *cobra.Command, defaultHome string, creator servertypes.AppCreator, exporter servertypes.AppExporter, opts server.StartCmdOptions, more ...Option) {
	start := StartCmd(creator, defaultHome, opts, more...)
	server.AddCommandsWithStartCmdOptions(root, defaultHome, creator, exporter, opts)
	for _, c := range root.Commands() {
		if c.Name() == start.Name() {
			root.RemoveCommand(c)
		}
	}
	root.AddCommand(start)
}

// StartCmd is the SDK's start command with the node built here, so that the MPC
// reactor is part of it. What runs without CometBFT in the process
// (--with-comet=false, --grpc-only) has no MPC and goes to the SDK.
func StartCmd(creator servertypes.AppCreator, defaultHome string, opts server.StartCmdOptions, more ...Option) *cobra.Command {
	stock := server.StartCmdWithOptions(creator, defaultHome, opts)
	var own options
	for _, o := range more {
		o(&own)
	}
	opts.StartCommandHandler = own.start
	cmd := server.StartCmdWithOptions(creator, defaultHome, opts)
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		withComet, err := cmd.Flags().GetBool("with-comet")
		if err != nil {
			return err
		}
		grpcOnly, err := cmd.Flags().GetBool("grpc-only")
		if err != nil {
			return err
		}
		if !withComet || grpcOnly {
			if err := warnWithoutMPC(server.GetServerContextFromCmd(cmd)); err != nil {
				return err
			}
			return stock.RunE(cmd, args)
		}
		return run(cmd, args)
	}
	return cmd
}

// warnWithoutMPC says that a node with an identity is about to run without MPC.
func warnWithoutMPC(svrCtx *server.Context) error {
	cfg, err := ReadConfig(svrCtx.Viper)
	if err != nil {
		return err
	}
	paths := cfg.PathsOf(svrCtx.Config.RootDir)
	there, err := HasIdentity(paths)
	if err != nil {
		return err
	}
	if there && cfg.Enabled {
		svrCtx.Logger.Warn("this node has an MPC identity and takes part in no keys and signatures: MPC needs CometBFT in the same process; start it without --with-comet=false and --grpc-only", "identity", paths.Identity)
	}
	return nil
}

// start runs a node until it is told to stop. What is opened first is closed
// last: the engine ends before CometBFT, that before the application, that
// before the MPC database.
func (o options) start(svrCtx *server.Context, clientCtx client.Context, creator servertypes.AppCreator, _ bool, opts server.StartCmdOptions) (err error) {
	cfg, mpcCfg, err := readConfigs(svrCtx)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	vault, err := OpenVault(mpcCfg, svrCtx.Config.RootDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, vault.Close()) }()

	metrics, closeTelemetry, err := startTelemetry(svrCtx, cfg, clientCtx.HomeDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeTelemetry()) }()

	app, err := openApp(svrCtx, creator, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, app.Close()) }()

	return serve(ctx, stop, &node{
		svrCtx: svrCtx, clientCtx: clientCtx, cfg: cfg, metrics: metrics, postSetup: opts.PostSetup,
		app: app, vault: vault, mpcCfg: mpcCfg, wrapTransport: o.wrapTransport,
	})
}

// serve runs everything that has a goroutine, and waits for all of it.
func serve(ctx context.Context, stop context.CancelFunc, n *node) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		<-ctx.Done()
		stop() // a second signal ends the process at once
		n.svrCtx.Logger.Info("stopping")
		return nil
	})
	err := n.run(ctx, group)
	if err != nil {
		stop()
	}
	err = errors.Join(err, group.Wait())
	n.stopComet()
	return err
}

// readConfigs reads app.toml and refuses what cannot work before anything is
// opened.
func readConfigs(svrCtx *server.Context) (serverconfig.Config, Config, error) {
	cfg, err := serverconfig.GetConfig(svrCtx.Viper)
	if err != nil {
		return cfg, Config{}, fmt.Errorf("read app.toml: %w", err)
	}
	if err := cfg.ValidateBasic(); err != nil {
		return cfg, Config{}, fmt.Errorf("check app.toml: %w", err)
	}
	mpcCfg, err := ReadConfig(svrCtx.Viper)
	if err != nil {
		return cfg, Config{}, err
	}
	return cfg, mpcCfg, CheckComet(mpcCfg, svrCtx.Config)
}

// CheckComet refuses CometBFT settings that MPC cannot work with.
func CheckComet(mpc Config, comet *cmtcfg.Config) error {
	switch {
	case !mpc.Enabled:
		return nil
	case comet.P2P.LibP2PEnabled():
		return ErrLibP2P
	case comet.Consensus.WaitForTxs():
		return ErrNoEmptyBlocks
	}
	return nil
}

// openApp opens the state and makes the application on it.
func openApp(svrCtx *server.Context, creator servertypes.AppCreator, opts server.StartCmdOptions) (App, error) {
	db, err := opts.DBOpener(svrCtx.Config.RootDir, server.GetAppDBBackend(svrCtx.Viper))
	if err != nil {
		return nil, fmt.Errorf("open the application's database (is another node running on this home?): %w", err)
	}
	made := creator(svrCtx.Logger, db, svrCtx.Viper)
	app, ok := made.(App)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the application (%T) does not implement mpcnode.App", made), made.Close())
	}
	return app, nil
}
