package storage

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// contentsOf is what a backup of a database has.
func contentsOf(t testing.TB, db *DB) Contents {
	var c Contents
	var err error
	c.Records, err = db.Records()
	require.NoError(t, err)
	for i, r := range c.Records {
		if r.HasData {
			c.Records[i].Data, err = db.OpenShare(r.RecordKey)
			require.NoError(t, err)
		}
	}
	c.Tombstones, err = db.Tombstones()
	require.NoError(t, err)
	c.Bindings, err = db.Bindings()
	require.NoError(t, err)
	return c
}

func TestRestoreIntoAnEmptyDatabase(t *testing.T) {
	old, _ := newDB(t)
	fill(t, old)
	c := contentsOf(t, old)
	require.Len(t, c.Bindings, 3)
	db, dir := newDB(t)
	done, err := db.Restore(c)
	require.NoError(t, err)
	require.Equal(t, Restored{Records: 4, Shares: 3, Tombstones: 1, Bindings: 3}, done)
	require.Equal(t, c, contentsOf(t, db))
	unused, err := db.Preparams()
	require.NoError(t, err)
	require.Empty(t, unused, "pre-parameters serve once")

	// Again: nothing to do.
	done, err = db.Restore(c)
	require.NoError(t, err)
	require.Zero(t, done)
	require.NoError(t, db.Close())
	db = reopen(t, dir)
	require.Equal(t, c, contentsOf(t, db))
	require.ErrorIs(t, db.BindDigest("sign-1", types.Hash{1}, []byte{9}), types.ErrDigestBound, "bindings hold")
	require.ErrorIs(t, db.PutRecord(pending(types.RecordKey{KeyID: "key-gone"})), types.ErrKeyDeleted)
}

// What is there goes on: a share that became READY since stays READY.
func TestRestoreKeepsWhatIsThere(t *testing.T) {
	db, _ := newDB(t)
	put(t, db, staged(session(1)), pending(session(2)))
	c := contentsOf(t, db)
	put(t, db, promoted(session(1)))
	failed := pending(session(2))
	failed.Status, failed.Reason = types.StatusError, types.ErrInterrupted
	put(t, db, failed)
	want := contentsOf(t, db)
	done, err := db.Restore(c)
	require.NoError(t, err)
	require.Zero(t, done)
	require.Equal(t, want, contentsOf(t, db))
}

func TestRestoreRefuses(t *testing.T) {
	older := staged(types.RecordKey{KeyID: "key-1", Epoch: 0, Session: types.SessionID{9}})
	older.HasData = true
	other := staged(types.RecordKey{KeyID: "key-1", Epoch: 3, Session: types.SessionID{1}})
	other.Data = []byte("another share")
	context := staged(types.RecordKey{KeyID: "key-1", Epoch: 3, Session: types.SessionID{1}})
	context.Context = types.Context{7}
	late := staged(types.RecordKey{KeyID: "key-1", Epoch: 3, Session: types.SessionID{2}})
	ready := promoted(types.RecordKey{KeyID: "key-new"})
	for name, c := range map[string]struct {
		contents Contents
		want     error
		reason   types.Reason
	}{
		"an older epoch": {Contents{Records: []types.Record{older}}, ErrOlderEpoch, types.ErrRestore},
		"another share":  {Contents{Records: []types.Record{other}}, ErrOtherContent, types.ErrRestore},
		"a share of another session": {
			Contents{Records: []types.Record{context}}, ErrOtherContent, types.ErrRestore,
		},
		"a share for a record without": {Contents{Records: []types.Record{late}}, ErrOtherContent, types.ErrRestore},
		"a destroyed key": {
			Contents{Records: []types.Record{staged(types.RecordKey{KeyID: "key-gone"})}}, types.ErrKeyDeleted, types.ErrKeyDeleted,
		},
		"a key with a tombstone beside": {
			Contents{Records: []types.Record{staged(types.RecordKey{KeyID: "key-8"})}, Tombstones: []types.KeyID{"key-8"}},
			types.ErrKeyDeleted, types.ErrKeyDeleted,
		},
		"another digest": {
			Contents{Bindings: []Binding{{"sign-1", types.Hash{1}, []byte{9}}}}, types.ErrDigestBound, types.ErrDigestBound,
		},
		"a record twice": {
			Contents{Records: []types.Record{staged(session(7)), staged(session(7))}}, ErrInvalid, types.ErrWriteRefused,
		},
		"a binding twice": {
			Contents{Bindings: []Binding{{"s", types.Hash{1}, []byte{9}}, {"s", types.Hash{1}, []byte{9}}}}, ErrInvalid, types.ErrWriteRefused,
		},
		"READY without a share": {Contents{Records: []types.Record{ready}}, ErrInvalid, types.ErrWriteRefused},
		"a bad id":              {Contents{Tombstones: []types.KeyID{"a b"}}, ErrInvalid, types.ErrWriteRefused},
		"a long digest": {
			Contents{Bindings: []Binding{{"s", types.Hash{1}, make([]byte, 65)}}}, ErrInvalid, types.ErrWriteRefused,
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, _ := newDB(t)
			fill(t, db)
			put(t, db,
				staged(types.RecordKey{KeyID: "key-1", Epoch: 3, Session: types.SessionID{1}}),
				pending(types.RecordKey{KeyID: "key-1", Epoch: 3, Session: types.SessionID{2}}))
			want := contentOf(t, db)
			// What could be restored does not come either.
			c.contents.Records = append([]types.Record{staged(types.RecordKey{KeyID: "key-fine"})}, c.contents.Records...)
			done, err := db.Restore(c.contents)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, c.reason, types.ReasonOf(err))
			require.Zero(t, done)
			require.Equal(t, want, contentOf(t, db))
		})
	}
}

