package storage

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Every pair of statuses goes or does not go as the one table says.
func TestPutRecordFollowsTheTransitionTable(t *testing.T) {
	statuses := []types.Status{types.StatusNone, types.StatusPending, types.StatusReady, types.StatusError}
	for _, from := range statuses {
		for _, to := range statuses[1:] {
			t.Run(fmt.Sprintf("%s to %s", from, to), func(t *testing.T) {
				db, _ := newDB(t)
				r := staged(session(1))
				if from != types.StatusNone {
					put(t, db, r)
					r.Status = from
					put(t, db, r)
				}
				before := contentOf(t, db)
				r.Status = to
				err := db.PutRecord(r)
				if from.CanMoveTo(to) {
					require.NoError(t, err)
					after := contentOf(t, db)
					require.Equal(t, to, after.Records[0].Status)
					return
				}
				require.ErrorIs(t, err, ErrStatus)
				require.Equal(t, before, contentOf(t, db))
			})
		}
	}
}

func TestShareIsStoredOnce(t *testing.T) {
	k := session(1)
	for name, c := range map[string]struct {
		edit func(*types.Record)
		want error
	}{
		"nil keeps it":       {func(r *types.Record) { r.Data = nil }, nil},
		"nil and not has":    {func(r *types.Record) { r.Data, r.HasData = nil, false }, nil},
		"the same again":     {func(*types.Record) {}, nil},
		"another":            {func(r *types.Record) { r.Data = []byte("another") }, ErrFixed},
		"one bit differs":    {func(r *types.Record) { r.Data = shareOf(k); r.Data[5] ^= 1 }, ErrFixed},
		"empty":              {func(r *types.Record) { r.Data = []byte{} }, ErrFixed},
		"other context":      {func(r *types.Record) { r.Context[0]++ }, ErrFixed},
		"other algorithm":    {func(r *types.Record) { r.Algorithm++ }, ErrFixed},
		"other threshold":    {func(r *types.Record) { r.Threshold++ }, ErrFixed},
		"other public key":   {func(r *types.Record) { r.PublicKey[3]++ }, ErrFixed},
		"other payload":      {func(r *types.Record) { r.Payload = nil }, ErrFixed},
		"other participants": {func(r *types.Record) { r.Participants = r.Participants[1:] }, ErrFixed},
		"other times":        {func(r *types.Record) { r.Updated = r.Updated.Add(time.Hour) }, nil},
	} {
		for _, status := range []types.Status{types.StatusPending, types.StatusReady, types.StatusError} {
			t.Run(fmt.Sprintf("%s, to %s", name, status), func(t *testing.T) {
				db, dir := newDB(t)
				put(t, db, pending(k), staged(k))
				r := staged(k)
				r.Status = status
				c.edit(&r)
				if c.want != nil {
					require.ErrorIs(t, db.PutRecord(r), c.want)
				} else {
					require.NoError(t, db.PutRecord(r))
				}
				require.NoError(t, db.Close())
				db = reopen(t, dir)
				share, err := db.OpenShare(k)
				require.NoError(t, err)
				require.Equal(t, shareOf(k), share)
				all, err := db.Records()
				require.NoError(t, err)
				require.True(t, all[0].HasData)
				require.Nil(t, all[0].Data)
			})
		}
	}
}

func TestReadyNeedsAShare(t *testing.T) {
	db, _ := newDB(t)
	put(t, db, pending(session(1)))
	r := pending(session(1))
	r.Status, r.HasData = types.StatusReady, true
	require.ErrorIs(t, db.PutRecord(r), types.ErrShareMissing)
	r = staged(session(1))
	r.Status = types.StatusReady
	require.NoError(t, db.PutRecord(r))
}

func TestHasDataIsTheStoresOwn(t *testing.T) {
	db, _ := newDB(t)
	r := pending(session(1))
	r.HasData = true
	put(t, db, r)
	all, err := db.Records()
	require.NoError(t, err)
	require.False(t, all[0].HasData)
	_, err = db.OpenShare(session(1))
	require.ErrorIs(t, err, types.ErrShareMissing)
	_, err = db.OpenShare(session(2))
	require.ErrorIs(t, err, types.ErrShareMissing)
}

