package cmd

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// flagAgeIdentity names a file with the private half of a recipient.
	flagAgeIdentity = "age-identity"
	// flagKeyState names files with answers of "query mpc key".
	flagKeyState = "key-state"
)

// addOpenFlags lets a command open backups.
func addOpenFlags(cmd *cobra.Command) {
	cmd.Flags().String(flagAgeIdentity, "", "file with the age identity (AGE-SECRET-KEY-1...) of a recipient")
	cmd.Flags().String(flagBackupPassphrase, "prompt", "source of the backup's passphrase: prompt, file:PATH, env:NAME or credential:NAME")
	cmd.Flags().StringSlice(flagKeyState, nil, "file with the answer of: sequencerd query mpc key ID -o json; may be given again")
}

// openBackup decrypts the backups of a folder. The caller wipes them.
func openBackup(cmd *cobra.Command, dir string) (*backup.Saved, error) {
	folder := backup.At(dir)
	if _, err := folder.Chain(); err != nil { // before a passphrase is asked for
		return nil, err
	}
	with, err := backupIdentities(cmd)
	if err != nil {
		return nil, err
	}
	return folder.Open(with)
}

func backupIdentities(cmd *cobra.Command) (backup.Identities, error) {
	path, err := cmd.Flags().GetString(flagAgeIdentity)
	if err != nil {
		return backup.Identities{}, err
	}
	if path != "" {
		if cmd.Flags().Changed(flagBackupPassphrase) {
			return backup.Identities{}, fmt.Errorf("%w: --%s or --%s", backup.ErrKeys, flagAgeIdentity, flagBackupPassphrase)
		}
		file, err := os.Open(path)
		if err != nil {
			return backup.Identities{}, fmt.Errorf("--%s: %w", flagAgeIdentity, err)
		}
		defer file.Close()
		return backup.WithIdentities(file)
	}
	source, err := passphraseSource(cmd, flagBackupPassphrase)
	if err != nil {
		return backup.Identities{}, err
	}
	passphrase, err := source.Read(client.GetClientContextFromCmd(cmd).HomeDir, "the backup")
	if err != nil {
		return backup.Identities{}, fmt.Errorf("--%s: %w", flagBackupPassphrase, err)
	}
	defer types.Wipe(passphrase)
	return backup.WithPassphrase(passphrase)
}

func backupVerifyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [folder]",
		Short: "Prove that each share of a backup fits its key on chain",
		Long: `Decrypts a backup in memory and proves of each share that it is whole and fits the
public key and the share commitments (BigXj) on chain. What the chain has is asked
of the node at --node, or read from files:

  sequencerd query mpc key treasury -o json > treasury.json
  sequencerd mpc backup verify FOLDER --key-state treasury.json

With files it needs no network, and no node of its own: any machine will do. It
fails if a share does not fit.`,
		Args: cobra.ExactArgs(1),
		RunE: verifyBackup,
	}
	addOpenFlags(cmd)
	flags.AddQueryFlagsToCmd(cmd)
	return cmd
}

func verifyBackup(cmd *cobra.Command, args []string) error {
	saved, err := openBackup(cmd, args[0])
	if err != nil {
		return err
	}
	defer saved.Wipe()
	keys, err := keyStates(cmd)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		if keys, err = askKeys(cmd, saved); err != nil {
			return err
		}
	}
	checks := mpcnode.CheckBackup(saved, keys)
	if err := show(cmd, checksText{checks}); err != nil {
		return err
	}
	return badShares(checks)
}

// badShares is an error if a share is not what it says.
func badShares(checks []mpcnode.ShareCheck) error {
	var bad []string
	for _, c := range checks {
		if c.Outcome == mpcnode.CheckBad {
			bad = append(bad, fmt.Sprintf("key %s epoch %d: %s", c.KeyID, c.Epoch, c.Problem))
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", backup.ErrDamaged, strings.Join(bad, "; "))
}

// keyStates reads the files of --key-state.
func keyStates(cmd *cobra.Command) (map[string]mpctypes.Key, error) {
	paths, err := cmd.Flags().GetStringSlice(flagKeyState)
	if err != nil {
		return nil, err
	}
	keys := make(map[string]mpctypes.Key, len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", flagKeyState, err)
		}
		var answer mpctypes.QueryKeyResponse
		if err := client.GetClientContextFromCmd(cmd).Codec.UnmarshalJSON(text, &answer); err != nil || answer.Key.Id == "" {
			return nil, errors.Join(fmt.Errorf("--%s: %s is no answer of: sequencerd query mpc key ID -o json", flagKeyState, path), err)
		}
		keys[answer.Key.Id] = answer.Key
	}
	return keys, nil
}

// askKeys asks the node at --node for the keys of a backup.
func askKeys(cmd *cobra.Command, saved *backup.Saved) (map[string]mpctypes.Key, error) {
	ctx, err := client.GetClientQueryContext(cmd)
	if err != nil {
		return nil, err
	}
	query := mpctypes.NewQueryClient(ctx)
	keys := make(map[string]mpctypes.Key)
	asked := make(map[types.KeyID]bool)
	for _, r := range saved.Records {
		if asked[r.KeyID] {
			continue
		}
		asked[r.KeyID] = true
		answer, err := query.Key(cmd.Context(), &mpctypes.QueryKeyRequest{KeyId: string(r.KeyID)})
		switch {
		case err == nil:
			keys[answer.Key.Id] = answer.Key
		case !strings.Contains(err.Error(), string(types.ErrUnknownKey)):
			return nil, fmt.Errorf("ask the chain for key %s (--%s gives its answer in a file): %w", r.KeyID, flagKeyState, err)
		}
	}
	return keys, nil
}

// checksText shows what was found about records.
type checksText struct {
	Records []mpcnode.ShareCheck `json:"records"`
}

// explained says what outcomes mean.
var explained = map[string]string{
	mpcnode.CheckFits:         "fits the chain",
	mpcnode.CheckOlderEpoch:   "whole, of an older epoch than the chain's: signs nothing any more",
	mpcnode.CheckNewerEpoch:   "whole, of a reshare that the chain has not switched to",
	mpcnode.CheckOtherSession: "whole, of a session that the chain did not choose",
	mpcnode.CheckNoShare:      "a session without a share",
	mpcnode.CheckUnknown:      "whole; what the chain has was not given, or it does not know the key",
	mpcnode.CheckNotReady:     "whole; the key is not READY on chain",
	mpcnode.CheckDeleted:      "whole; the key was deleted on chain",
	mpcnode.CheckMissing:      "READY on chain, and no share here fits it",
	mpcnode.CheckBad:          "DOES NOT FIT",
}

func (c checksText) text() string {
	return table(func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "KEY\tEPOCH\tSESSION\tPARTICIPANT\tOUTCOME")
		for _, r := range c.Records {
			outcome := explained[r.Outcome]
			if r.Problem != "" {
				outcome += ": " + r.Problem
			}
			fmt.Fprintf(w, "%s\t%d\t%.8s\t%s\t%s\n", r.KeyID, r.Epoch, r.Session, r.Participant, outcome)
		}
	})
}
