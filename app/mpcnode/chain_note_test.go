package mpcnode

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
	"github.com/sequencer-mpc/sequencer/storage/audit"
	"github.com/sequencer-mpc/sequencer/storage/backup"
)

// The database is told of few blocks, and of each that the chain is put back to.
func TestChainNote(t *testing.T) {
	v, _ := newVault(t)
	db := v.Database()
	n := &chainNote{db: db, chainID: "seq-1", log: slog.New(slog.DiscardHandler)}
	noted := func() storage.ChainSeen {
		s, err := db.ChainSeen()
		require.NoError(t, err)
		return s
	}
	n.observe(&mpc.View{})
	require.Zero(t, noted())
	for _, c := range []struct{ height, want int64 }{
		{100, 100}, {101, 100}, {109, 100}, {110, 110}, {119, 110}, {4000, 4000}, {3999, 3999}, {3999, 3999}, {1, 1}, {10, 1}, {11, 11},
	} {
		n.observe(&mpc.View{Height: c.height})
		require.Equal(t, storage.ChainSeen{ChainID: "seq-1", Height: c.want}, noted())
	}
	moved := &chainNote{db: db, chainID: "seq-2", log: n.log}
	moved.observe(&mpc.View{Height: 12})
	require.Equal(t, storage.ChainSeen{ChainID: "seq-2", Height: 12}, noted())
}

// A database that takes nothing is told of once, and asked again.
func TestChainNoteFails(t *testing.T) {
	v, _ := newVault(t)
	var out logBuffer
	n := &chainNote{db: v.Database(), chainID: "seq-1", log: slog.New(slog.NewTextHandler(&out, nil))}
	require.NoError(t, v.Close())
	n.observe(&mpc.View{Height: 1})
	first := out.String()
	require.Contains(t, first, "could not be told how far the chain is")
	n.observe(&mpc.View{Height: 2})
	require.Equal(t, first, out.String())
}

func TestBehindChain(t *testing.T) {
	at := func(height int64) storage.ChainSeen { return storage.ChainSeen{ChainID: "seq-1", Height: height} }
	for name, c := range map[string]struct {
		seen   storage.ChainSeen
		id     string
		height int64
		behind bool
	}{
		"never told":                      {storage.ChainSeen{}, "seq-1", 5000, false},
		"as it was":                       {at(100), "seq-1", 100, false},
		"killed":                          {at(100), "seq-1", 100 + chainLag, false},
		"an older copy":                   {at(100), "seq-1", 101 + chainLag, true},
		"rolled back":                     {at(100), "seq-1", 50, false},
		"the data are fetched anew":       {at(100), "seq-1", 0, false},
		"exported, and begins again":      {at(100), "seq-2", 0, false},
		"a copy of before it began again": {at(100), "seq-2", 101, true},
	} {
		require.Equal(t, c.behind, behindChain(c.seen, c.id, c.height) != "", name)
	}
}

