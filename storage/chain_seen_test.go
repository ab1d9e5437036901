package storage

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChainSeen(t *testing.T) {
	db, dir := newDB(t)
	s, err := db.ChainSeen()
	require.NoError(t, err)
	require.Zero(t, s)
	for height := range int64(3) { // it is one entry, replaced
		s = ChainSeen{ChainID: "seq-1", Height: 1000 - height} // a chain may be rolled back
		require.NoError(t, db.NoteChain(s))
	}
	entries := db.main.state.entries
	require.NoError(t, db.Close())
	db = reopen(t, dir)
	require.Equal(t, entries, db.main.state.entries)
	got, err := db.ChainSeen()
	require.NoError(t, err)
	require.Equal(t, s, got)

	for _, bad := range []ChainSeen{{}, {ChainID: "seq-1"}, {Height: 1}, {"seq-1", -1}, {strings.Repeat("x", MaxChainIDBytes+1), 1}} {
		require.ErrorIs(t, db.NoteChain(bad), ErrInvalid)
		_, err := decodeChainSeen(bad.encode())
		require.ErrorIs(t, err, ErrEntryDamaged)
	}
	_, err = decodeChainSeen(s.encode()[:7])
	require.ErrorIs(t, err, ErrEntryDamaged)
}

func TestChainSeenGolden(t *testing.T) {
	s := ChainSeen{ChainID: "sequencer-1", Height: 1 << 40}
	golden(t, "chain_seen.golden", s.encode())
	got, err := decodeChainSeen(s.encode())
	require.NoError(t, err)
	require.Equal(t, s, got)
}

func FuzzChainSeen(f *testing.F) {
	f.Add(ChainSeen{ChainID: "seq-1", Height: 7}.encode())
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := decodeChainSeen(raw); err == nil {
			require.Equal(t, raw, s.encode())
		}
	})
}
