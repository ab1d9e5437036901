package storage

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// bind makes n bindings, in batches, since only their number matters.
func bind(t testing.TB, db *DB, n int) {
	const perBatch = 1000
	for done := 0; done < n; done += perBatch {
		require.NoError(t, db.write(func(c *change) error {
			for i := done; i < min(done+perBatch, n); i++ {
				b := binding{types.Hash{byte(i)}, make([]byte, 32)}
				if err := c.seal(db.keys.sealer, bindingEntry(fmt.Sprintf("withdrawal-%08d", i)), b.encode()); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// A write waits for no more files than it must.
func TestSyncs(t *testing.T) {
	db, dir := newDB(t)
	require.NoError(t, db.Close())
	db, r := record(t, dir)
	require.NoError(t, db.start(withPassphrase(passphrase)))
	for _, c := range []struct {
		name  string
		write func() error
		want  map[string]int
	}{
		{"bind", func() error { return db.BindDigest("s", types.Hash{1}, []byte{1}) }, map[string]int{mainName: 1, markName: 1}},
		{"bind many", func() error { return db.BindDigests(many(200)) }, map[string]int{mainName: 1, markName: 1}},
		{"many that are bound", func() error { return db.BindDigests(many(200)) }, map[string]int{}},
		{"the same again", func() error { return db.BindDigest("s", types.Hash{1}, []byte{1}) }, map[string]int{}},
		{"new record", func() error { return db.PutRecord(pending(session(1))) }, map[string]int{wrappedName: 1, mainName: 1, markName: 1}},
		{"share", func() error { return db.PutRecord(staged(session(1))) }, map[string]int{mainName: 1, markName: 1}},
		{"promote", func() error { return db.PutRecord(promoted(session(1))) }, map[string]int{mainName: 1, markName: 1}},
		{"pre-parameters", func() error { _, err := db.AddPreparams([]byte{1}); return err },
			map[string]int{wrappedName: 1, mainName: 1, markName: 1}},
		{"destroy unknown key", func() error { return db.DestroyKey("unknown") }, map[string]int{mainName: 1, markName: 1}},
		{"destroy nothing", func() error { return db.DestroyRecord(session(2)) }, map[string]int{}},
	} {
		r.reset()
		require.NoError(t, c.write(), c.name)
		require.Equal(t, c.want, r.syncs, c.name)
	}
}

// Destroying writes as much beside many bindings and shares as beside none: the
// main database is not rewritten.
func TestDestroyingDoesNotGrowWithTheRest(t *testing.T) {
	written := map[int]map[string]int{}
	for _, n := range []int{0, 2000} {
		db, dir := newDB(t)
		bind(t, db, n)
		for i := range n / 1000 {
			r := staged(types.RecordKey{KeyID: types.KeyID(fmt.Sprintf("other-%d", i))})
			r.Data = bytes.Repeat([]byte{7}, 300_000)
			put(t, db, r)
		}
		put(t, db, staged(session(1)))
		require.NoError(t, db.Close())
		db, r := record(t, dir)
		require.NoError(t, db.start(withPassphrase(passphrase)))
		require.NoError(t, db.main.shred()) // leaves goleveldb nothing to do in between
		r.reset()
		require.NoError(t, db.DestroyRecord(session(1)))
		written[n] = r.written
	}
	require.Equal(t, written[0][mainName], written[2000][mainName])
	require.Less(t, written[2000][wrappedName], written[0][wrappedName]+2000, "two more keys in the tables")
}

// BenchmarkDestroy shows what destroying costs beside bindings and shares.
func BenchmarkDestroy(b *testing.B) {
	for _, beside := range []struct{ bindings, records int }{{0, 0}, {100_000, 1_000}} {
		b.Run(fmt.Sprintf("bindings=%d/records=%d", beside.bindings, beside.records), func(b *testing.B) {
			db, _ := newDB(b)
			bind(b, db, beside.bindings)
			for i := range beside.records {
				r := staged(types.RecordKey{KeyID: types.KeyID(fmt.Sprintf("other-%d", i))})
				r.Data = bytes.Repeat([]byte{7}, 30_000)
				put(b, db, r)
			}
			for b.Loop() {
				b.StopTimer()
				put(b, db, staged(session(1)))
				b.StartTimer()
				require.NoError(b, db.DestroyRecord(session(1)))
			}
		})
	}
}

// BenchmarkOpen shows what checking and opening costs, without Argon2id, and
// what a binding takes on disk.
func BenchmarkOpen(b *testing.B) {
	for _, bindings := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("bindings=%d", bindings), func(b *testing.B) {
			db, dir := newDB(b)
			bind(b, db, bindings)
			require.NoError(b, db.Close())
			for b.Loop() {
				db, err := Open(dir, passphrase, Options{})
				require.NoError(b, err)
				require.NoError(b, db.Close())
			}
			size := 0
			for _, content := range snapshot(b, dir) {
				size += len(content)
			}
			b.ReportMetric(float64(size)/float64(bindings), "B/binding")
		})
	}
}

// BenchmarkBindMany shows what a block of 200 requests costs.
func BenchmarkBindMany(b *testing.B) {
	db, _ := newDB(b)
	n := 0
	for b.Loop() {
		bindings := make([]types.Binding, 200)
		for i := range bindings {
			n++
			bindings[i] = types.Binding{SignatureID: fmt.Sprintf("withdrawal-%08d", n), Digest: make([]byte, 32)}
		}
		require.NoError(b, db.BindDigests(bindings))
	}
}

// BenchmarkBind shows what a synced write costs.
func BenchmarkBind(b *testing.B) {
	db, _ := newDB(b)
	n := 0
	for b.Loop() {
		n++
		require.NoError(b, db.BindDigest(fmt.Sprintf("withdrawal-%08d", n), types.Hash{}, make([]byte, 32)))
	}
}
