package cli

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/audit"
)

// Command is "sequencerd mpc", for the root command of any chain: its PersistentPreRunE
// sets the SDK's client and server contexts, as every chain's does, with home, codec
// and interface registry. A chain adds more below it, such as PayloadCommand.
func Command(more ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mpc",
		Short: "Identity, keys and sessions of this node",
		Long: `Looks after this node's part in threshold keys.

A validator takes part in keys after its identity is registered on chain:

  sequencerd mpc identity             show the identity keys of this node
  sequencerd mpc register --from KEY  register the newest one

What all nodes agree on is asked of the chain: sequencerd query mpc --help.
What this node has and does is asked here.`,
		RunE: client.ValidateCmd,
	}
	cmd.AddCommand(
		identityCmd(), registerCmd(), revokeCmd(), addGenesisParticipantCmd(),
		statusCmd(), doctorCmd(), inspectCmd(), watchCmd(), keysCmd(), sessionsCmd(), libp2pIDCmd(), passphraseCmd(), backupCmd(), auditCmd(), databaseCmd(),
	)
	cmd.AddCommand(more...)
	speakOfProgram(cmd)
	return cmd
}

// nodeFiles are the [mpc] section and the files of a command's home.
type nodeFiles struct {
	home  string
	cfg   mpcnode.Config
	paths mpcnode.Paths
}

func (f nodeFiles) appToml() string { return filepath.Join(f.home, "config", "app.toml") }

// filesOf finds them, with the source of --mpc-passphrase in the section if the
// command has that flag and it is given.
func filesOf(cmd *cobra.Command) (nodeFiles, error) {
	home := client.GetClientContextFromCmd(cmd).HomeDir
	cfg, err := mpcnode.ReadConfig(server.GetServerContextFromCmd(cmd).Viper)
	if err != nil {
		return nodeFiles{}, err
	}
	if f := cmd.Flags().Lookup(flagPassphrase); f != nil && f.Value.String() != "" {
		cfg.Passphrase = f.Value.String()
		if _, err := mpcnode.ParsePassphraseSource(cfg.Passphrase); err != nil {
			return nodeFiles{}, fmt.Errorf("--%s: %w", flagPassphrase, err)
		}
	}
	return nodeFiles{home, cfg, cfg.PathsOf(home)}, nil
}

func identityCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "identity",
		Short: "Show this node's MPC identity keys",
		Long: `Shows the public identity keys of this node, the newest last. It needs no
passphrase and no running node.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filesOf(cmd)
			if err != nil {
				return err
			}
			keys, err := storage.ReadIdentityPublic(f.paths.Identity)
			if err != nil {
				return withRemedy(err, storage.ErrNoIdentity, "without one this node follows the chain only")
			}
			report := identityReport{File: f.paths.Identity}
			for _, k := range keys {
				report.Keys = append(report.Keys, hex.EncodeToString(k))
			}
			return show(cmd, report)
		},
	}
	addOutputFlag(cmd)
	cmd.AddCommand(identityCreateCmd(), identityRotateCmd())
	return cmd
}

// identityReport lists public keys, the newest last.
type identityReport struct {
	File string   `json:"file"`
	Keys []string `json:"keys"`
}

func (r identityReport) text() string {
	out := "identity  " + r.File + "\n"
	for i, k := range r.Keys {
		mark := ""
		if i == len(r.Keys)-1 {
			mark = "  (newest)"
		}
		out += "key       " + k + mark + "\n"
	}
	return out
}

func identityCreateCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make an identity, its database and first pre-parameters on a node without one",
		Long: `Makes the identity of a validator, the encrypted database and a first set of
pre-parameters, on a node that has none. Start the node again and register the identity afterwards.

Where the database is there and the identity is gone, it makes a new identity beside
it; give the passphrase that the database has. Shares are the operator's and are kept,
whichever identity speaks for it. Open requests that pinned the old identity go on
without this node. If a backup has the old identity, that one is better:
sequencerd mpc backup restore FOLDER --identity-only.

Where the identity is there and the database is gone, it changes nothing: see
sequencerd mpc database create.`,
		Args: cobra.NoArgs,
		RunE: createIdentity,
	}
	addPassphraseFlag(cmd, "written to app.toml")
	return cmd
}

func createIdentity(cmd *cobra.Command, _ []string) error {
	f, err := filesOf(cmd)
	if err != nil {
		return err
	}
	switch _, err := mpcnode.CheckWhole(f.paths); {
	case errors.Is(err, mpcnode.ErrNoIdentity):
		return identityBeside(cmd, f)
	case err != nil:
		return err // a database that is gone is not an identity's to make
	}
	identity, err := planIdentity(cmd)
	if err != nil {
		return err
	}
	defer identity.wipe()
	return identity.make(cmd)
}

// identityBeside makes a new identity for a database that has lost its own.
func identityBeside(cmd *cobra.Command, f nodeFiles) error {
	passphrase, err := f.readPassphrase()
	if err != nil {
		return err
	}
	defer types.Wipe(passphrase)
	key, err := mpcnode.CreateIdentityBeside(f.paths, passphrase)
	if err != nil {
		return err
	}
	f.record(cmd, mpcnode.KeyOperation(audit.IdentityMade, key))
	if err := mpcnode.StorePassphraseSource(f.appToml(), f.cfg.Passphrase); err != nil {
		return err
	}
	cmd.Printf(types.ForProgram("new identity key %s beside the database, which was kept with its shares\nnow start the node, then: sequencerd mpc register --from KEY\n"), hex.EncodeToString(key))
	return nil
}

func identityRotateCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Add a new identity key; the old ones serve the requests that pinned them",
		Long: `Adds a new identity key to this node's identity file. Then:

  1. start the node again, so that it has the key,
  2. sequencerd mpc register --from KEY, so that the chain knows it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filesOf(cmd)
			if err != nil {
				return err
			}
			if err := f.needIdentity(); err != nil {
				return err
			}
			passphrase, err := f.readPassphrase()
			if err != nil {
				return err
			}
			defer types.Wipe(passphrase)
			key, err := storage.AddIdentityKey(f.paths.Identity, passphrase, storage.Options{})
			if err != nil {
				return err
			}
			f.record(cmd, mpcnode.KeyOperation(audit.IdentityRotated, key))
			cmd.Printf(types.ForProgram("new identity key %s\nnow start the node again, then: sequencerd mpc register --from KEY\n"), hex.EncodeToString(key))
			return nil
		},
	}
	addPassphraseFlag(cmd, forThisCommand)
	return cmd
}

// withRemedy adds what to do if an error is of a kind.
func withRemedy(err, kind error, remedy string) error {
	if errors.Is(err, kind) {
		return fmt.Errorf("%w; %s", err, types.ForProgram(remedy))
	}
	return err
}
