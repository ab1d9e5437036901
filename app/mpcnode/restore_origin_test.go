package mpcnode

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/backup"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// A backup of another chain or of another node is refused before anything is written,
// whether the node has an identity, a database, both or neither.
func TestRestoreFromElsewhere(t *testing.T) {
	k := fixtures.Shares(3, 1)
	saved := func(seed byte, chain string, shares ...int) *backup.Saved {
		s := &backup.Saved{ChainID: chain, Seeds: [][]byte{bytes.Repeat([]byte{seed}, 32)}}
		for _, i := range shares {
			r := fixtureRecord(k, "treasury", i)
			r.Session, r.HasData = types.SessionID{byte(i + 1)}, true
			s.Records = append(s.Records, r)
		}
		return s
	}
	here := Origin{ChainID: "seq-1"}
	mine := here
	mine.Participant = k.Operators[0]
	moved := Origin{ChainID: "seq-2", FromChain: "seq-1"}
	// The node has the identity of seed 7 and a share of the first participant.
	tests := map[string]struct {
		saved              *backup.Saved
		from               Origin
		noIdentity, noData bool
		opens              bool // only the database tells
		want               error
		says               string
	}{
		"its own":                               {saved: saved(7, "seq-1", 0), from: here},
		"its own, on a machine that is new":     {saved: saved(7, "seq-1", 0), from: here, noIdentity: true, noData: true},
		"another chain":                         {saved: saved(7, "seq-2", 0), from: here, want: ErrOtherChain, says: "--from-chain seq-2"},
		"another chain, nothing here":           {saved: saved(7, "seq-2", 0), from: here, noIdentity: true, noData: true, want: ErrOtherChain},
		"a chain that has a new id":             {saved: saved(7, "seq-1", 0), from: moved},
		"made since it has a new id":            {saved: saved(7, "seq-2", 0), from: moved},
		"not the id that it had":                {saved: saved(7, "seq-0", 0), from: moved, want: ErrOtherChain},
		"another node":                          {saved: saved(8, "seq-1", 1), from: here, want: ErrOtherNode, says: "--participant"},
		"another node, the database lost":       {saved: saved(8, "seq-1", 1), from: here, noData: true, want: ErrOtherNode},
		"another node, the identity lost":       {saved: saved(8, "seq-1", 1), from: here, noIdentity: true, opens: true, want: ErrOtherNode, says: string(k.Operators[0])},
		"an identity that was lost since":       {saved: saved(8, "seq-1", 0), from: mine},
		"the same, said of a stranger's":        {saved: saved(8, "seq-1", 1), from: mine, want: ErrOtherNode, says: string(k.Operators[1])},
		"shares of two":                         {saved: saved(7, "seq-1", 0, 1), from: here, want: ErrOtherNode},
		"its own identity, a stranger's shares": {saved: saved(7, "seq-1", 1), from: here, noIdentity: true, opens: true, want: ErrOtherNode},
		"no shares":                             {saved: saved(7, "seq-1"), from: here},
		"a share that is none": {saved: func() *backup.Saved {
			s := saved(7, "seq-1", 0)
			s.Records[0].Data = []byte("share")
			return s
		}(), from: here, want: backup.ErrDamaged},
	}
	restores := map[string]func(Paths, []byte, *backup.Saved, Origin) (VaultRestored, error){
		"all": RestoreVault, "identity": RestoreIdentityAlone,
	}
	cfg, home := vaultConfig(t, "horse")
	template := cfg.PathsOf(home)
	_, err := RestoreVault(template, []byte("horse"), saved(7, "seq-1", 0), here)
	require.NoError(t, err)
	for name, tt := range tests {
		for how, restore := range restores {
			t.Run(name+", "+how, func(t *testing.T) {
				cfg, home := vaultConfig(t, "horse")
				paths := cfg.PathsOf(home)
				require.NoError(t, os.CopyFS(paths.Folder, os.DirFS(template.Folder)))
				if tt.noIdentity {
					require.NoError(t, os.Remove(paths.Identity))
				}
				if tt.noData {
					require.NoError(t, os.RemoveAll(paths.Database))
				}
				before := contentOfFolder(t, paths.Folder)
				_, err := restore(paths, []byte("horse"), tt.saved, tt.from)
				if tt.want == nil {
					if how == "identity" && name == "an identity that was lost since" {
						require.ErrorIs(t, err, storage.ErrIdentityExists) // there is one, and nothing else to put back
						return
					}
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, tt.want)
				require.ErrorContains(t, err, tt.says)
				require.NotEmpty(t, types.ReasonOf(err))
				if !tt.opens {
					require.Equal(t, before, contentOfFolder(t, paths.Folder))
					return
				}
				require.NoFileExists(t, paths.Identity)
				require.NoError(t, checkDatabase(paths, []byte("horse"), func(db *storage.DB) error {
					records, err := db.Records()
					require.Len(t, records, 1)
					return err
				}))
			})
		}
	}
}

// A restore that fails leaves no database where there was none: an empty one would have
// the node say on chain that its shares are lost.
func TestRestoreThatFailsLeavesNoDatabase(t *testing.T) {
	k := fixtures.Shares(3, 1)
	r := fixtureRecord(k, "treasury", 0)
	r.Session, r.HasData = types.SessionID{1}, true
	saved := &backup.Saved{ChainID: "seq-1", Seeds: [][]byte{bytes.Repeat([]byte{7}, 32)}}
	saved.Records, saved.Tombstones = []types.Record{r}, []types.KeyID{"treasury"}
	cfg, home := vaultConfig(t, "horse")
	paths := cfg.PathsOf(home)
	_, err := RestoreVault(paths, []byte("horse"), saved, Origin{ChainID: "seq-1"})
	require.ErrorIs(t, err, types.ErrKeyDeleted)
	require.Empty(t, contentOfFolder(t, paths.Folder))

	saved.Tombstones = nil
	_, err = RestoreVault(paths, []byte("horse"), saved, Origin{ChainID: "seq-1"})
	require.NoError(t, err)
	require.NoError(t, checkDatabase(paths, []byte("horse"), func(*storage.DB) error { return nil }))
}

// contentOfFolder is every file below a folder.
func contentOfFolder(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = string(b)
		return err
	}))
	return files
}
