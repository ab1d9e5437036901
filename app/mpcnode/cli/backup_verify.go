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

const (
	// flagParticipant names whose backup it is.
	flagParticipant = "participant"
	// flagParticipantState names a file with an answer of "query mpc participant".
	flagParticipantState = "participant-state"
	// flagAllowUnknown lets keys pass that the chain does not know.
	flagAllowUnknown = "allow-unknown"
)

func backupVerifyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [folder]",
		Short: "Prove that each share of a backup fits its key on chain",
		Long: `Decrypts a backup in memory and proves of each share that it is whole and fits the
public key and the share commitments (BigXj) on chain. What the chain has is asked
of the node at --node, or read from files:

  sequencerd query mpc keys --page-limit 1000 -o json > keys.json
  sequencerd mpc backup verify FOLDER --key-state keys.json

With files it needs no network, and no node of its own: any machine will do.

It fails if a share does not fit, is somebody else's, or cannot be proved because the
chain's word on its key is not known; if the identity that is registered now is not in
the backup (of files only --participant-state tells); and if a key that is READY on chain, or
DELETING, which its owner can take back, and this participant's has no share in the backup
that fits: one that was made or reshared since. A node is asked for all keys of the participant; of files, each that is given
counts whose participants include it. The participant is the one that registered the
identity in the backup, or that the shares belong to, unless --participant names it.`,
		Args: cobra.ExactArgs(1),
		RunE: verifyBackup,
	}
	addOpenFlags(cmd)
	cmd.Flags().String(flagParticipant, "", "operator address whose backup it is")
	cmd.Flags().String(flagParticipantState, "", "file with the answer of: sequencerd query mpc participant OPERATOR -o json")
	cmd.Flags().Bool(flagAllowUnknown, false, "shares of keys that the chain does not know do not count, as those of a chain that was put back")
	flags.AddQueryFlagsToCmd(cmd)
	return cmd
}

func verifyBackup(cmd *cobra.Command, args []string) error {
	self, err := participantOf(cmd)
	if err != nil {
		return err
	}
	unknownToo, err := cmd.Flags().GetBool(flagAllowUnknown)
	if err != nil {
		return err
	}
	saved, err := openBackup(cmd, args[0])
	if err != nil {
		return err
	}
	defer saved.Wipe()
	word, err := wordOfChain(cmd, saved, self)
	if err != nil {
		return err
	}
	checks := mpcnode.CheckBackup(saved, word.keys, word.self)
	if err := show(cmd, checksText{checks, word.registered(saved)}); err != nil {
		return err
	}
	err = errors.Join(badShares(checks), otherShares(checks), missingShares(checks), word.checkIdentity(saved))
	if !unknownToo {
		err = errors.Join(err, unprovedShares(checks))
	}
	return err
}

// participantOf is whom --participant names; empty if nobody.
func participantOf(cmd *cobra.Command) (types.Operator, error) {
	name, err := cmd.Flags().GetString(flagParticipant)
	if err != nil || name == "" {
		return "", err
	}
	if err := checkOperator(cmd, name); err != nil {
		return "", fmt.Errorf("--%s: %w", flagParticipant, err)
	}
	return types.Operator(name), nil
}

// chainWord is what the chain says of the keys and the identity of a backup.
type chainWord struct {
	keys map[string]mpctypes.Key
	// self is whose backup it is; empty if only its shares tell.
	self types.Operator
	// participant is what is registered; nil if nobody was asked.
	participant *mpctypes.Participant
}

// wordOfChain reads files, or asks a node if there are none.
func wordOfChain(cmd *cobra.Command, saved *backup.Saved, self types.Operator) (word chainWord, err error) {
	word.self = self
	if word.keys, err = keyStates(cmd); err != nil {
		return word, err
	}
	if word.participant, err = participantState(cmd); err != nil {
		return word, err
	}
	if word.participant != nil && word.self == "" {
		word.self = types.Operator(word.participant.Operator)
	}
	if len(word.keys) > 0 {
		return word, nil
	}
	ctx, err := client.GetClientQueryContext(cmd)
	if err != nil {
		return word, err
	}
	chain := mpctypes.NewQueryClient(ctx)
	if word.keys, word.self, err = askChain(cmd.Context(), chain, saved, word.self); err != nil || word.self == "" {
		return word, err
	}
	answer, err := chain.Participant(cmd.Context(), &mpctypes.QueryParticipantRequest{Operator: string(word.self)})
	if err != nil {
		return word, fmt.Errorf("ask the chain for participant %s: %w", word.self, err)
	}
	word.participant = &answer.Participant
	return word, nil
}