func TestLargestShare(t *testing.T) {
	db, dir := newDB(t)
	r := staged(session(1))
	r.Data = make([]byte, MaxShareBytes)
	_, err := steady(t).Read(r.Data)
	require.NoError(t, err)
	put(t, db, r)
	killed := reopen(t, restore(t, snapshot(t, dir)))
	share, err := killed.OpenShare(session(1))
	require.NoError(t, err)
	require.Equal(t, r.Data, share)
	value := stored(t, db, recordEntry(prefixRecordKey, session(1)))
	require.NoError(t, db.DestroyRecord(session(1)))
	require.Empty(t, holds(t, dir, value))
}

func TestRecordsAreOrdered(t *testing.T) {
	db, _ := newDB(t)
	want := []types.RecordKey{
		{KeyID: "a", Epoch: 0, Session: types.SessionID{1}},
		{KeyID: "a", Epoch: 0, Session: types.SessionID{2}},
		{KeyID: "a", Epoch: 3, Session: types.SessionID{0}},
		{KeyID: "a", Epoch: 256, Session: types.SessionID{0}},
		{KeyID: "a-b", Epoch: 0},
		{KeyID: "ab", Epoch: 0},
	}
	for _, i := range []int{3, 5, 0, 2, 4, 1} {
		put(t, db, staged(want[i]))
	}
	all, err := db.Records()
	require.NoError(t, err)
	var got []types.RecordKey
	for _, r := range all {
		got = append(got, r.RecordKey)
	}
	require.Equal(t, want, got)
}

func TestStoreKeepsNothingOfTheCallers(t *testing.T) {
	db, _ := newDB(t)
	r := staged(session(1))
	put(t, db, r)
	want := contentOf(t, db)
	types.Wipe(r.Data)
	types.Wipe(r.PublicKey)
	r.Participants[0] = "somebody"
	share, err := db.OpenShare(session(1))
	require.NoError(t, err)
	types.Wipe(share)
	require.Equal(t, want, contentOf(t, db))
}

func TestDestroyRecord(t *testing.T) {
	db, dir := newDB(t)
	put(t, db, staged(session(1)), staged(session(2)))
	require.NoError(t, db.DestroyRecord(session(1)))
	require.NoError(t, db.DestroyRecord(session(1)), "again")
	require.NoError(t, db.DestroyRecord(session(7)), "never there")
	all, err := db.Records()
	require.NoError(t, err)
	require.Len(t, all, 1)
	put(t, db, staged(session(1))) // no tombstone: the same session may come again
	require.NoError(t, db.Close())
	require.Len(t, contentOf(t, reopen(t, dir)).Shares, 2)
}

func TestDestroyKey(t *testing.T) {
	db, dir := newDB(t)
	neighbour := types.RecordKey{KeyID: "key-10", Epoch: 0}
	put(t, db, staged(session(1)), pending(session(2)), staged(types.RecordKey{KeyID: "key-1", Epoch: 4}), staged(neighbour),
		pending(types.RecordKey{KeyID: "key-2"}))
	require.NoError(t, db.DestroyKey("key-1"))
	require.NoError(t, db.DestroyKey("key-2"), "a session without a share")
	require.NoError(t, db.DestroyKey("key-1"), "again")
	require.NoError(t, db.DestroyKey("an-unknown-one"))
	require.ErrorIs(t, db.DestroyKey("no id"), types.ErrBadID)
	require.NoError(t, db.Close())

	db = reopen(t, dir)
	ids, err := db.Tombstones()
	require.NoError(t, err)
	require.Equal(t, []types.KeyID{"an-unknown-one", "key-1", "key-2"}, ids)
	for id, want := range map[types.KeyID]bool{"key-1": true, "key-2": false, "an-unknown-one": false, "key-10": false, "no-tombstone": false} {
		had, err := db.HadShares(id)
		require.NoError(t, err)
		require.Equal(t, want, had, id)
	}
	all, err := db.Records()
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, neighbour, all[0].RecordKey)
	for _, r := range []types.Record{pending(session(1)), staged(session(9))} {
		require.ErrorIs(t, db.PutRecord(r), types.ErrKeyDeleted)
	}
}
