package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// ErrBroken says that a line is not the one that was written there.
var ErrBroken = fmt.Errorf("%w: the audit log was changed or damaged", types.ErrAudit)

// ErrNone says that there is no log.
var ErrNone = errors.New("there is no audit log in this folder; a node with an identity makes one when it first signs")

// Report is what Verify found.
type Report struct {
	Files int `json:"files"`
	// First and Last are numbers of lines; a First above 1 says that older files were
	// removed, which a line tells.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	// Hash is that of the last line.
	Hash string `json:"hash"`
	// Begun and Ended count uses of shares, Open are sessions that began and did not
	// end: under way now, or when the node was killed.
	Begun int      `json:"begun"`
	Ended int      `json:"ended"`
	Open  []string `json:"open"`
	// Notes are those of lines: what was repaired, removed, or could not be written.
	Notes []string `json:"notes"`
	// TornBytes are those of a last line without an end.
	TornBytes int `json:"torn_bytes"`
}

// Verify reads all files of a folder and checks every line. ErrBroken names the
// first one that is wrong; the report then is of the lines before. A torn last line
// is no error: a crash leaves one, and so does a node that is writing. Nor is a file that
// such a node begins or removes meanwhile: all is read again then.
func Verify(dir string) (Report, error) { return verify(dir, func() {}) }

// verify calls listed when it knows which files there are, and has read none of them.
func verify(dir string, listed func()) (r Report, err error) {
	err = steadily(dir, func(files []string) (err error) {
		listed()
		r, err = verifyFiles(dir, files)
		return err
	})
	return r, err
}

func verifyFiles(dir string, files []string) (Report, error) {
	if len(files) == 0 {
		return Report{}, fmt.Errorf("%w: %s", ErrNone, dir)
	}
	removed, err := readRemovals(files)
	if err != nil {
		return Report{}, err
	}
	v := verification{
		Report: Report{Open: []string{}, Notes: []string{}}, open: map[string]bool{}, removed: removed,
	}
	for i, path := range files {
		if err := v.file(path, i == len(files)-1); err != nil {
			return v.result(), err
		}
		v.Files++
	}
	return v.result(), nil
}

type verification struct {
	Report
	open map[string]bool
	// removed is what is said of older files.
	removed removals
}

func (v *verification) result() Report {
	for s := range v.open {
		v.Open = append(v.Open, s)
	}
	slices.Sort(v.Open)
	return v.Report
}

func (v *verification) file(path string, newest bool) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read audit log: %w", err)
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, maxLineBytes)
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case errors.Is(err, io.EOF) && newest:
			v.TornBytes = len(line)
			return nil
		case errors.Is(err, io.EOF):
			return broken(path, n, errors.New("it has no end, and is not the last one"))
		case errors.Is(err, bufio.ErrBufferFull):
			return broken(path, n, errors.New("it is too long"))
		case err != nil:
			return fmt.Errorf("read audit log: %w", err)
		}
		if err := v.line(line[:len(line)-1]); err != nil {
			return broken(path, n, err)
		}
	}
}

func broken(path string, n int, err error) error {
	return fmt.Errorf("%w: %s, line %d: %w", ErrBroken, path, n, err)
}

func (v *verification) line(line []byte) error {
	e, err := parse(line)
	if err != nil {
		return err
	}
	switch {
	case v.Last == 0:
		v.First = e.Number
		if (e.Number == 1) != (e.Previous == "") || e.Number > 1 && !v.removed.explain(e) {
			return fmt.Errorf("it has number %d and does not begin a log: lines before it are missing", e.Number)
		}
	case e.Previous != v.Hash:
		return fmt.Errorf("it does not follow the line before (number %d): lines are missing, or that one was changed", v.Last)
	case e.Number != v.Last+1:
		return fmt.Errorf("it has number %d after %d", e.Number, v.Last)
	}
	v.Last, v.Hash = e.Number, e.Hash
	name := fmt.Sprintf("%s/%s session %.16s", e.Kind, e.Request, e.Session)
	switch e.Event {
	case Begin:
		v.Begun++
		v.open[name] = true
	case End:
		v.Ended++
		delete(v.open, name)
	case Burned: // a use that is over at once
	default:
		v.Notes = append(v.Notes, fmt.Sprintf("line %d: %s: %s", e.Number, e.Event, e.Note))
	}
	return nil
}