// registered says what is known of the identity in the backup.
func (w chainWord) registered(saved *backup.Saved) string {
	switch {
	case w.participant == nil && len(w.keys) > 0:
		return "not compared with the chain; give the answer of query mpc participant: --" + flagParticipantState
	case w.participant == nil || mpcnode.CheckIdentity(saved, *w.participant) != nil:
		return "NOT THE ONE THAT IS REGISTERED"
	}
	return "the one that is registered is in it"
}

// checkIdentity is an error if the chain was asked, and goes by an identity that the
// backup does not have.
func (w chainWord) checkIdentity(saved *backup.Saved) error {
	if w.participant == nil && len(w.keys) > 0 {
		return nil
	}
	if w.participant == nil {
		return fmt.Errorf("%w: nobody registered an identity that is in it", backup.ErrIdentityMissing)
	}
	return mpcnode.CheckIdentity(saved, *w.participant)
}

// unprovedShares is an error if what the chain has of a share's key is not known.
func unprovedShares(checks []mpcnode.ShareCheck) error {
	return refused(backup.ErrUnproved, checks, mpcnode.CheckUnknown)
}

// otherShares is an error if a share is somebody else's.
func otherShares(checks []mpcnode.ShareCheck) error {
	return refused(mpcnode.ErrOtherNode, checks, mpcnode.CheckOtherOwner)
}

// missingShares is an error if the backup lacks a share that it should have.
func missingShares(checks []mpcnode.ShareCheck) error {
	return refused(backup.ErrIncomplete, checks, mpcnode.CheckMissing)
}

// badShares is an error if a share is not what it says.
func badShares(checks []mpcnode.ShareCheck) error {
	return refused(backup.ErrDamaged, checks, mpcnode.CheckBad)
}

// refused is an error that names the records with an outcome, if there are some.
func refused(kind error, checks []mpcnode.ShareCheck, outcome string) error {
	var all []string
	for _, c := range checks {
		if c.Outcome != outcome {
			continue
		}
		one := fmt.Sprintf("key %s epoch %d", c.KeyID, c.Epoch)
		if c.Problem != "" {
			one += ": " + c.Problem
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", kind, strings.Join(all, "; "))
}

// checksText shows what was found about records.
type checksText struct {
	Records []mpcnode.ShareCheck `json:"records"`
	// Identity says what is known of the one in the backup.
	Identity string `json:"identity"`
}

// explained says what outcomes mean.
var explained = map[string]string{
	mpcnode.CheckFits:         "fits the chain",
	mpcnode.CheckOlderEpoch:   "whole, of an older epoch than the chain's: signs nothing any more",
	mpcnode.CheckNewerEpoch:   "whole, of a reshare that the chain has not switched to",
	mpcnode.CheckOtherSession: "whole, of a session that the chain did not choose",
	mpcnode.CheckNoShare:      "a session without a share",
	mpcnode.CheckUnknown:      "whole; what the chain has was not given, or it does not know the key",
	mpcnode.CheckNotReady:     "whole; the key never was READY on chain",
	mpcnode.CheckDeleting:     "fits the chain; the key is being deleted, which its owner can take back before block %d",
	mpcnode.CheckDeleted:      "whole; the key was deleted on chain, for ever",
	mpcnode.CheckOtherOwner:   "whole, A SHARE OF ANOTHER PARTICIPANT",
	mpcnode.CheckMissing:      "READY on chain, and no share here fits it",
	mpcnode.CheckBad:          "DOES NOT FIT",
}

// explain says what an outcome means for one key.
func explain(c mpcnode.ShareCheck) string {
	text := explained[c.Outcome]
	switch {
	case c.Outcome == mpcnode.CheckDeleting:
		text = fmt.Sprintf(text, c.DeletedAt)
	case c.Outcome == mpcnode.CheckMissing && c.DeletedAt > 0:
		text = fmt.Sprintf("being deleted on chain, which its owner can take back before block %d, and no share here fits it", c.DeletedAt)
	}
	if c.Problem != "" {
		text += ": " + c.Problem
	}
	return text
}

func (c checksText) text() string {
	return table(func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "KEY\tEPOCH\tSESSION\tPARTICIPANT\tOUTCOME")
		for _, r := range c.Records {
			fmt.Fprintf(w, "%s\t%d\t%.8s\t%s\t%s\n", r.KeyID, r.Epoch, r.Session, r.Participant, explain(r))
		}
	}) + "identity: " + c.Identity + "\n"
}
