package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// flagKey names keys to restore.
	flagKey = "key"
	// flagSkipKey names keys that are not restored.
	flagSkipKey = "skip-key"
	// flagIdentityOnly restores no more than the identity.
	flagIdentityOnly = "identity-only"
	// flagFromChain names the id that an exported chain had before.
	flagFromChain = "from-chain"
)

func backupRestoreCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore [folder]",
		Short: "Put back what a backup has and this node, which is stopped, lacks",
		Long: `Puts back what this node lacks: identity, shares, tombstones, bindings. Stop the
node first. Where there is no database, or no identity, it is made, with the
passphrase of the MPC folder, which need not be the one of before.

The backup must be of this node and of its chain. One of another chain id is taken only
with --from-chain, for a chain that was exported and began again under another id. One
with another identity is taken only with --participant, for a node that lost its own and
registered a new one since: its shares must be those of that participant.

It never overwrites. It refuses, and changes nothing, if the database has a newer
epoch of a key, or the same record with other content, or if the key was destroyed
here. What a request is bound to here stays: if the backup has it bound to something
else, that is left out and named, and all the rest is put back. With --key-state it refuses as well what is DELETED on chain, keys of which
the backup has an older epoch only, and shares that do not fit; and it names the READY
keys of this participant of which the backup has none. Shares of a key that is DELETING come
back: its owner can take that back until it is DELETED. --skip-key leaves a key out that
is refused, and restores all others.

Pre-parameters are in no backup, and those of a database that is there are destroyed: in
an older copy some were used since. The node makes new ones.

--identity-only puts the identity back and nothing else, for a node that has its
database, however much newer than the backup. An identity that is there stays, but of
an older copy the keys that it lacks are added.

Restore the newest backup there is, unless the node had lost shares when it was made:
--upto names the last file of before, as "list" shows them. If the chain went back to an
epoch of a key that the newest one has no more, move the database away, restore the key
from the file that has it (--upto, --key), and then the newest backup on top. Never run two
nodes with what is in one backup.`,
		Args: cobra.ExactArgs(1),
		RunE: restoreBackup,
	}
	addPassphraseFlag(cmd, "of the MPC folder, "+forThisCommand)
	addOpenFlags(cmd)
	cmd.Flags().StringSlice(flagKey, nil, "restore the shares of this key alone; may be given again (default: all)")
	cmd.Flags().StringSlice(flagSkipKey, nil, "restore nothing of this key; may be given again")
	cmd.MarkFlagsMutuallyExclusive(flagKey, flagSkipKey)
	cmd.Flags().Bool(flagIdentityOnly, false, "restore the identity alone, whatever the database has")
	cmd.Flags().String(flagFromChain, "", "id under which this chain ran when the backup was made, if it was exported and began again under another one")
	cmd.Flags().String(flagParticipant, "", "operator address of the validator whose shares they are, if the node has another identity than the backup")
	addOutputFlag(cmd)
	return cmd
}

func restoreBackup(cmd *cobra.Command, args []string) error {
	f, err := filesOf(cmd)
	if err != nil {
		return err
	}
	states, err := keyStates(cmd)
	if err != nil {
		return err
	}
	saved, err := openBackup(cmd, args[0])
	if err != nil {
		return err
	}
	defer saved.Wipe()
	from, err := originOf(cmd, f)
	if err != nil {
		return err
	}
	identityOnly, err := cmd.Flags().GetBool(flagIdentityOnly)
	if err != nil {
		return err
	}
	restore := mpcnode.RestoreIdentityAlone
	var missing missingKeys
	if !identityOnly {
		restore = mpcnode.RestoreVault
		if missing, err = chooseShares(cmd, saved, states, from.Participant); err != nil {
			return err
		}
	}
	passphrase, err := f.passphraseToRestore()
	if err != nil {
		return err
	}
	defer types.Wipe(passphrase)
	done, err := restore(f.paths, passphrase, saved, from)
	switch {
	case errors.Is(err, mpcnode.ErrOtherChain) || errors.Is(err, mpcnode.ErrOtherNode):
		return err
	case errors.Is(err, types.ErrKeyDeleted):
		return fmt.Errorf("%w; it was destroyed here for good: leave it out with --%s ID, once for each such key", err, flagSkipKey)
	case err != nil:
		return withRemedy(err, types.ErrRestore, "all but some keys: --"+flagSkipKey+" ID; the identity alone: --"+flagIdentityOnly)
	}
	f.record(cmd, mpcnode.RestoreOperation(saved, done))
	return show(cmd, restoredText{done, saved.Created, missing})
}

