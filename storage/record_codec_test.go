package storage

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// full is a record with every field set.
func full() types.Record {
	r := staged(types.RecordKey{KeyID: "key:full", Epoch: 1<<40 + 5, Session: types.SessionID{1, 2, 3}})
	r.Data, r.HasData = nil, true
	r.Status, r.Reason = types.StatusError, types.ErrLostToSession
	return r
}

// committed is one with a commitment too, which the first format did not have.
func committed() types.Record {
	r := full()
	r.Commitment = types.Hash{1, 2, 3}
	return r
}

func TestRecordGolden(t *testing.T) {
	for name, r := range map[string]types.Record{"record.golden": full(), "record2.golden": committed()} {
		b, err := encodeRecord(&r)
		require.NoError(t, err)
		golden(t, name, []byte(hex.Dump(b)))
		back, err := decodeRecord(b)
		require.NoError(t, err)
		require.Equal(t, r, back)
	}
}

func TestRecordRoundTrip(t *testing.T) {
	zone := time.FixedZone("somewhere", 3600)
	for name, edit := range map[string]func(*types.Record){
		"as it is":        func(*types.Record) {},
		"zero times":      func(r *types.Record) { r.Created, r.Updated = time.Time{}, time.Time{} },
		"zone":            func(r *types.Record) { r.Created = r.Created.In(zone) },
		"no participants": func(r *types.Record) { r.Participants = nil },
		"commitment":      func(r *types.Record) { r.Commitment = types.Hash{9} },
		"no request":      func(r *types.Record) { r.Request = types.RequestID{} },
		"most participants": func(r *types.Record) {
			r.Participants = nil
			for range types.MaxMembers {
				r.Participants = append(r.Participants, types.Operator(strings.Repeat("x", types.MaxOperatorBytes)))
			}
		},
		"largest payload": func(r *types.Record) { r.Payload = make([]byte, types.MaxPayloadBytes) },
	} {
		t.Run(name, func(t *testing.T) {
			r := full()
			edit(&r)
			b, err := encodeRecord(&r)
			require.NoError(t, err)
			back, err := decodeRecord(b)
			require.NoError(t, err)
			r.Created, r.Updated = r.Created.UTC(), r.Updated.UTC()
			require.Equal(t, r, back)
		})
	}
}

func TestRecordBounds(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n+1) }
	for name, edit := range map[string]func(*types.Record){
		"no key id":          func(r *types.Record) { r.KeyID = "" },
		"bad key id":         func(r *types.Record) { r.KeyID = "a\x00b" },
		"long key id":        func(r *types.Record) { r.KeyID = types.KeyID(long(types.MaxIDBytes)) },
		"share":              func(r *types.Record) { r.Data = make([]byte, MaxShareBytes+1) },
		"public key":         func(r *types.Record) { r.PublicKey = []byte(long(maxPublicKeyBytes)) },
		"payload":            func(r *types.Record) { r.Payload = []byte(long(types.MaxPayloadBytes)) },
		"participants":       func(r *types.Record) { r.Participants = make([]types.Operator, types.MaxMembers+1) },
		"empty participant":  func(r *types.Record) { r.Participants[0] = "" },
		"long participant":   func(r *types.Record) { r.Participants[0] = types.Operator(long(types.MaxOperatorBytes)) },
		"negative threshold": func(r *types.Record) { r.Threshold = -1 },
		"threshold":          func(r *types.Record) { r.Threshold = types.MaxMembers + 1 },
		"request id":         func(r *types.Record) { r.Request.ID = long(types.MaxIDBytes) },
		"reason":             func(r *types.Record) { r.Reason = types.Reason(long(maxReasonBytes)) },
		"status none":        func(r *types.Record) { r.Status = types.StatusNone },
		"status unknown":     func(r *types.Record) { r.Status = 9 },
		"far time":           func(r *types.Record) { r.Updated = time.Unix(maxUnixSeconds+1, 0) },
		"early time":         func(r *types.Record) { r.Created = time.Unix(minUnixSeconds-1, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			r := full()
			edit(&r)
			_, err := encodeRecord(&r)
			require.ErrorIs(t, err, ErrInvalid)
			db, _ := newDB(t)
			require.ErrorIs(t, db.PutRecord(r), ErrInvalid)
		})
	}
}

func TestDecodeRecordIsStrict(t *testing.T) {
	for _, r := range []types.Record{full(), committed()} {
		good, err := encodeRecord(&r)
		require.NoError(t, err)
		for n := range good {
			_, err := decodeRecord(good[:n])
			require.ErrorIsf(t, err, ErrEntryDamaged, "cut to %d bytes", n)
		}
		_, err = decodeRecord(append(bytes.Clone(good), 0))
		require.ErrorIs(t, err, ErrEntryDamaged)
		newer := bytes.Clone(good)
		newer[0] = recordVersion + 1
		_, err = decodeRecord(newer)
		require.ErrorIs(t, err, ErrNewerFormat)
	}
	r := committed()
	none, err := encodeRecord(&r)
	require.NoError(t, err)
	clear(none[len(none)-len(r.Commitment):])
	_, err = decodeRecord(none)
	require.ErrorIs(t, err, ErrEntryDamaged, "a record has one encoding")
}

func FuzzRecord(f *testing.F) {
	r := full()
	b, err := encodeRecord(&r)
	require.NoError(f, err)
	f.Add(b)
	for _, r := range []types.Record{pending(session(1)), committed()} {
		b, err = encodeRecord(&r)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte{recordVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		again, err := encodeRecord(&r)
		require.NoError(t, err)
		require.Equal(t, b, again)
	})
}

// A database that was written once must open for ever: testdata/database is one
// that this format's first version made.
func TestDatabaseGolden(t *testing.T) {
	const name = "database"
	if *update {
		dir := filepath.Join("testdata", name)
		require.NoError(t, os.RemoveAll(dir))
		db, err := Create(dir, passphrase, cheap)
		require.NoError(t, err)
		fill(t, db)
		require.NoError(t, db.Close())
	}
	fresh, _ := newDB(t)
	fill(t, fresh)
	old := reopen(t, restore(t, snapshot(t, filepath.Join("testdata", name))))
	require.Equal(t, contentOf(t, fresh), contentOf(t, old))
	require.ErrorIs(t, old.BindDigest("sign-0", types.Hash{2}, make([]byte, 32)), types.ErrDigestBound)
	seen, err := old.ChainSeen()
	require.NoError(t, err)
	require.Zero(t, seen, "it was made before there was one")
	require.NoError(t, old.NoteChain(ChainSeen{ChainID: "seq-1", Height: 7}))
	compared, err := old.Compared()
	require.NoError(t, err)
	require.Zero(t, compared, "nor one of these")
	require.NoError(t, old.NoteCompared(Compared{ChainID: "seq-1", Height: 7}))
}
