package storage

import (
	"fmt"
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

// many are bindings of so many requests.
func many(n int) []types.Binding {
	bindings := make([]types.Binding, n)
	for i := range bindings {
		bindings[i] = types.Binding{SignatureID: fmt.Sprintf("many-%d", i), Content: types.Hash{1, byte(i)}, Digest: []byte{byte(i)}}
	}
	return bindings
}

// What is bound already stays as it is, and keeps nothing else from being bound; what is
// invalid keeps all of it.
func TestBindDigests(t *testing.T) {
	db, dir := newDB(t)
	bindings := many(4)
	require.NoError(t, db.BindDigest(bindings[1].SignatureID, types.Hash{9}, []byte{9}))
	again := bindings[2]
	again.Digest = []byte{9}
	require.NoError(t, db.BindDigests(append(bindings, again)))
	require.NoError(t, db.Close())
	db = reopen(t, dir)
	for i, b := range bindings {
		err := db.BindDigest(b.SignatureID, b.Content, b.Digest)
		if i == 1 {
			require.ErrorIs(t, err, types.ErrDigestBound)
			require.NoError(t, db.BindDigest(b.SignatureID, types.Hash{9}, []byte{9}))
			continue
		}
		require.NoError(t, err)
		require.ErrorIs(t, db.BindDigest(b.SignatureID, b.Content, []byte{8}), types.ErrDigestBound)
	}
	require.ErrorIs(t, db.BindDigests([]types.Binding{{SignatureID: "other", Digest: []byte{1}}, {SignatureID: "empty"}}), ErrInvalid)
	require.NoError(t, db.BindDigest("other", types.Hash{2}, []byte{2}), "nothing was bound")
	require.NoError(t, db.BindDigests(nil))
}

func TestBindDigestBounds(t *testing.T) {
	db, _ := newDB(t)
	require.ErrorIs(t, db.BindDigest("", types.Hash{}, []byte{1}), types.ErrBadID)
	require.ErrorIs(t, db.BindDigest("s", types.Hash{}, nil), ErrInvalid)
	require.ErrorIs(t, db.BindDigest("s", types.Hash{}, make([]byte, MaxDigestBytes+1)), ErrInvalid)
	require.NoError(t, db.BindDigest("s", types.Hash{}, make([]byte, MaxDigestBytes)))
}
