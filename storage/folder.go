package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/syndtr/goleveldb/leveldb"
	"github.com/syndtr/goleveldb/leveldb/opt"
	ldbstorage "github.com/syndtr/goleveldb/leveldb/storage"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// folder is goleveldb's file storage with two changes: it writes no LOG (which
// would be a change to a database that is only looked at), and it looks at a
// table's footer before goleveldb trusts it.
type folder struct{ ldbstorage.Storage }

// lockName names the file that is locked. Every writer of a database made it.
const lockName = "LOCK"

// lockFolder opens the files of a goleveldb database and locks them against
// everybody else, in this process too, until Close. A shared lock lets others look, and is
// for reading: whoever has it makes no file.
func lockFolder(dir string, shared bool) (folder, error) {
	if shared {
		if _, err := os.Stat(filepath.Join(dir, lockName)); err != nil {
			return folder{}, fmt.Errorf("look at the MPC database, whose lock file a node makes when it starts: %w: %w", types.ErrStorage, err)
		}
	}
	files, err := ldbstorage.OpenFile(dir, shared)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return folder{}, fmt.Errorf("%w: %s", ErrInUse, dir)
	case err != nil:
		return folder{}, fmt.Errorf("lock folder of the MPC database: %w: %w", types.ErrStorage, err)
	}
	return folder{files}, nil
}

// Log drops what goleveldb says about its compactions.
func (folder) Log(string) {}

// Open opens a file of goleveldb.
func (f folder) Open(fd ldbstorage.FileDesc) (ldbstorage.Reader, error) {
	r, err := f.Storage.Open(fd)
	if err != nil || fd.Type != ldbstorage.TypeTable {
		return r, err
	}
	if err := checkFooter(r); err != nil {
		r.Close()
		return nil, &ldbstorage.ErrCorrupted{Fd: fd, Err: err}
	}
	return r, nil
}

// entryPoint names the file that says which manifest counts.
const entryPoint = "CURRENT"

// checkEntryPoint refuses a database whose entry point is no good. goleveldb
// writes it in one step, so a crash does not damage it; where it is damaged
// goleveldb would look for a substitute, and write a log of that.
func checkEntryPoint(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, entryPoint))
	if err != nil {
		return damaged("open MPC database", err)
	}
	name, isLine := strings.CutSuffix(string(b), "\n")
	number, isManifest := strings.CutPrefix(name, "MANIFEST-")
	if _, err := strconv.ParseUint(number, 10, 63); err != nil || !isLine || !isManifest {
		return fmt.Errorf("%w: %s does not name a manifest", ErrFilesDamaged, entryPoint)
	}
	if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
		return damaged("open MPC database", err)
	}
	return nil
}

// The end of a table, as goleveldb's package table describes it: two block
// handles in a footer of 48 bytes, the last eight of which are a magic number.
// Blocks have a trailer of five bytes.
const (
	footerBytes  = 48
	footerMagic  = "\x57\xfb\x80\x8b\x24\x75\x47\xdb"
	trailerBytes = 5
)

// checkFooter refuses a table whose footer names blocks that are not in the
// file. The footer has no checksum, and goleveldb allocates whatever it says.
func checkFooter(r ldbstorage.Reader) error {
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("find end of table: %w", err)
	}
	if size < footerBytes {
		return fmt.Errorf("table has %d bytes, its footer alone has %d", size, footerBytes)
	}
	var footer [footerBytes]byte
	if _, err := r.ReadAt(footer[:], size-footerBytes); err != nil {
		return fmt.Errorf("read footer of table: %w", err)
	}
	if string(footer[footerBytes-len(footerMagic):]) != footerMagic {
		return errors.New("table does not end like one")
	}
	rest, end := footer[:footerBytes-len(footerMagic)], uint64(size-footerBytes)
	for range 2 {
		offset, n := binary.Uvarint(rest)
		if n <= 0 {
			return errors.New("footer of table is no footer")
		}
		length, m := binary.Uvarint(rest[n:])
		if m <= 0 || offset > end || length > end || offset+length+trailerBytes > end {
			return errors.New("footer of table names a block that is not there")
		}
		rest = rest[n+m:]
	}
	return nil
}

// writeBuffer is goleveldb's memory table, which it allocates twice at each
// opening. A larger batch makes it grow.
const writeBuffer = 256 << 10

// openEngine opens goleveldb on a locked folder. Sealed values do not compress.
// Damaged journals are read as far as they go (a crash may tear the last
// batch); what is missing then is found by comparing with the state.
func openEngine(files folder, readOnly, create bool) (*leveldb.DB, error) {
	return leveldb.Open(files, &opt.Options{
		ReadOnly:               readOnly,
		ErrorIfMissing:         !create,
		Compression:            opt.NoCompression,
		WriteBuffer:            writeBuffer,
		BlockCacheCapacity:     opt.MiB,
		DisableSeeksCompaction: true,
		// All batches go through the journal: one path to a crash, not two.
		DisableLargeBatchTransaction: true,
	})
}

// syncFolder makes renamed, created and removed names durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder to sync it: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

// parent is the folder of a path, also of one relative to here.
func parent(path string) string { return filepath.Dir(filepath.Clean(path)) }
