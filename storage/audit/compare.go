package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// Comparison says what became of a line that somebody noted.
type Comparison struct {
	// Found: the line is there, with the hash that was noted.
	Found bool
	// Removed: the log begins after it, for older files were removed.
	Removed bool
	// LastUse is when the last use of a share, or of pre-parameters, after it began; zero
	// if there was none, or if a backup was restored since that was made later.
	LastUse time.Time
	// Backup is when the newest backup was made that was restored after it; zero if none
	// was.
	Backup time.Time
}

// Compare looks for a line of the log in a folder. It reads the newest file, and older
// ones only as far as it must, and again if a node that writes them goes on to another one
// meanwhile. What it cannot read of a line Verify names.
func Compare(dir string, number uint64, hash string) (Comparison, error) {
	return compare(dir, number, hash, func() {})
}

// compare calls listed when it knows which files there are, and has read none of them.
func compare(dir string, number uint64, hash string, listed func()) (r Comparison, err error) {
	err = steadily(dir, func(files []string) (err error) {
		listed()
		c := comparing{number: number, hash: hash}
		err = c.files(files)
		r = c.result()
		return err
	})
	if err != nil {
		return Comparison{}, err
	}
	return r, nil
}

// comparing is a Compare under way, from the newest file to older ones.
type comparing struct {
	number         uint64
	hash           string
	found, removed bool
	// first is the first line of the last file that was read.
	first Entry
	// used is the last line that tells of a use, restored that of a restoring; backup is when
	// the newest one was made that was restored.
	used     Entry
	restored uint64
	backup   time.Time
}

func (c *comparing) result() Comparison {
	r := Comparison{Found: c.found, Removed: c.removed, Backup: c.backup}
	if c.used.Number > c.restored || c.used.Time.After(c.backup) {
		r.LastUse = c.used.Time
	}
	return r
}

func (c *comparing) files(files []string) error {
	for _, path := range slices.Backward(files) {
		err := c.read(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("read audit log: %w", err)
		}
		if c.first.Number > 0 && c.first.Number <= c.number {
			return nil
		}
	}
	removed, err := readRemovals(files)
	if err != nil {
		return err
	}
	c.removed = c.first.Number > c.number && removed.explain(c.first)
	return nil
}

func (c *comparing) read(path string) error {
	begun := false
	return eachEntry(path, func([]byte) bool { return true }, func(e Entry) {
		if !begun {
			c.first, begun = e, true
		}
		c.line(e)
	})
}

func (c *comparing) line(e Entry) {
	switch {
	case e.Number == c.number:
		c.found = c.found || e.Hash == c.hash
	case e.Number > c.number && (e.Event == Begin || e.Event == Burned) && e.Number > c.used.Number:
		c.used = e
	case e.Number > c.number && e.Event == Restored:
		c.restored = max(c.restored, e.Number)
		if made := madeOf(e.Note); made.After(c.backup) {
			c.backup = made
		}
	}
}
