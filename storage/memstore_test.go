package storage

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/memstore"
)

// listed is what a store tells its engine.
type listed struct {
	Records    []types.Record
	Shares     map[types.RecordKey]string
	Tombstones []types.KeyID
	HadShares  map[types.KeyID]bool
	Preparams  map[uint64]string
}

func listedBy(t testing.TB, s mpc.Store) listed {
	l := listed{Shares: map[types.RecordKey]string{}, HadShares: map[types.KeyID]bool{}, Preparams: map[uint64]string{}}
	var err error
	l.Records, err = s.Records()
	require.NoError(t, err)
	for _, r := range l.Records {
		if r.HasData {
			share, err := s.OpenShare(r.RecordKey)
			require.NoError(t, err)
			l.Shares[r.RecordKey] = string(share)
		}
	}
	l.Records = append([]types.Record{}, l.Records...) // none is none
	l.Tombstones, err = s.Tombstones()
	require.NoError(t, err)
	l.Tombstones = append([]types.KeyID{}, l.Tombstones...)
	for _, id := range l.Tombstones {
		l.HadShares[id], err = s.HadShares(id)
		require.NoError(t, err)
	}
	ids, err := s.Preparams()
	require.NoError(t, err)
	for _, id := range ids {
		set, err := s.OpenPreparams(id)
		require.NoError(t, err)
		l.Preparams[id] = string(set)
	}
	return l
}

// Engines are crashed by the thousand on a store in memory. What a crash leaves there,
// before, half way or after a write, is what it leaves here, nothing else and nothing
// less.
func TestCrashesLeaveWhatMemstoreKnows(t *testing.T) {
	for name, write := range map[string]func(mpc.Store) error{
		"new record":            func(s mpc.Store) error { return s.PutRecord(pending(session(4))) },
		"new record with share": func(s mpc.Store) error { return s.PutRecord(staged(session(4))) },
		"share":                 func(s mpc.Store) error { return s.PutRecord(staged(session(2))) },
		"promote":               func(s mpc.Store) error { return s.PutRecord(promoted(session(1))) },
		"preparams":             func(s mpc.Store) error { _, err := s.AddPreparams([]byte("set")); return err },
		"burn":                  func(s mpc.Store) error { return s.BurnPreparams(1) },
		"destroy record":        func(s mpc.Store) error { return s.DestroyRecord(session(1)) },
		"destroy key":           func(s mpc.Store) error { return s.DestroyKey("key-1") },
		"destroy unknown key":   func(s mpc.Store) error { return s.DestroyKey("key-9") },
	} {
		t.Run(name, func(t *testing.T) {
			prepare := func(s mpc.Store) {
				for _, r := range []types.Record{staged(session(1)), pending(session(2)), staged(session(3))} {
					require.NoError(t, s.PutRecord(r))
				}
				_, err := s.AddPreparams([]byte("first"))
				require.NoError(t, err)
			}
			fake := memstore.New()
			prepare(fake)
			var known []listed
			note := func(string) { known = append(known, listedBy(t, fake)) }
			fake.BeforeWrite, fake.Halfway, fake.AfterWrite = func(string) error { note(""); return nil }, note, note
			require.NoError(t, write(fake))

			db, dir := newDB(t)
			prepare(db)
			require.NoError(t, db.Close())
			db, r := record(t, dir)
			require.NoError(t, db.start(withPassphrase(passphrase)))
			met := make([]bool, len(known))
			for _, files := range r.during(func() { require.NoError(t, write(db)) }) {
				again := reopen(t, restore(t, files))
				got := listedBy(t, again)
				at := slices.IndexFunc(known, func(k listed) bool { return assert.ObjectsAreEqual(k, got) })
				require.GreaterOrEqual(t, at, 0, "a crash leaves what the store in memory does not know: %+v", got)
				for i, k := range known {
					met[i] = met[i] || assert.ObjectsAreEqual(k, got)
				}
				require.NoError(t, again.Close())
			}
			require.NotContains(t, met, false, "no crash leaves what the store in memory does")
		})
	}
}