// TestFolderIsPutBack: a set of pre-parameters is used, and an older copy of the database
// put back that has it still, alone or with the audit log beside it. Nobody gets the set
// again, and the operator is told, once; of a copy of just now nothing at the start shows what
// it is. A backup that is restored over the copy destroys the set, even if it has nothing that
// the copy lacks, and leaves nothing to tell only if it was made after the set was used. The
// identity of a backup alone says nothing of the database.
func TestFolderIsPutBack(t *testing.T) {
	before, after := -time.Hour, time.Hour
	for name, c := range map[string]struct {
		whole bool
		// blocks were made since the copy.
		blocks int64
		// backup is how long after the set was used the backup was made that is restored; 0:
		// none is.
		backup time.Duration
		// identity: that of the backup alone is restored.
		identity bool
		told     bool
		burned   bool
	}{
		"the folder":                                    {whole: true, blocks: chainLag + 1, told: true, burned: true},
		"the folder, and then a backup":                 {whole: true, blocks: chainLag + 1, backup: before, told: true, burned: true},
		"the folder, and then an identity":              {whole: true, blocks: chainLag + 1, backup: after, identity: true, told: true, burned: true},
		"the folder, of just now":                       {whole: true, blocks: chainLag},
		"the folder, of just now, and then a backup":    {whole: true, blocks: chainLag, backup: before, burned: true},
		"the database":                                  {blocks: 1, told: true, burned: true},
		"the database, and then an identity":            {blocks: 1, backup: after, identity: true, told: true, burned: true},
		"the database, and then a backup of before":     {blocks: 1, backup: before, told: true, burned: true},
		"the database, and then a backup of afterwards": {blocks: 1, backup: after, burned: true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, home := vaultConfig(t, "horse")
			v := makeVault(t, cfg, home)
			paths := cfg.PathsOf(home)
			_, err := v.Database().AddPreparams([]byte("set"))
			require.NoError(t, err)
			m := memberOf(v, 100)
			m.openAudit(paths.Folder)
			m.seen.observe(&mpc.View{Height: 100})
			require.NoError(t, m.audit.Append(audit.Entry{Event: audit.BackedUp, Note: "x"}))
			noted := headAt(0, -2*databaseLag)(m.audit.Head())
			require.NoError(t, v.Database().NoteAudit(noted))
			m.closeAudit()
			saved := &backup.Saved{
				ChainID: "seq-1", Created: time.Now().Add(c.backup), Contents: contentOf(t, v.Database()), Seeds: [][]byte{v.Keys()[0].Seed()},
			}
			require.NoError(t, v.Close())
			put := filepath.Join(t.TempDir(), "copy")
			require.NoError(t, os.CopyFS(put, os.DirFS(paths.Folder)))

			// The set is used.
			v, err = OpenVault(cfg, home)
			require.NoError(t, err)
			m = memberOf(v, 100)
			m.openAudit(paths.Folder)
			require.Empty(t, m.warnings)
			require.NoError(t, v.Database().BurnPreparams(1))
			(&auditor{lines: m.audit, log: m.log}).PreparamsBurned(mpc.Use{Request: types.RequestID{Kind: types.KindKeygen, ID: "key"}, Key: "key"})
			m.closeAudit()
			require.NoError(t, v.Close())

			gone, back := paths.Database, filepath.Join(put, filepath.Base(paths.Database))
			if c.whole {
				gone, back = paths.Folder, put
			}
			require.NoError(t, os.RemoveAll(gone))
			require.NoError(t, os.CopyFS(gone, os.DirFS(back)))
			restore := RestoreVault
			if c.identity {
				restore = RestoreIdentityAlone
				require.NoError(t, os.Remove(paths.Identity))
			}
			if c.backup != 0 {
				done, err := restore(paths, []byte("horse"), saved, Origin{ChainID: "seq-1"})
				require.NoError(t, err)
				require.NoError(t, Record(t.Context(), paths, RestoreOperation(saved, done)))
			}

			for _, told := range []bool{c.told, false} {
				v, err = OpenVault(cfg, home)
				require.NoError(t, err)
				m = memberOf(v, 100+c.blocks)
				m.openAudit(paths.Folder)
				if told {
					require.Len(t, m.warnings, 1)
					require.Equal(t, string(types.ErrDatabaseOld), m.warnings[0].Reason)
					require.Equal(t, c.backup != 0 && !c.identity, strings.Contains(m.warnings[0].Detail, "a backup of "+saved.Created.UTC().Format(time.RFC3339)))
				} else {
					require.Empty(t, m.warnings)
				}
				sets, err := v.Database().Preparams()
				require.NoError(t, err)
				require.Equal(t, c.burned, len(sets) == 0)
				m.seen.observe(&mpc.View{Height: 100 + c.blocks})
				m.noteAudit(m.audit.Head(), true)
				m.closeAudit()
				require.NoError(t, v.Close())
			}
		})
	}
}

// memberOf is a node with this vault, whose chain is at a height when it starts.
func memberOf(v *Vault, height int64) *member {
	var out logBuffer
	m := testMember(&out)
	m.vault, m.began = v, height
	m.seen = &chainNote{db: v.Database(), chainID: m.app.ChainID(), log: m.log}
	return m
}
