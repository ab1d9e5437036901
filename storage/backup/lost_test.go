package backup

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

// What a node lost since its last backup, and what is no loss.
func TestLostSince(t *testing.T) {
	entry := func(key string, epoch uint64, status types.Status, share bool) Entry {
		return Entry{KeyID: key, Epoch: epoch, Status: status.String(), Share: share}
	}
	has := func(key string, epoch uint64) Entry { return entry(key, epoch, types.StatusReady, true) }
	last := Manifest{Records: []Entry{has("a", 0), has("a", 1), has("b", 3)}}
	for name, c := range map[string]struct {
		now         Manifest
		older, gone []string
		// elsewhere is what the chain says.
		elsewhere []string
		refused   bool
	}{
		"nothing":                                 {Manifest{Records: last.Records}, nil, nil, nil, false},
		"the epoch before is retired":             {Manifest{Records: []Entry{has("a", 1), has("b", 3)}}, nil, nil, nil, false},
		"a later epoch is there":                  {Manifest{Records: []Entry{has("a", 2), has("b", 3)}}, nil, nil, nil, false},
		"a key was destroyed":                     {Manifest{Records: []Entry{has("b", 3)}, Tombstones: []string{"a"}}, nil, nil, nil, false},
		"all keys were destroyed":                 {Manifest{Tombstones: []string{"a", "b"}}, nil, nil, nil, false},
		"others have the key now, says the chain": {Manifest{Records: []Entry{has("b", 3)}}, nil, []string{"a"}, []string{"a"}, false},
		"others have another key":                 {Manifest{Records: []Entry{has("b", 3)}}, nil, []string{"a"}, []string{"b"}, true},
		"an older copy, says the chain or not":    {Manifest{Records: []Entry{has("a", 0), has("b", 3)}}, []string{"a"}, nil, []string{"a"}, true},
		"a key is gone, and nobody says why":      {Manifest{Records: []Entry{has("b", 3)}}, nil, []string{"a"}, nil, true},
		"an older copy":                           {Manifest{Records: []Entry{has("a", 0), has("b", 3)}}, []string{"a"}, nil, nil, true},
		"an older copy, and a gone key":           {Manifest{Records: []Entry{has("a", 0)}}, []string{"a"}, []string{"b"}, nil, true},
		"a new database":                          {Manifest{}, nil, []string{"a", "b"}, nil, true},
		"the epoch is not READY": {Manifest{Records: []Entry{has("a", 0), entry("a", 1, types.StatusPending, true), has("b", 3)}},
			[]string{"a"}, nil, nil, true},
		"a record without its share": {Manifest{Records: []Entry{entry("a", 1, types.StatusReady, false), has("b", 3)}},
			nil, []string{"a"}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			lost := LostSince(&last, c.now)
			require.Equal(t, c.older, lost.Older)
			require.Equal(t, c.gone, lost.Gone)
			require.Equal(t, len(c.older)+len(c.gone) == 0, lost.String() == "")
			if err := lost.Check(c.elsewhere, nil); c.refused {
				require.ErrorIs(t, err, ErrLost)
				require.ErrorIs(t, err, types.ErrBackup)
			} else {
				require.NoError(t, err)
			}
		})
	}
	require.NoError(t, LostSince(nil, Manifest{}).Check(nil, nil))
}

// Shares that were not READY yet, as while a reshare is tested: what took their place, and what
// only the chain knows.
func TestLostStaged(t *testing.T) {
	entry := func(key string, epoch uint64, session string, status types.Status, share bool) Entry {
		return Entry{KeyID: key, Epoch: epoch, Session: session, Status: status.String(), Share: share}
	}
	had, staged := entry("a", 0, "won", types.StatusReady, true), entry("a", 1, "tested", types.StatusPending, true)
	made, unfinished := entry("b", 0, "keygen", types.StatusPending, true), entry("b", 0, "under way", types.StatusPending, false)
	last := Manifest{Records: []Entry{had, staged, made, unfinished}}
	for name, c := range map[string]struct {
		now    []Entry
		dead   []string
		staged string
	}{
		"nothing is lost":              {[]Entry{had, staged, made}, nil, ""},
		"the chain chose them":         {[]Entry{had, entry("a", 1, "tested", types.StatusReady, true), entry("b", 0, "keygen", types.StatusReady, true)}, nil, ""},
		"the chain chose another one":  {[]Entry{had, entry("a", 1, "other", types.StatusReady, true), made}, nil, ""},
		"a later epoch is there":       {[]Entry{entry("a", 2, "later", types.StatusReady, true), made}, nil, ""},
		"a key was destroyed":          {[]Entry{had, staged}, []string{"b"}, ""},
		"a copy of before the reshare": {[]Entry{had, made}, nil, "a epoch 1"},
		"one of before the keygen too": {[]Entry{had}, nil, "a epoch 1, b epoch 0"},
		"another reshare is tested":    {[]Entry{had, entry("a", 1, "next", types.StatusPending, true), made}, nil, "a epoch 1"},
		"a record without its share":   {[]Entry{had, entry("a", 1, "tested", types.StatusPending, false), made}, nil, "a epoch 1"},
		"another key has that epoch":   {[]Entry{had, staged, entry("c", 3, "x", types.StatusReady, true)}, nil, "b epoch 0"},
	} {
		t.Run(name, func(t *testing.T) {
			lost := LostSince(&last, Manifest{Records: c.now, Tombstones: c.dead})
			require.Equal(t, c.staged, lost.StagedString())
			require.Empty(t, lost.String())
			require.NoError(t, lost.Check(nil, nil), "nobody can say what became of them")
			err := lost.Check(nil, lost.Staged)
			require.Equal(t, c.staged != "", err != nil)
			if err != nil {
				require.ErrorIs(t, err, ErrLost)
				require.ErrorContains(t, err, "shares of "+c.staged+", which the chain signs with")
			}
			require.Equal(t, c.staged, lost.Unjudged().StagedString(), "of no session is known")
			for i := range lost.Staged {
				lost.Staged[i].Context = "known"
			}
			require.Empty(t, lost.Unjudged().StagedString())
			require.Equal(t, c.staged, lost.StagedString())
		})
	}
}

