package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Comparison says what became of a line that somebody noted.
type Comparison struct {
	// Found: the line is there, with the hash that was noted.
	Found bool
	// Removed: the log begins after it; older files are removed when it is full.
	Removed bool
	// LastUse is when the last use of a share after it began; zero if there was none.
	LastUse time.Time
}

// Compare looks for a line of the log in a folder. It reads the newest file, and older
// ones only as far as it must. What it cannot read of a line Verify names.
func Compare(dir string, number uint64, hash string) (Comparison, error) {
	files, err := rotatedFiles(dir)
	if err != nil {
		return Comparison{}, err
	}
	files = append(files, filepath.Join(dir, current))
	var c Comparison
	first := uint64(0)
	for _, path := range slices.Backward(files) {
		err := c.read(path, number, hash, &first)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Comparison{}, fmt.Errorf("read audit log: %w", err)
		}
		if first > 0 && first <= number {
			return c, nil
		}
	}
	c.Removed = first > number && len(files) >= MaxFiles
	return c, nil
}

// read goes through a file; first becomes the number of its first line.
func (c *Comparison) read(path string, number uint64, hash string, first *uint64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, maxLineBytes)
	for begun := false; ; {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return err
		}
		e, err := parse(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			continue
		}
		if !begun {
			*first, begun = e.Number, true
		}
		c.Found = c.Found || e.Number == number && e.Hash == hash
		if e.Number > number && e.Event == Begin && e.Time.After(c.LastUse) {
			c.LastUse = e.Time
		}
	}
}
