package storage

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	ldbstorage "github.com/syndtr/goleveldb/leveldb/storage"
)

// recorder stands between the package and its files. Before each change of a
// file, and in the middle of each write, it keeps what a crash there leaves:
// with a killed process, all that was written; with a power failure, of the
// files that were written only what was synced.
type recorder struct {
	t   testing.TB
	dir string

	mu sync.Mutex
	// synced is the content that is on disk for certain, of the files that were
	// written.
	synced map[string]string
	// crashes are the folders that crashes leave, two for each step, while wanted.
	crashes []map[string]string
	wanted  bool
	// failing is the database whose writes fail.
	failing string
	// syncs and written count synced files and written bytes, by database.
	syncs, written map[string]int
}

// record takes hold of a closed database's files, for start to open it.
func record(t testing.TB, dir string) (*DB, *recorder) {
	r := &recorder{t: t, dir: dir, synced: map[string]string{}}
	r.reset()
	db := unopened(dir, Options{})
	require.NoError(t, db.hold(false))
	for _, p := range db.parts() {
		p.files = folder{recordedFiles{p.files.Storage, r, p.name}}
	}
	db.mark.file = recordedMark{db.mark.file, r}
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db, r
}

// reset begins to count anew.
func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.syncs, r.written, r.crashes = map[string]int{}, map[string]int{}, nil
}

// during returns the different folders that a crash during f, or right after,
// can leave; the last two are those after.
func (r *recorder) during(f func()) []map[string]string {
	r.reset()
	r.want(true)
	f()
	r.want(false)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.crash()
	var different []map[string]string
	for i, c := range r.crashes {
		if i >= len(r.crashes)-2 || !slices.ContainsFunc(different, func(d map[string]string) bool { return maps.Equal(c, d) }) {
			different = append(different, c)
		}
	}
	return different
}

// fail makes all later writes to a database fail.
func (r *recorder) fail(database string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failing = database
}

func (r *recorder) want(wanted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanted = wanted
}

// change makes a change after keeping what there was before.
func (r *recorder) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wanted {
		r.crash()
	}
	f()
}

// crash keeps the folder as it is now. The caller holds the lock.
func (r *recorder) crash() {
	killed := snapshot(r.t, r.dir)
	powerless := maps.Clone(killed)
	for name, b := range r.synced {
		if _, there := powerless[name]; there {
			powerless[name] = b
		}
	}
	r.crashes = append(r.crashes, powerless, killed)
}

// write writes in two halves.
func (r *recorder) write(database string, p []byte, write func(half []byte, at int) error) (int, error) {
	n := 0
	for _, half := range [][]byte{p[:len(p)/2], p[len(p)/2:]} {
		var err error
		r.change(func() {
			if database == r.failing {
				err = syscall.EIO
				return
			}
			err = write(half, n)
		})
		if err != nil {
			return n, err
		}
		n += len(half)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written[database] += n
	return n, nil
}

// sync syncs a file.
func (r *recorder) sync(database, name string, sync func() error) (err error) {
	r.change(func() {
		if err = sync(); err == nil {
			r.syncs[database]++
			r.synced[name] = r.content(name)
		}
	})
	return err
}

func (r *recorder) content(name string) string {
	b, err := os.ReadFile(filepath.Join(r.dir, name))
	require.NoError(r.t, err)
	return string(b)
}

// recordedFiles are the files of one of the two databases.
type recordedFiles struct {
	ldbstorage.Storage
	r    *recorder
	name string
}

func (f recordedFiles) path(fd ldbstorage.FileDesc) string { return filepath.Join(f.name, fd.String()) }

func (f recordedFiles) Create(fd ldbstorage.FileDesc) (w ldbstorage.Writer, err error) {
	f.r.change(func() {
		w, err = f.Storage.Create(fd)
		f.r.synced[f.path(fd)] = ""
	})
	return recordedWriter{w, f, f.path(fd)}, err
}

func (f recordedFiles) Remove(fd ldbstorage.FileDesc) (err error) {
	f.r.change(func() {
		err = f.Storage.Remove(fd)
		delete(f.r.synced, f.path(fd))
	})
	return err
}

// SetMeta writes another file in two halves, and renames it to CURRENT.
func (f recordedFiles) SetMeta(fd ldbstorage.FileDesc) (err error) {
	f.r.change(func() {
		if f.r.wanted {
			f.r.crash()
			name, next := filepath.Join(f.name, fmt.Sprintf("%s.%d", entryPoint, fd.Num)), fd.String()+"\n"
			for _, half := range []string{"", next[:len(next)/2], next} {
				f.r.crashes = append(f.r.crashes, with(f.r.crashes[len(f.r.crashes)-1], name, half))
			}
		}
		err = f.Storage.SetMeta(fd)
	})
	return err
}

type recordedWriter struct {
	ldbstorage.Writer
	files recordedFiles
	path  string
}

func (w recordedWriter) Write(p []byte) (int, error) {
	return w.files.r.write(w.files.name, p, func(half []byte, _ int) error {
		_, err := w.Writer.Write(half)
		return err
	})
}

func (w recordedWriter) Sync() error { return w.files.r.sync(w.files.name, w.path, w.Writer.Sync) }

// recordedMark is the file of the mark.
type recordedMark struct {
	markFile
	r *recorder
}

func (m recordedMark) WriteAt(p []byte, at int64) (int, error) {
	m.r.mu.Lock()
	if _, written := m.r.synced[markName]; !written {
		m.r.synced[markName] = m.r.content(markName)
	}
	m.r.mu.Unlock()
	return m.r.write(markName, p, func(half []byte, from int) error {
		_, err := m.markFile.WriteAt(half, at+int64(from))
		return err
	})
}

func (m recordedMark) Sync() error { return m.r.sync(markName, markName, m.markFile.Sync) }
