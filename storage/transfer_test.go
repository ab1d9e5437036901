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

// An older copy of the database knows of sessions that were under way then, as PENDING,
// or as interrupted once it was opened; a newer backup has their shares.
func TestRestoreOverAnOlderCopy(t *testing.T) {
	newer, _ := newDB(t)
	put(t, newer, staged(session(1)), staged(session(2)), promoted(session(2)), pending(session(3)))
	want := contentsOf(t, newer)
	db, dir := newDB(t)
	failed := pending(session(1))
	failed.Status, failed.Reason = types.StatusError, types.ErrInterrupted
	put(t, db, pending(session(1)), failed, pending(session(2)), pending(session(3)))
	_, err := db.AddPreparams([]byte("a set that was used since"))
	require.NoError(t, err)
	done, err := db.Restore(want)
	require.NoError(t, err)
	require.Equal(t, Restored{Records: 2, Shares: 2, Preparams: 1}, done)
	unused, err := db.Preparams()
	require.NoError(t, err)
	require.Empty(t, unused, "pre-parameters serve once")
	_, err = db.AddPreparams([]byte("set"))
	require.NoError(t, err)
	done, err = db.Restore(want)
	require.NoError(t, err)
	require.Equal(t, Restored{Preparams: 1}, done)
	unused, err = db.Preparams()
	require.NoError(t, err)
	require.Empty(t, unused, "a copy that lacks nothing of the backup may be an older one too")
	require.Equal(t, want, contentsOf(t, db))
	require.NoError(t, db.Close())
	require.Equal(t, want, contentsOf(t, reopen(t, dir)))
}

// A share that the chain may never choose does not keep out the one that signs.
func TestRestoreBesideAStagedEpoch(t *testing.T) {
	db, _ := newDB(t)
	put(t, db, staged(types.RecordKey{KeyID: "key-1", Epoch: 1, Session: types.SessionID{1}}))
	ready := staged(types.RecordKey{KeyID: "key-1", Session: types.SessionID{2}})
	ready.Status = types.StatusReady
	done, err := db.Restore(Contents{Records: []types.Record{ready}})
	require.NoError(t, err)
	require.Equal(t, 1, done.Shares)
}

