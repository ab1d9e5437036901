package backup

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
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
			if err := lost.Check(c.elsewhere...); c.refused {
				require.ErrorIs(t, err, ErrLost)
				require.ErrorIs(t, err, types.ErrBackup)
			} else {
				require.NoError(t, err)
			}
		})
	}
	require.NoError(t, LostSince(nil, Manifest{}).Check())
	staged := Manifest{Records: []Entry{has("a", 0), entry("a", 1, types.StatusPending, true)}}
	require.NoError(t, LostSince(&staged, Manifest{Records: []Entry{has("a", 0)}}).Check(), "the reshare failed, and what was staged was destroyed")
}

func TestLostNamesSome(t *testing.T) {
	var l Lost
	for i := range 10 {
		l.Older = append(l.Older, fmt.Sprintf("k%d", i))
	}
	require.ErrorContains(t, l.Check(), "of k0, k1, k2, k3, k4, k5, k6, k7 and 2 more the node")
}

// A node saves epoch 1, is put back to a copy that has epoch 0, and a file is added all the
// same: what was saved before is restored from the files before.
func TestUpto(t *testing.T) {
	keys, f := newKeyPair(t), At(filepath.Join(t.TempDir(), "backups"))
	node, old := newDB(t), newDB(t)
	put(t, node, share("k", 0), ready(share("k", 0)))
	put(t, old, share("k", 0), ready(share("k", 0)))
	save(t, node, f, keys.to, false)
	put(t, node, share("k", 1), ready(share("k", 1)))
	second := save(t, node, f, keys.to, false)
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