// A manifest tells of which session a share is that was not READY, and of no other one. Where
// one of before does not, its file opens all the same.
func TestManifestTellsOfStagedShares(t *testing.T) {
	keys := newKeyPair(t)
	for _, before := range []bool{false, true} {
		db, f := newDB(t), At(filepath.Join(t.TempDir(), "backups"))
		made := share("a", 1)
		made.Request = types.RequestID{Kind: types.KindReshare, ID: "a-2"}
		put(t, db, share("a", 0), ready(share("a", 0)), made)
		b, err := Plan(db, []ed25519.PrivateKey{identity}, "seq-1", nil, false, at)
		require.NoError(t, err)
		require.Empty(t, b.Manifest.Records[0].Context+b.Manifest.Records[0].Request, "READY")
		require.Equal(t, types.Context{9}.String(), b.Manifest.Records[1].Context)
		require.Equal(t, "a-2", b.Manifest.Records[1].Request)
		require.Equal(t, 2, b.Manifest.Version)
		if before {
			b.Manifest.Version, b.Manifest.Records[1].Context, b.Manifest.Records[1].Request = 1, "", ""
		}
		_, err = f.Add(b.Manifest, func(w io.Writer) error { return b.Write(w, keys.to) })
		require.NoError(t, err)
		for range 2 {
			saved, err := f.Open(keys.with)
			require.NoError(t, err)
			require.Equal(t, contents(t, db), saved.Contents)
			require.Equal(t, 1, save(t, db, f, keys.to, false).Records[1].In, "the share is not saved again")
		}
	}
}

// savedTwice is a node that saved epoch 0 of a key, and then epoch 1, a copy of it of before
// that, and what it saved last.
func savedTwice(t *testing.T, keys keyPair, f Folder) (node, old *storage.DB, second Manifest) {
	t.Helper()
	node, old = newDB(t), newDB(t)
	put(t, node, share("k", 0), ready(share("k", 0)))
	put(t, old, share("k", 0), ready(share("k", 0)))
	save(t, node, f, keys.to, false)
	put(t, node, share("k", 1), ready(share("k", 1)))
	return node, old, save(t, node, f, keys.to, false)
}

// What a node lost is seen as well where a file of before the newest one is missing.
func TestLostOfABrokenFolder(t *testing.T) {
	keys, f := newKeyPair(t), At(filepath.Join(t.TempDir(), "backups"))
	_, old, second := savedTwice(t, keys, f)
	removeFiles(t, f.dir, 1)
	head, err := f.Head()
	require.NoError(t, err)
	require.ErrorIs(t, head.Broken, ErrChain)
	require.Equal(t, second, *head.Last)
	b, err := Plan(old, []ed25519.PrivateKey{identity}, "seq-1", head.Last, true, at)
	require.NoError(t, err)
	require.ErrorIs(t, LostSince(head.Last, b.Manifest).Check(nil, nil), ErrLost)
}

func TestLostNamesSome(t *testing.T) {
	var l Lost
	for i := range 10 {
		l.Older = append(l.Older, fmt.Sprintf("k%d", i))
	}
	require.ErrorContains(t, l.Check(nil, nil), "of k0, k1, k2, k3, k4, k5, k6, k7 and 2 more the node")
}

// A node saves epoch 1, is put back to a copy that has epoch 0, and a file is added all the
// same: what was saved before is restored from the files before.
func TestUpto(t *testing.T) {
	keys, f := newKeyPair(t), At(filepath.Join(t.TempDir(), "backups"))
	_, old, second := savedTwice(t, keys, f)
	third := save(t, old, f, keys.to, false)
	require.Equal(t, []string{"k"}, LostSince(&second, third).Older)

	newest, err := f.Open(keys.with)
	require.NoError(t, err)
	require.Len(t, newest.Records, 1)
	before, err := f.Upto(2).Open(keys.with)
	require.NoError(t, err)
	require.Len(t, before.Records, 2)
	done, err := old.Restore(before.Contents)
	require.NoError(t, err)
	require.Equal(t, 1, done.Shares)

	_, err = f.Upto(4).Newest()
	require.ErrorIs(t, err, ErrNone, "there is no such file")
	_, err = f.Upto(2).Add(Manifest{Number: 3, Full: true}, nil)
	require.ErrorContains(t, err, "do not count")
}