func TestRestoreRefuses(t *testing.T) {
	older := staged(types.RecordKey{KeyID: "key-1", Epoch: 0, Session: types.SessionID{9}})
	older.HasData = true
	other := staged(types.RecordKey{KeyID: "key-1", Epoch: 3, Session: types.SessionID{1}})
	other.Data = []byte("another share")
	context := staged(types.RecordKey{KeyID: "key-1", Epoch: 3, Session: types.SessionID{1}})
	context.Context = types.Context{7}
	late := staged(types.RecordKey{KeyID: "key-1", Epoch: 3, Session: types.SessionID{2}})
	late.Participants = late.Participants[1:]
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
		"a share of other participants for a record without": {
			Contents{Records: []types.Record{late}}, ErrOtherContent, types.ErrRestore,
		},
		"an older epoch's share for a record without": {
			Contents{Records: []types.Record{staged(types.RecordKey{KeyID: "key-1", Epoch: 2, Session: types.SessionID{3}})}},
			ErrOlderEpoch, types.ErrRestore,
		},
		"a destroyed key": {
			Contents{Records: []types.Record{staged(types.RecordKey{KeyID: "key-gone"})}}, types.ErrKeyDeleted, types.ErrKeyDeleted,
		},
		"a key with a tombstone beside": {
			Contents{Records: []types.Record{staged(types.RecordKey{KeyID: "key-8"})}, Tombstones: []types.KeyID{"key-8"}},
			types.ErrKeyDeleted, types.ErrKeyDeleted,
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
				promoted(types.RecordKey{KeyID: "key-1", Epoch: 3, Session: types.SessionID{1}}),
				pending(types.RecordKey{KeyID: "key-1", Epoch: 3, Session: types.SessionID{2}}),
				pending(types.RecordKey{KeyID: "key-1", Epoch: 2, Session: types.SessionID{3}}))
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

// What a request is bound to here stays, and a backup that has it otherwise brings all the
// rest: the two differ after a restoring that brought no bindings, which is no reason to
// keep a share out.
func TestRestoreLeavesDifferingBindingsOut(t *testing.T) {
	db, dir := newDB(t)
	require.NoError(t, db.BindDigest("digest", types.Hash{1}, []byte{1}))
	require.NoError(t, db.BindDigest("content", types.Hash{1}, []byte{1}))
	require.NoError(t, db.BindDigest("same", types.Hash{1}, []byte{1}))
	want, err := db.Bindings()
	require.NoError(t, err)
	done, err := db.Restore(Contents{
		Records: []types.Record{staged(session(1))},
		Bindings: []Binding{
			{"digest", types.Hash{1}, []byte{9}}, {"new", types.Hash{3}, []byte{3}},
			{"same", types.Hash{1}, []byte{1}}, {"content", types.Hash{9}, []byte{1}},
		},
	})
	require.NoError(t, err)
	require.Equal(t, Restored{Records: 1, Shares: 1, Bindings: 1, BindingsDiffer: []string{"content", "digest"}}, done)
	require.NoError(t, db.Close())
	db = reopen(t, dir)
	_, err = db.OpenShare(session(1))
	require.NoError(t, err)
	have, err := db.Bindings()
	require.NoError(t, err)
	require.Subset(t, have, want)
	require.Len(t, have, len(want)+1)
	require.ErrorIs(t, db.BindDigest("digest", types.Hash{1}, []byte{9}), types.ErrDigestBound)
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
		destroyed: [][]byte{preparamsEntry(prefixPreparamsKey, 1), preparamsEntry(prefixPreparamsKey, 2)},
		between: func(c content) content {
			// Two sets are gone, with a key each; nothing is restored yet.
			c.Preparams = map[uint64]string{}
			c.Entries -= 2 * 2
			return c
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
	restore := func(passphrase []byte, seeds [][]byte) (int, error) {
		return RestoreIdentity(again, passphrase, seeds, cheap)
	}
	_, err = restore(nil, seeds)
	require.ErrorIs(t, err, ErrEmptyPassphrase)
	for _, wrong := range [][][]byte{nil, {{1}}} {
		_, err = restore(passphrase, wrong)
		require.ErrorIs(t, err, ErrInvalid)
	}
	require.NoFileExists(t, again)
	added, err := restore(newPassphrase, seeds)
	require.NoError(t, err)
	require.Equal(t, 2, added)
	keys := func() []ed25519.PublicKey {
		back, err := LoadIdentity(again, newPassphrase)
		require.NoError(t, err)
		return back.PublicKeys()
	}
	require.Equal(t, public, keys())

	// One that is there stays, if it has these keys, and maybe more.
	added, err = restore(passphrase, seeds[:1])
	require.NoError(t, err)
	require.Zero(t, added)
	_, err = AddIdentityKey(again, newPassphrase, Options{})
	require.NoError(t, err)
	before, err := os.ReadFile(again)
	require.NoError(t, err)
	other := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Seed()
	for _, c := range [][][]byte{seeds, {other}, append([][]byte{other}, seeds...)} {
		added, err = restore(newPassphrase, c)
		require.Zero(t, added)
		if len(c) != len(seeds) {
			require.ErrorIs(t, err, ErrIdentityExists)
		}
		after, err := os.ReadFile(again)
		require.NoError(t, err)
		require.Equal(t, string(before), string(after))
	}

	// An older copy gets the keys that it lacks, all in their order.
	require.NoError(t, os.Remove(again))
	_, err = restore(newPassphrase, seeds[:1])
	require.NoError(t, err)
	_, err = restore(passphrase, seeds)
	require.ErrorIs(t, err, ErrWrongPassphrase)
	require.Equal(t, public[:1], keys())
	added, err = restore(newPassphrase, seeds)
	require.NoError(t, err)
	require.Equal(t, 1, added)
	require.Equal(t, public, keys())
}