// originOf says where a backup may come from.
func originOf(cmd *cobra.Command, f nodeFiles) (from mpcnode.Origin, err error) {
	if from.ChainID, err = f.chainID(cmd); err != nil {
		return from, err
	}
	if from.FromChain, err = cmd.Flags().GetString(flagFromChain); err != nil {
		return from, err
	}
	from.Participant, err = participantOf(cmd)
	return from, err
}

// chainID is that of the chain whose genesis file the node has, or else of client.toml.
func (f nodeFiles) chainID(cmd *cobra.Command) (string, error) {
	file, err := os.Open(filepath.Join(f.home, "config", "genesis.json"))
	if errors.Is(err, os.ErrNotExist) {
		return client.GetClientContextFromCmd(cmd).ChainID, nil
	}
	if err != nil {
		return "", fmt.Errorf("find the chain id: %w", err)
	}
	defer file.Close()
	id, err := genutiltypes.ParseChainIDFromGenesis(file)
	if err != nil {
		return "", fmt.Errorf("find the chain id in %s: %w", file.Name(), err)
	}
	return id, nil
}

// missingKeys are the keys of a participant, says --key-state, of which nothing that fits
// was in the backup.
type missingKeys struct {
	// Missing are READY.
	Missing []string `json:"missing,omitempty"`
	// MissingDeleting are DELETING, and READY again if their owner takes that back.
	MissingDeleting []string `json:"missing_deleting,omitempty"`
}

// chooseShares leaves what is to be restored, or refuses by what the chain says of it. It
// returns of which keys of the participant nothing fits.
func chooseShares(cmd *cobra.Command, saved *backup.Saved, states map[string]mpctypes.Key, self types.Operator) (missing missingKeys, err error) {
	left, err := chooseKeys(cmd, saved)
	if err != nil || len(states) == 0 {
		return missing, err
	}
	owned := self != "" || slices.ContainsFunc(saved.Records, func(r types.Record) bool { return r.HasData })
	checks := leaveOutOlder(saved, mpcnode.CheckBackup(saved, states, self))
	for _, c := range checks {
		switch {
		case c.Outcome != mpcnode.CheckMissing || !owned || left(c.KeyID):
		case c.DeletedAt > 0:
			missing.MissingDeleting = append(missing.MissingDeleting, c.KeyID)
		default:
			missing.Missing = append(missing.Missing, c.KeyID)
		}
	}
	return missing, refuseByChain(checks)
}

// chooseKeys leaves the shares of the keys that --key names, or of all that --skip-key does
// not, and says which are left out.
func chooseKeys(cmd *cobra.Command, saved *backup.Saved) (left func(key string) bool, err error) {
	only, err := keysNamed(cmd, flagKey, saved)
	if err != nil {
		return nil, err
	}
	skipped, err := keysNamed(cmd, flagSkipKey, saved)
	if err != nil {
		return nil, err
	}
	left = func(key string) bool {
		return len(only) > 0 && !slices.Contains(only, key) || slices.Contains(skipped, key)
	}
	saved.Records = slices.DeleteFunc(saved.Records, func(r types.Record) bool {
		if left(string(r.KeyID)) {
			types.Wipe(r.Data)
			return true
		}
		return false
	})
	return left, nil
}

// keysNamed are those of a flag, all of which the backup must have something of.
func keysNamed(cmd *cobra.Command, flag string, saved *backup.Saved) ([]string, error) {
	ids, err := cmd.Flags().GetStringSlice(flag)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(saved.Records, func(r types.Record) bool { return string(r.KeyID) == id }) {
			return nil, fmt.Errorf("--%s: the backup has nothing of key %s", flag, id)
		}
	}
	return ids, nil
}

// leaveOutOlder drops the shares of earlier epochs of keys whose share of the chain's
// epoch is in the backup too: after a reshare a node has both for a while.
func leaveOutOlder(saved *backup.Saved, checks []mpcnode.ShareCheck) []mpcnode.ShareCheck {
	fits, older := make(map[string]bool), make(map[string]map[uint64]bool)
	for _, c := range checks {
		switch {
		case c.Fits():
			fits[c.KeyID] = true
		case c.Outcome == mpcnode.CheckOlderEpoch:
			if older[c.KeyID] == nil {
				older[c.KeyID] = make(map[uint64]bool)
			}
			older[c.KeyID][c.Epoch] = true
		}
	}
	saved.Records = slices.DeleteFunc(saved.Records, func(r types.Record) bool {
		id := string(r.KeyID)
		left := fits[id] && older[id][r.Epoch]
		if left {
			types.Wipe(r.Data)
		}
		return left
	})
	return slices.DeleteFunc(checks, func(c mpcnode.ShareCheck) bool {
		return c.Outcome == mpcnode.CheckOlderEpoch && fits[c.KeyID]
	})
}

