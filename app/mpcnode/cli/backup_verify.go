package cli

import (
	"errors"
	"fmt"
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

// flagParticipant names whose backup it is.
const flagParticipant = "participant"

func backupVerifyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [folder]",
		Short: "Prove that each share of a backup fits its key on chain",
		Long: `Decrypts a backup in memory and proves of each share that it is whole and fits the
public key and the share commitments (BigXj) on chain. What the chain has is asked
of the node at --node, or read from files:

  sequencerd query mpc key treasury -o json > treasury.json
  sequencerd mpc backup verify FOLDER --key-state treasury.json

With files it needs no network, and no node of its own: any machine will do.

It fails if a share does not fit, and if a key that is READY on chain and this
participant's has no share in the backup that fits: one that was made or reshared
since. A node is asked for all keys of the participant; of files, each that is given
counts whose participants include it. The participant is the one that registered the
identity in the backup, or that the shares belong to, unless --participant names it.`,
		Args: cobra.ExactArgs(1),
		RunE: verifyBackup,
	}
	addOpenFlags(cmd)
	cmd.Flags().String(flagParticipant, "", "operator address whose backup it is")
	flags.AddQueryFlagsToCmd(cmd)
	return cmd
}

func verifyBackup(cmd *cobra.Command, args []string) error {
	name, err := cmd.Flags().GetString(flagParticipant)
	if err != nil {
		return err
	}
	self := types.Operator(name)
	if name != "" {
		if err := checkOperator(cmd, name); err != nil {
			return fmt.Errorf("--%s: %w", flagParticipant, err)
		}
	}
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
		ctx, err := client.GetClientQueryContext(cmd)
		if err != nil {
			return err
		}
		if keys, self, err = askChain(cmd.Context(), mpctypes.NewQueryClient(ctx), saved, self); err != nil {
			return err
		}
	}
	checks := mpcnode.CheckBackup(saved, keys, self)
	if err := show(cmd, checksText{checks}); err != nil {
		return err
	}
	return errors.Join(badShares(checks), missingShares(checks))
}

// missingShares is an error if the backup lacks a share that it should have.
func missingShares(checks []mpcnode.ShareCheck) error {
	var missing []string
	for _, c := range checks {
		if c.Outcome == mpcnode.CheckMissing {
			missing = append(missing, fmt.Sprintf("key %s epoch %d", c.KeyID, c.Epoch))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", backup.ErrIncomplete, strings.Join(missing, ", "))
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
