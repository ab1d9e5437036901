package cli

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage/backup"
)

const (
	// flagRecipient names whom a backup is for.
	flagRecipient = "recipient"
	// flagBackupPassphrase names the source of a backup's passphrase.
	flagBackupPassphrase = "backup-passphrase"
	// flagFull asks for a backup that needs none before it.
	flagFull = "full"
)

func backupCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Save the key shares of this node, check what was saved, put it back",
		Long: `Saves what this node must not lose into a folder of files in the age format: key
shares, identity keys, tombstones, and which request was bound to which digest.

  sequencerd mpc backup create FOLDER     a full one first, then what changed
  sequencerd mpc backup list FOLDER       what is in it; needs no key
  sequencerd mpc backup verify FOLDER     prove each share against the chain
  sequencerd mpc backup restore FOLDER    put it back on a node that is stopped

Each file is encrypted, either to recipients (age1..., made by age-keygen on
another machine) or with a passphrase of its own.`,
		RunE: client.ValidateCmd,
	}
	cmd.AddCommand(backupCreateCmd(), backupListCmd(), backupVerifyCmd(), backupRestoreCmd())
	return cmd
}

func backupCreateCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create [folder]",
		Short: "Add a backup to a folder: a full one first, then what changed",
		Long: `Adds a file and its manifest to a folder. The first file holds everything, later
ones what changed since; where files that those would need are gone or were changed,
or the chain has another id since, it says so, and holds everything again. A folder is
for one node: files of another identity are not continued. While the node runs it makes the backup; otherwise the
database is opened. Either way the passphrase of the MPC folder shows that you
may.

Where the node has an older epoch of a key than the newest file, or no share any more, it
was put back to an older copy or lost its database, and no file is added: put back first
what is there. A running node knows of which keys it needs no share any more, since other
participants have them; of a stopped one --shares-are-lost says so, and adds a file in any
case. "restore --upto" reads the files before it. Shares that were not READY yet count where a
node runs: it knows whether the chain chose them since, may choose them yet, or may need them
though their reshare failed, while too few participants have a share of the key. They are
named, and the file is added, of a stopped node, of one that runs an older program than this
one, and where a program that did not note their session made the newest file.`,
		Example: "  sequencerd mpc backup create /mnt/backup/node0 --recipient age1...",
		Args:    cobra.ExactArgs(1),
		RunE:    createBackup,
	}
	addPassphraseFlag(cmd, "of the MPC folder, "+forThisCommand)
	cmd.Flags().StringSlice(flagRecipient, nil, "age recipient (age1...) that the backup is for; may be given again")
	cmd.Flags().String(flagBackupPassphrase, "", "source of a passphrase for the backup, in place of recipients: prompt, file:PATH, env:NAME or credential:NAME")
	cmd.Flags().Bool(flagFull, false, "everything again, in a file that needs none before it")
	cmd.Flags().Bool(flagSharesLost, false, "add a backup though the node lacks shares that the newest file has")
	addOutputFlag(cmd)
	return cmd
}

func createBackup(cmd *cobra.Command, args []string) error {
	f, err := filesOf(cmd)
	if err != nil {
		return err
	}
	if err := f.needWhole(); err != nil {
		return err
	}
	folder := backup.At(args[0])
	r, err := backupRequest(cmd, f, folder)
	if err != nil {
		return err
	}
	defer r.Wipe()
	var added backup.Manifest
	source := fromNode
	judged, err := mpcnode.NewClient(f.paths.Socket).Backup(cmd.Context(), r, func(m backup.Manifest, content io.Reader) (err error) {
		added, err = folder.Add(m, func(w io.Writer) error {
			_, err := io.Copy(w, content)
			return err
		})
		return err
	})
	if errors.Is(err, mpcnode.ErrNotRunning) {
		source = fromDatabase
		added, err = backupStopped(cmd, f, folder, r)
	}
	if err != nil {
		return err
	}
	if last := r.Last; last != nil && last.ChainID != "" && last.ChainID != added.ChainID {
		fmt.Fprintf(cmd.ErrOrStderr(), "this backup is a full one: the chain is %s now, and was %s when the last one was made\n", added.ChainID, last.ChainID)
	}
	lost := backup.LostSince(r.Last, added)
	if judged {
		lost = lost.Unjudged()
	}
	tellLost(cmd, r.Last, lost)
	return show(cmd, backupText{source, []backup.Manifest{added}})
}

// backupRequest says what is to be made, with the passphrases for it.
func backupRequest(cmd *cobra.Command, f nodeFiles, folder backup.Folder) (*mpcnode.BackupRequest, error) {
	full, err := cmd.Flags().GetBool(flagFull)
	if err != nil {
		return nil, err
	}
	head, err := folder.Head()
	if err != nil {
		return nil, err
	}
	if head.Broken != nil && !full {
		fmt.Fprintf(cmd.ErrOrStderr(), "this backup is a full one: what changes would have to be added to is not whole in the folder: %v\n", head.Broken)
	}
	lost, err := cmd.Flags().GetBool(flagSharesLost)
	if err != nil {
		return nil, err
	}
	r := &mpcnode.BackupRequest{Last: head.Last, Full: full || head.Broken != nil, SharesAreLost: lost}
	if r.Recipients, err = cmd.Flags().GetStringSlice(flagRecipient); err != nil {
		return nil, err
	}
	if cmd.Flags().Changed(flagBackupPassphrase) {
		source, err := passphraseSource(cmd, flagBackupPassphrase)
		if err != nil {
			return nil, err
		}
		if r.BackupPassphrase, err = source.ReadNew(f.home, "the backup"); err != nil {
			return nil, fmt.Errorf("--%s: %w", flagBackupPassphrase, err)
		}
	}
	if _, err := r.To(); err != nil { // before a passphrase is asked for
		r.Wipe()
		return nil, fmt.Errorf("%w: --%s age1..., or --%s prompt", err, flagRecipient, flagBackupPassphrase)
	}
	if r.Passphrase, err = f.readPassphrase(); err != nil {
		r.Wipe()
		return nil, err
	}
	return r, nil
}

