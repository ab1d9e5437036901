package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

const (
	flagNoMPC      = "no-mpc"
	flagPassphrase = "mpc-passphrase"
)

// initCmd is the SDK's init, with this chain's consensus parameters and an MPC
// identity.
func initCmd(a *app.App) *cobra.Command {
	cmd := genutilcli.InitCmd(a.Basics(), app.DefaultHome)
	stock := cmd.RunE
	cmd.Short = "Make the files of a new node: keys, genesis, configuration, MPC identity"
	cmd.Long = `Makes the files of a new node in its home: the keys of CometBFT, a genesis file
without accounts, config.toml, app.toml, client.toml, and for validators the MPC
identity with an encrypted database and a first set of pre-parameters, which
takes some seconds on each core.

The passphrase protects identity and key shares and is needed at each start.
Without it they are lost. A node that only follows the chain needs neither:
--no-mpc.

A passphrase file is there before init, lies below the home unless its path is
absolute, and only its owner can read it.`
	cmd.Example = `  sequencerd init alice --chain-id seq-1

  # with a passphrase file; keep a copy of it elsewhere
  mkdir -p ~/.sequencer/config
  (umask 077; openssl rand -base64 32 > ~/.sequencer/config/mpc.pass)
  sequencerd init alice --chain-id seq-1 --mpc-passphrase file:config/mpc.pass

  # a node that only follows the chain
  sequencerd init sentry --chain-id seq-1 --no-mpc`
	cmd.Flags().Bool(flagNoMPC, false, "make no MPC identity: the node follows the chain and passes MPC messages on")
	cmd.Flags().String(flagPassphrase, "", `where the passphrase comes from: prompt, file:PATH, env:NAME or credential:NAME; written to app.toml (default: what app.toml says)`)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		noMPC, err := cmd.Flags().GetBool(flagNoMPC)
		if err != nil {
			return err
		}
		if !noMPC {
			if err := checkPassphrase(cmd); err != nil {
				return err
			}
		}
		if err := stock(cmd, args); err != nil {
			return err
		}
		if err := setConsensusParams(server.GetServerContextFromCmd(cmd).Config.GenesisFile()); err != nil || noMPC {
			return err
		}
		return createIdentity(cmd)
	}
	return cmd
}

// checkPassphrase fails if a new identity needs a passphrase that cannot be had.
// A command that noticed later would leave half a node.
func checkPassphrase(cmd *cobra.Command) error {
	home := client.GetClientContextFromCmd(cmd).HomeDir
	cfg, err := passphraseFlag(cmd)
	if err != nil {
		return err
	}
	there, err := mpcnode.HasIdentity(cfg.PathsOf(home))
	if err != nil || there {
		return err
	}
	source, err := mpcnode.ParsePassphraseSource(cfg.Passphrase)
	if err != nil {
		return err
	}
	return source.Check(home)
}

// setConsensusParams replaces CometBFT's defaults in a genesis file by ours, all
// but the kind of consensus keys, which is a flag.
func setConsensusParams(path string) error {
	genesis, err := genutiltypes.AppGenesisFromFile(path)
	if err != nil {
		return fmt.Errorf("read the genesis file: %w", err)
	}
	params := app.ConsensusParams()
	params.Validator = genesis.Consensus.Params.Validator
	genesis.Consensus.Params = params
	if err := genesis.SaveAs(path); err != nil {
		return fmt.Errorf("write the genesis file: %w", err)
	}
	return nil
}

// createIdentity makes identity, database and a first set of pre-parameters in
// the home of a command, unless there is an identity.
func createIdentity(cmd *cobra.Command) (err error) {
	home := client.GetClientContextFromCmd(cmd).HomeDir
	cfg, err := passphraseFlag(cmd)
	if err != nil {
		return err
	}
	if err := writePassphrase(cmd, home, cfg.Passphrase); err != nil {
		return err
	}
	paths := cfg.PathsOf(home)
	there, err := mpcnode.HasIdentity(paths)
	if err != nil {
		return err
	}
	if there {
		fmt.Fprintf(cmd.ErrOrStderr(), "kept the MPC identity %s\n", paths.Identity)
		return nil
	}
	source, err := mpcnode.ParsePassphraseSource(cfg.Passphrase)
	if err != nil {
		return err
	}
	passphrase, err := source.ReadNew(home, "the new MPC folder "+paths.Folder)
	if err != nil {
		return err
	}
	defer types.Wipe(passphrase)
	vault, err := mpcnode.CreateVault(cfg, home, passphrase)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, vault.Close()) }()
	fmt.Fprintf(cmd.ErrOrStderr(), "made the MPC identity %s\n", paths.Identity)
	return firstPreparams(cmd, vault)
}

// passphraseFlag is the [mpc] section with --mpc-passphrase in it.
func passphraseFlag(cmd *cobra.Command) (mpcnode.Config, error) {
	cfg, err := mpcnode.ReadConfig(server.GetServerContextFromCmd(cmd).Viper)
	if err != nil {
		return cfg, err
	}
	text, err := cmd.Flags().GetString(flagPassphrase)
	if err != nil || text == "" {
		return cfg, err
	}
	cfg.Passphrase = text
	return cfg, cfg.Validate()
}

// writePassphrase writes where the passphrase comes from into app.toml, so that
// start finds the same one that init used.
func writePassphrase(cmd *cobra.Command, home, source string) error {
	file := mpcnode.DefaultAppConfig(app.MinGasPrice)
	if err := server.GetServerContextFromCmd(cmd).Viper.Unmarshal(&file); err != nil {
		return fmt.Errorf("read app.toml: %w", err)
	}
	if file.MPC.Passphrase == source {
		return nil
	}
	file.MPC.Passphrase = source
	mpcnode.WriteAppConfig(filepath.Join(home, "config", "app.toml"), file)
	return nil
}

// firstPreparams fills the pool with one set, so that the first keygen need not
// wait, on all cores: no node runs yet. Ctrl-C ends it: the node makes them when
// it runs.
func firstPreparams(cmd *cobra.Command, vault *mpcnode.Vault) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	out := cmd.ErrOrStderr()
	p := newProgress(out)
	err := mpcnode.AddPreparams(ctx, vault.Database(), runtime.GOMAXPROCS(0), p.show)
	p.done()
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(out, "stopped; the node makes pre-parameters when it runs, before its first keygen")
		return nil
	}
	return err
}

// progress shows how far the search for pre-parameters is: on a terminal on one
// line, elsewhere a line for each prime.
type progress struct {
	out      io.Writer
	terminal bool
	shown    string
	found    int
}

func newProgress(out io.Writer) *progress {
	f, ok := out.(*os.File)
	return &progress{out: out, terminal: ok && term.IsTerminal(int(f.Fd())), found: -1}
}

func (p *progress) show(s mpcnode.PreparamsProgress) {
	line := s.String()
	switch {
	case p.terminal && line != p.shown:
		fmt.Fprintf(p.out, "\r%-*s", len(p.shown), line)
	case !p.terminal && s.Found != p.found:
		fmt.Fprintln(p.out, line)
	}
	p.shown, p.found = line, s.Found
}

// done ends the line.
func (p *progress) done() {
	if p.terminal {
		fmt.Fprintln(p.out)
	}
}
