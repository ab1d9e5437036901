package storage

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAuditHead(t *testing.T) {
	db, dir := newDB(t)
	h, err := db.AuditHead()
	require.NoError(t, err)
	require.Zero(t, h)
	for n := range uint64(3) { // it is one entry, replaced
		h = AuditHead{Number: 7 + n, Hash: [AuditHashBytes]byte{1, byte(n)}, Lost: 2, At: time.Unix(1000, 0).UTC()}
		require.NoError(t, db.NoteAudit(h))
	}
	entries := db.main.state.entries
	require.NoError(t, db.Close())
	db = reopen(t, dir)
	require.Equal(t, entries, db.main.state.entries)
	got, err := db.AuditHead()
	require.NoError(t, err)
	require.Equal(t, h, got)

	whole := h.encode()
	for _, raw := range [][]byte{nil, whole[:len(whole)-1], append(whole, 0)} {
		_, err := decodeAuditHead(raw)
		require.ErrorIs(t, err, ErrEntryDamaged)
	}
}