// refuseByChain is an error if the chain says that a share is of no use.
func refuseByChain(checks []mpcnode.ShareCheck) error {
	if err := badShares(checks); err != nil {
		return err
	}
	var refused []string
	for _, c := range checks {
		if c.Outcome == mpcnode.CheckDeleted || c.Outcome == mpcnode.CheckOlderEpoch {
			refused = append(refused, fmt.Sprintf("key %s epoch %d: %s", c.KeyID, c.Epoch, explained[c.Outcome]))
		}
	}
	if len(refused) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s; leave those out with --%s ID, once for each", types.ErrRestore, strings.Join(refused, "; "), flagSkipKey)
}

// passphraseToRestore is that of what is there, or a new one for what is made.
func (f nodeFiles) passphraseToRestore() ([]byte, error) {
	empty, err := mpcnode.VaultIsEmpty(f.paths)
	if err != nil {
		return nil, err
	}
	if !empty {
		return f.readPassphrase()
	}
	source, err := mpcnode.ParsePassphraseSource(f.cfg.Passphrase)
	if err != nil {
		return nil, err
	}
	return source.ReadNew(f.home, "the new MPC folder "+f.paths.Folder)
}

// restoredText says what was put back.
type restoredText struct {
	mpcnode.VaultRestored
	Made time.Time `json:"backup_made"`
	missingKeys
}

func (r restoredText) text() string {
	return table(func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "backup of\t%s\n", r.Made.Format(time.RFC3339))
		if r.IdentityOnly {
			fmt.Fprintf(w, "identity\t%s\n", r.identity())
			return
		}
		fmt.Fprintf(w, "records\t%d, %d of them with a share\n", r.Records, r.Shares)
		fmt.Fprintf(w, "tombstones\t%d\n", r.Tombstones)
		fmt.Fprintf(w, "bindings\t%s\n", r.bindings())
		fmt.Fprintf(w, "pre-parameters\t%d sets that were there destroyed\n", r.Preparams)
		fmt.Fprintf(w, "database\t%s\n", madeOrKept(r.DatabaseMade))
		fmt.Fprintf(w, "identity\t%s\n", r.identity())
		for _, id := range r.Missing {
			fmt.Fprintf(w, "NOT IN IT\tkey %s, which is READY on chain: refresh it (%s)\n", id, types.ForProgram("sequencerd tx mpc refresh"))
		}
		for _, id := range r.MissingDeleting {
			fmt.Fprintf(w, "NOT IN IT\tkey %s, which is being deleted on chain: refresh it if its owner takes that back\n", id)
		}
	}) + r.next()
}

// next is what to do now.
func (r restoredText) next() string {
	if r.IdentityOnly {
		return types.ForProgram(`
Nothing else was put back. Start the node, then look at
  sequencerd mpc status    whether a database is there, and not an older copy of it
Destroy the other copies of what was restored.
`)
	}
	return types.ForProgram(`
What was made after that backup is not there, nor what requests were bound to since.
Pre-parameters are made anew. Start the node, then look at
  sequencerd mpc status    keys whose share is missing or behind the chain
  sequencerd mpc keys      what this node has
and have those keys refreshed: sequencerd tx mpc refresh RESHARE_ID KEY_ID --from OWNER
(those of modules by a proposal: sequencerd tx mpc refresh-proposal)
Destroy the other copies of what was restored.
`)
}

// maxNamed is how many requests the text names, an answer of some lines; the JSON has all.
const maxNamed = 10

func (r restoredText) bindings() string {
	if len(r.BindingsDiffer) == 0 {
		return strconv.Itoa(r.Bindings)
	}
	named, more := r.BindingsDiffer, ""
	if len(named) > maxNamed {
		named, more = named[:maxNamed], ", ... (all of them: --output json)"
	}
	return fmt.Sprintf("%d; %d left out that are bound to something else here, which stays: %s%s",
		r.Bindings, len(r.BindingsDiffer), strings.Join(named, ", "), more)
}

func (r restoredText) identity() string {
	switch {
	case r.OtherIdentity:
		return "the one that was there, which is not that of the backup"
	case r.IdentityKeys > 0 && !r.IdentityMade:
		return fmt.Sprintf("the one that was there, and %d newer keys of the backup", r.IdentityKeys)
	}
	return madeOrKept(r.IdentityMade)
}

func madeOrKept(made bool) string {
	if made {
		return "made anew"
	}
	return "the one that was there"
}
