package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// DefaultFiles is how many files are kept where nobody says otherwise: 1 GiB, some two
// million lines, which is eleven days at a signature a second and two years at one a
// minute.
const DefaultFiles = 64

// MinFiles is the fewest that can be kept: one that is full, and one for what comes.
const MinFiles = 2

// Retention says how much of a log is kept.
type Retention struct {
	// Files of MaxFileBytes are kept, at least MinFiles, and older ones removed when the
	// next one begins; 0: all are kept.
	Files int
	// Removed hears of a file that was removed and the number of its last line, or why it
	// could not be, which is tried again when the next file begins. It must not call the
	// Log. Nil: nobody hears of it.
	Removed func(path string, last uint64, err error)
}

// removeOldest removes full files that are more than are kept.
func (l *Log) removeOldest() {
	if l.keep.Files == 0 {
		return
	}
	rotated, err := rotatedFiles(l.dir)
	for err == nil && len(rotated) > l.keep.Files-1 { // and the newest
		var last uint64
		last, err = l.remove(rotated[0])
		if l.keep.Removed != nil {
			l.keep.Removed(rotated[0], last, err)
		}
		rotated = rotated[1:]
	}
}

// remove removes a full file. A line that says so is on disk before it goes: a log that
// begins later than it should without one was cut off. Nor does a file go of which nobody
// could say what it was.
func (l *Log) remove(path string) (last uint64, err error) {
	e, err := lastLine(path)
	if err == nil {
		err = l.write(Entry{Event: FileRemoved, Note: removalNote(e.Number, e.Hash)})
	}
	if err == nil {
		err = l.file.Sync()
	}
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		return e.Number, fmt.Errorf("remove the oldest audit log: %w", err)
	}
	return e.Number, nil
}

// lastLine reads the last line of a full file.
func lastLine(path string) (Entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return Entry{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Entry{}, err
	}
	end, err := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-maxLineBytes), maxLineBytes))
	if err != nil {
		return Entry{}, err
	}
	end = bytes.TrimSuffix(end, []byte("\n"))
	e, err := parse(end[bytes.LastIndexByte(end, '\n')+1:])
	if err != nil {
		return Entry{}, fmt.Errorf("%s: its last line: %w", path, err)
	}
	return e, nil
}

func removalNote(last uint64, hash string) string {
	return fmt.Sprintf("the oldest file, which ended with line %d:%s", last, hash)
}

// removals are notes of files that were removed.
type removals map[string]bool

// readRemovals finds those of a log.
func readRemovals(files []string) (removals, error) {
	found, event := removals{}, []byte(`"event":"`+FileRemoved+`"`)
	for _, path := range files {
		err := eachEntry(path, func(line []byte) bool { return bytes.Contains(line, event) }, func(e Entry) {
			if e.Event == FileRemoved {
				found[e.Note] = true
			}
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read audit log: %w", err)
		}
	}
	return found, nil
}

// explain says whether what was before the first line of a log was removed by who writes it.
func (r removals) explain(first Entry) bool { return r[removalNote(first.Number-1, first.Previous)] }
