package storage

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

func TestPreparamsAreUsedOnce(t *testing.T) {
	db, dir := newDB(t)
	for want := range uint64(3) {
		id, err := db.AddPreparams([]byte{byte(want + 1)})
		require.NoError(t, err)
		require.Equal(t, want+1, id)
	}
	set, err := db.OpenPreparams(2)
	require.NoError(t, err)
	require.Equal(t, []byte{2}, set)
	require.NoError(t, db.BurnPreparams(2))
	require.ErrorIs(t, db.BurnPreparams(2), types.ErrNoPreparams)
	require.ErrorIs(t, db.BurnPreparams(9), types.ErrNoPreparams)
	_, err = db.OpenPreparams(2)
	require.ErrorIs(t, err, types.ErrNoPreparams)
	ids, err := db.Preparams()
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 3}, ids)
	require.NoError(t, db.Close())
	db = reopen(t, dir)
	ids, err = db.Preparams()
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 3}, ids)
}

func TestPreparamsIDsAreNeverReused(t *testing.T) {
	db, dir := newDB(t)
	for want := uint64(1); want <= 4; want++ {
		id, err := db.AddPreparams([]byte("set"))
		require.NoError(t, err)
		require.Equal(t, want, id)
		require.NoError(t, db.BurnPreparams(id)) // the pool is empty each time
		require.NoError(t, db.Close())
		db = reopen(t, dir)
	}
}

func TestPreparamsBounds(t *testing.T) {
	db, _ := newDB(t)
	for _, set := range [][]byte{nil, {}, make([]byte, MaxPreparamsBytes+1)} {
		_, err := db.AddPreparams(set)
		require.ErrorIs(t, err, ErrInvalid)
	}
	_, err := db.AddPreparams(make([]byte, MaxPreparamsBytes))
	require.NoError(t, err)
}