// tellLost names the keys of which the files before have shares, and the one that was added
// has none.
func tellLost(cmd *cobra.Command, last *backup.Manifest, lost backup.Lost) {
	if epochs := lost.StagedString(); epochs != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), types.ForProgram("this backup lacks shares of %s that file %d has, which were not READY then; keep that one, for restore --upto %d, unless the keygen or reshare that they are of failed: sequencerd query mpc key ID, sequencerd query mpc reshare ID\n"),
			epochs, last.Number, last.Number)
	}
	if keys := lost.String(); keys != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), types.ForProgram("this backup lacks shares of %s that file %d has; keep that one, for restore --upto %d, unless other participants have the key now: sequencerd query mpc key ID\n"),
			keys, last.Number, last.Number)
	}
}

// backupStopped opens the vault of a node that does not run.
func backupStopped(cmd *cobra.Command, f nodeFiles, folder backup.Folder, r *mpcnode.BackupRequest) (m backup.Manifest, err error) {
	vault, err := mpcnode.OpenVaultWith(f.paths, r.Passphrase)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, vault.Close()) }()
	chainID, err := f.chainID(cmd)
	if err != nil {
		return m, err
	}
	plan, err := vault.Plan(chainID, r)
	if err != nil {
		return m, err
	}
	to, err := r.To()
	if err != nil {
		return m, err
	}
	if !r.SharesAreLost {
		if err := backup.LostSince(r.Last, plan.Manifest).Check(nil, nil); err != nil {
			return m, err
		}
	}
	f.record(cmd, mpcnode.BackupOperation(plan.Manifest, r))
	return folder.Add(plan.Manifest, func(w io.Writer) error { return plan.Write(w, to) })
}

func backupListCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [folder]",
		Short: "Show the backups of a folder, and that none is missing or changed",
		Long: `Shows the files of a folder, of which chain and of which identity key (its first
16 digits) each is, checks that each is the one that its manifest
describes and that each continues the one before, and shows what the last one
leads back to. It needs no passphrase and no key. Files that were taken off the end
are not missed: compare the last hash with the one that "create" showed.

Restoring needs the newest full file and those after it. Those before it may be
removed, or kept elsewhere, together with their manifests.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := folderOf(cmd, args[0])
			if err != nil {
				return err
			}
			chain, err := folder.Chain()
			if err == nil {
				err = folder.CheckFiles(chain)
			}
			if err != nil {
				return newestIsWhole(folder, err)
			}
			return show(cmd, backupText{args[0], chain})
		},
	}
	addUptoFlag(cmd)
	addOutputFlag(cmd)
	return cmd
}

// newestIsWhole adds to what is wrong with a folder that it can be restored from, if it
// can.
func newestIsWhole(folder backup.Folder, wrong error) error {
	newest, err := folder.Newest()
	if err == nil {
		err = folder.CheckFiles(newest)
	}
	if err != nil {
		return wrong
	}
	return fmt.Errorf("%w; from the newest full file, %06d.age, on all is whole and can be restored: what is before it may be removed", wrong, newest[0].Number)
}

// backupText shows files, and the records of the last one.
type backupText struct {
	Source  string            `json:"source"`
	Backups []backup.Manifest `json:"backups"`
}

func (b backupText) text() string {
	last := b.Backups[len(b.Backups)-1]
	return "from " + b.Source + "\n" + table(func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "FILE\tMADE\tKIND\tNEW RECORDS\tCHAIN\tIDENTITY\tSHA-256")
		for _, m := range b.Backups {
			kind := "changes"
			if m.Full {
				kind = "full"
			}
			fmt.Fprintf(w, "%06d.age\t%s\t%s\t%d\t%s\t%.16s\t%s\n", m.Number, m.Created.Format(time.RFC3339), kind, newRecords(m), m.ChainID, newest(m.Identity), m.File)
		}
	}) + "\n" + table(func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "KEY\tEPOCH\tSESSION\tSTATUS\tSHARE\tIN FILE")
		for _, e := range last.Records {
			fmt.Fprintf(w, "%s\t%d\t%.8s\t%s\t%t\t%06d\n", e.KeyID, e.Epoch, e.Session, e.Status, e.Share, e.In)
		}
		for _, id := range last.Tombstones {
			fmt.Fprintf(w, "%s\t\t\tDESTROYED\t\t%06d\n", id, last.Number)
		}
		fmt.Fprintf(w, "%d bindings of requests to digests\t\t\t\t\t%06d\n", last.Bindings.Count, last.Bindings.In)
		fmt.Fprintf(w, "%d identity keys\t\t\t\t\t%06d\n", len(last.Identity), last.Number)
	})
}

// newest is the last identity key; empty if there is none.
func newest(identity []string) string {
	if len(identity) == 0 {
		return ""
	}
	return identity[len(identity)-1]
}

// newRecords counts those whose content is in the file itself.
func newRecords(m backup.Manifest) int {
	n := 0
	for _, e := range m.Records {
		if e.In == m.Number {
			n++
		}
	}
	return n
}
