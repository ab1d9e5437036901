package storage

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCompared(t *testing.T) {
	db, dir := newDB(t)
	c, err := db.Compared()
	require.NoError(t, err)
	require.Zero(t, c)
	for _, c = range []Compared{{Doubted: 9}, {}, {ChainID: "seq-1", Height: 1000}, {ChainID: "seq-1", Height: 900, Doubted: 7}} {
		require.NoError(t, db.NoteCompared(c)) // it is one entry, replaced
		got, err := db.Compared()
		require.NoError(t, err)
		require.Equal(t, c, got)
	}
	entries := db.main.state.entries
	require.NoError(t, db.Close())
	db = reopen(t, dir)
	require.Equal(t, entries, db.main.state.entries)
	got, err := db.Compared()
	require.NoError(t, err)
	require.Equal(t, c, got)

	for _, bad := range []Compared{{ChainID: "seq-1"}, {Height: 1}, {"seq-1", -1, 0}, {strings.Repeat("x", MaxChainIDBytes+1), 1, 0}} {
		require.ErrorIs(t, db.NoteCompared(bad), ErrInvalid)
		_, err := decodeCompared(bad.encode())
		require.ErrorIs(t, err, ErrEntryDamaged)
	}
	_, err = decodeCompared(c.encode()[:15])
	require.ErrorIs(t, err, ErrEntryDamaged)
}

func TestComparedGolden(t *testing.T) {
	c := Compared{ChainID: "sequencer-1", Height: 1 << 40, Doubted: 1 << 16}
	golden(t, "compared.golden", c.encode())
	got, err := decodeCompared(c.encode())
	require.NoError(t, err)
	require.Equal(t, c, got)
}

func FuzzCompared(f *testing.F) {
	f.Add(Compared{ChainID: "seq-1", Height: 7, Doubted: 3}.encode())
	f.Add(Compared{Doubted: 3}.encode())
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := decodeCompared(raw); err == nil {
			require.Equal(t, raw, c.encode())
		}
	})
}
