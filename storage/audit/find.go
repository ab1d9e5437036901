package audit

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

// maxFound bounds the lines that Find returns: two for each session of a request, of which
// there are as many as its lifetime has attempts.
const maxFound = 1000

// Find returns the newest uses of shares for a request, or by a session whose name begins
// with what is given, oldest first, 1000 at most. Lines that do not have the content of
// their hash are passed over; Verify names them. No log: nothing is found.
func Find(dir, request, session string) ([]Entry, error) {
	return find(dir, request, session, func() {})
}

// find calls listed when it knows which files there are, and has read none of them.
func find(dir, request, session string, listed func()) (found []Entry, err error) {
	err = steadily(dir, func(files []string) (err error) {
		listed()
		found = nil
		for _, path := range files {
			if found, err = findIn(path, request, session, found); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func findIn(path, request, session string, found []Entry) ([]Entry, error) {
	named := func(line []byte) bool { // most lines are not: decoding them takes ten times as long
		return request != "" && bytes.Contains(line, []byte(`"`+request+`"`)) ||
			session != "" && bytes.Contains(line, []byte(`"`+session))
	}
	err := eachEntry(path, named, func(e Entry) {
		if !e.of(request, session) {
			return
		}
		if found = append(found, e); len(found) > maxFound {
			found = found[1:]
		}
	})
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil // it was renamed or removed meanwhile
	}
	return found, err
}

// eachEntry hands over those lines of a file that may be wanted, as far as they have the
// content of their hash.
func eachEntry(path string, may func(line []byte) bool, take func(Entry)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, maxLineBytes)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return err
		}
		if !may(line) {
			continue
		}
		if e, err := parse(bytes.TrimSuffix(line, []byte("\n"))); err == nil {
			take(e)
		}
	}
}

// of says whether a line is of a use of a share for a request, or by a session.
func (e *Entry) of(request, session string) bool {
	if e.Event != Begin && e.Event != End {
		return false
	}
	return request != "" && e.Request == request || session != "" && bytes.HasPrefix([]byte(e.Session), []byte(session))
}
