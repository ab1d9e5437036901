package storage

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

func TestBindDigestForEver(t *testing.T) {
	db, dir := newDB(t)
	content, digest := types.Hash{1}, make([]byte, 32)
	require.NoError(t, db.BindDigest("sign-1", content, digest))
	check := func(db *DB) {
		require.NoError(t, db.BindDigest("sign-1", content, digest))
		require.ErrorIs(t, db.BindDigest("sign-1", types.Hash{2}, digest), types.ErrDigestBound)
		require.ErrorIs(t, db.BindDigest("sign-1", content, append([]byte{1}, digest[1:]...)), types.ErrDigestBound)
		require.ErrorIs(t, db.BindDigest("sign-1", content, digest[:31]), types.ErrDigestBound)
	}
	check(db)
	require.NoError(t, db.DestroyKey("key-1"))
	check(db)
	require.NoError(t, db.Close())
	check(reopen(t, dir))
}

func TestBindDigestBounds(t *testing.T) {
	db, _ := newDB(t)
	require.ErrorIs(t, db.BindDigest("", types.Hash{}, []byte{1}), types.ErrBadID)
	require.ErrorIs(t, db.BindDigest("s", types.Hash{}, nil), ErrInvalid)
	require.ErrorIs(t, db.BindDigest("s", types.Hash{}, make([]byte, MaxDigestBytes+1)), ErrInvalid)
	require.NoError(t, db.BindDigest("s", types.Hash{}, make([]byte, MaxDigestBytes)))
}