// All refusals are told at once.
func TestRestoreNamesEverythingItRefuses(t *testing.T) {
	db, _ := newDB(t)
	require.NoError(t, db.DestroyKey("a"))
	require.NoError(t, db.DestroyKey("b"))
	_, err := db.Restore(Contents{Records: []types.Record{staged(types.RecordKey{KeyID: "a"}), staged(types.RecordKey{KeyID: "b"})}})
	require.ErrorContains(t, err, "key a ")
	require.ErrorContains(t, err, "key b ")
}

// A tombstone does not shred what is there: that is the chain's to say. Of a key
// that is gone, sessions without a share are not missed.
func TestRestoreOfTombstones(t *testing.T) {
	db, _ := newDB(t)
	put(t, db, staged(session(1)))
	require.NoError(t, db.DestroyKey("key-gone"))
	done, err := db.Restore(Contents{
		Tombstones: []types.KeyID{"key-1", "key-gone", "key-9"},
		Records:    []types.Record{pending(types.RecordKey{KeyID: "key-gone"})},
	})
	require.NoError(t, err)
	require.Equal(t, Restored{Tombstones: 1}, done)
	all, err := db.Tombstones()
	require.NoError(t, err)
	require.Equal(t, []types.KeyID{"key-9", "key-gone"}, all)
	_, err = db.OpenShare(session(1))
	require.NoError(t, err)
}

func init() {
	crashCases["restore"] = crashCase{
		write: func(db *DB) error {
			_, err := db.Restore(Contents{
				Records:    []types.Record{staged(session(8)), pending(session(9))},
				Tombstones: []types.KeyID{"key-x"}, Bindings: []Binding{{"s-1", types.Hash{1}, []byte{1}}},
			})
			return err
		},
		settles: true,
	}
}

func TestRestoreIdentity(t *testing.T) {
	path, public := newIdentity(t, 2)
	id, err := LoadIdentity(path, passphrase)
	require.NoError(t, err)
	var seeds [][]byte
	for _, p := range public {
		k, _ := id.Key(p)
		seeds = append(seeds, k.Seed())
	}
	again := filepath.Join(t.TempDir(), "identity.json")
	require.ErrorIs(t, RestoreIdentity(again, nil, seeds, cheap), ErrEmptyPassphrase)
	require.ErrorIs(t, RestoreIdentity(again, passphrase, nil, cheap), ErrInvalid)
	require.ErrorIs(t, RestoreIdentity(again, passphrase, [][]byte{{1}}, cheap), ErrInvalid)
	require.NoFileExists(t, again)
	require.NoError(t, RestoreIdentity(again, newPassphrase, seeds, cheap))
	back, err := LoadIdentity(again, newPassphrase)
	require.NoError(t, err)
	require.Equal(t, public, back.PublicKeys())

	// One that is there stays, if it has these keys, and maybe more.
	_, err = AddIdentityKey(again, newPassphrase, Options{})
	require.NoError(t, err)
	before, err := os.ReadFile(again)
	require.NoError(t, err)
	require.NoError(t, RestoreIdentity(again, passphrase, seeds, cheap))
	other := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Seed()
	require.ErrorIs(t, RestoreIdentity(again, passphrase, [][]byte{other}, cheap), ErrIdentityExists)
	after, err := os.ReadFile(again)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}
