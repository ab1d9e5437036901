package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// errMoving says that nothing can be said of a log: each time it was read, who writes it
// began another file. That takes a disk that reads more slowly than the node writes.
var errMoving = errors.New("the audit log went on to another file each time it was read; try again, or stop the node first")

// maxReads is how often the files of a log are read while who writes it goes on to others.
// A file has some 30,000 lines: one rotation during a reading is rare, five in a row are none.
const maxReads = 5

// steadily has the files of a log read, which a node may write meanwhile: it renames the
// newest, begins another, removes the oldest. Of files that are others afterwards than they
// were before, neither what was read nor what was wrong counts, and they are read again.
func steadily(dir string, read func(files []string) error) error {
	files, err := filesOf(dir)
	for range maxReads {
		if err != nil {
			return err
		}
		failed := read(files)
		before := files
		if files, err = filesOf(dir); err == nil && slices.Equal(before, files) {
			return failed
		}
	}
	return errors.Join(err, fmt.Errorf("%w: %s", errMoving, dir))
}

// filesOf lists the files of a log, oldest first.
func filesOf(dir string) ([]string, error) {
	files, err := rotatedFiles(dir)
	if err != nil {
		return nil, err
	}
	newest := filepath.Join(dir, current)
	switch _, err := os.Lstat(newest); {
	case err == nil:
		return append(files, newest), nil
	case errors.Is(err, fs.ErrNotExist):
		return files, nil
	default:
		return nil, fmt.Errorf("read audit log: %w", err)
	}
}

func rotatedName(first uint64) string { return fmt.Sprintf("audit-%012d.log", first) }

// rotatedFiles lists full files, oldest first.
func rotatedFiles(dir string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "audit-[0-9]*.log"))
	slices.Sort(names)
	return names, err
}
