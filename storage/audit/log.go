package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// MaxFileBytes is when a file is full: some 30,000 lines of 500 bytes.
	MaxFileBytes = 16 << 20
	// maxLineBytes: a line with 64 signers has 5 KiB.
	maxLineBytes = 64 << 10
	// FlushInterval is how long a line may not be on disk.
	FlushInterval = time.Second
)

const current = "audit.log"

// Log is an open log. It is safe for concurrent use.
type Log struct {
	dir string
	now func() time.Time
	// keep is which files are kept.
	keep Retention
	// maxBytes of a file; smaller in tests.
	maxBytes int64
	// bring brings a file to disk; tests count how often.
	bring func(*os.File) error

	lock *os.File

	// syncing is held by who brings lines to disk, without mu: nobody who appends waits
	// for it.
	syncing sync.Mutex

	mu sync.Mutex
	// closed: Close was called.
	closed bool
	// file is nil while the log is not open.
	file  *os.File
	size  int64
	first uint64 // of the file; 0 if it is empty
	last  Entry
	// dirty is the number of the first line that is not known to be on disk; 0 if all
	// are.
	dirty uint64
	// lost counts lines that could not be written. What an operator did is in late too,
	// and follows.
	lost uint64
	late []Entry
	// unwritten and unsynced are why the last line could not be written, or not be
	// brought to disk; nil if all is well.
	unwritten, unsynced error
}

// maxLate of what an operator did wait for a log that can be written.
const maxLate = 64

// Open opens the log of a folder, or makes one. ErrInUse if another process writes it,
// and does not end within seconds. It cuts a torn line off and notes
// it. What it cannot read of the last line does not keep it from going on: Verify
// says what is wrong. It keeps all files.
func Open(dir string) (*Log, error) { return open(dir, MaxFileBytes, time.Now) }

// OpenLater is Open for who cannot do without a Log: if it fails, Failing says why, lines
// are counted until it works, and Run tries again and again. It keeps what it is told to.
func OpenLater(dir string, keep Retention) *Log {
	return openLater(dir, MaxFileBytes, keep, time.Now)
}

func open(dir string, maxBytes int64, now func() time.Time) (*Log, error) {
	l := openLater(dir, maxBytes, Retention{}, now)
	if l.unwritten != nil {
		return nil, l.unwritten
	}
	return l, nil
}

func openLater(dir string, maxBytes int64, keep Retention, now func() time.Time) *Log {
	l := &Log{dir: dir, now: now, keep: keep, maxBytes: maxBytes, bring: (*os.File).Sync}
	l.unwritten = l.open(lockWait)
	return l
}

// open takes the lock and finds the end of the log.
func (l *Log) open(wait time.Duration) (err error) {
	if l.lock, err = lockLog(l.dir, wait); err != nil {
		return err
	}
	if err := l.openFiles(); err != nil {
		l.file = nil
		return errors.Join(err, l.lock.Close())
	}
	return nil
}

// reopen tries once more, beside whoever appends.
func (l *Log) reopen() error {
	next := &Log{dir: l.dir, now: l.now, maxBytes: l.maxBytes}
	err := next.open(0)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.unwritten = err
		return err
	case l.closed:
		return errors.Join(next.file.Close(), next.lock.Close())
	}
	l.lock, l.file, l.size, l.first, l.last, l.dirty = next.lock, next.file, next.size, next.first, next.last, next.dirty
	l.unwritten = l.catchUp()
	return l.unwritten
}

// isOpen: lines can be written, as far as is known.
func (l *Log) isOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file != nil || l.closed
}

func (l *Log) openFiles() error {
	rotated, err := rotatedFiles(l.dir)
	if err != nil {
		return err
	}
	if len(rotated) > 0 {
		if l.last, _, _, err = tail(rotated[len(rotated)-1]); err != nil {
			return err
		}
	}
	if l.file, err = os.OpenFile(filepath.Join(l.dir, current), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return fmt.Errorf("open audit log: %w", err)
	}
	if err := l.resume(); err != nil {
		return errors.Join(err, l.file.Close())
	}
	return nil
}

// resume finds where the newest file ends, and repairs it.
func (l *Log) resume() error {
	last, first, whole, err := tail(l.file.Name())
	if err != nil {
		return err
	}
	info, err := l.file.Stat()
	if err != nil {
		return fmt.Errorf("open audit log: %w", err)
	}
	if last.Number > 0 {
		l.last = last
	}
	l.first, l.size = first, whole
	torn := info.Size() - whole
	if torn == 0 {
		return nil
	}
	if err := l.file.Truncate(whole); err != nil {
		return fmt.Errorf("repair audit log: %w", err)
	}
	return l.append(Entry{Event: Repaired, Note: fmt.Sprintf("%d bytes of a line that a crash tore were cut off", torn)})
}

// tail reads a file for its last line, the number of its first, and how many bytes
// are whole lines.
func tail(path string) (last Entry, first uint64, whole int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, 0, 0, nil
	}
	if err != nil {
		return Entry{}, 0, 0, fmt.Errorf("read audit log: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return Entry{}, 0, 0, fmt.Errorf("read audit log: %w", err)
	}
	b = b[:bytes.LastIndexByte(b, '\n')+1]
	whole = int64(len(b))
	for line := range bytes.Lines(b) {
		e, err := parse(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			continue // Verify names it
		}
		if first == 0 {
			first = e.Number
		}
		last = e
	}
	return last, first, whole, nil
}

// Append writes a line: its number, time and hashes are the log's to fill in. It does
// not wait for the disk, Sync does. A line that cannot be written is counted, and the
// next one that can says so; what an operator did is written then, with its own time.
func (l *Log) Append(e Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unwritten = l.catchUp(); l.unwritten == nil {
		l.unwritten = l.append(e)
	}
	if l.unwritten != nil {
		l.miss(e)
	}
	return l.unwritten
}

// miss counts a line that could not be written.
func (l *Log) miss(e Entry) {
	l.lost++
	if IsOperation(e.Event) && len(l.late) < maxLate {
		e.Time = l.now().UTC()
		l.late = append(l.late, e)
	}
}

// catchUp says which lines are missing, and writes those that were kept.
func (l *Log) catchUp() error {
	if l.lost > 0 {
		gap := Entry{Event: Gap, Note: fmt.Sprintf("%d lines before this one could not be written; %d of them follow", l.lost, len(l.late))}
		if err := l.append(gap); err != nil {
			return err
		}
		l.lost = 0
	}
	for len(l.late) > 0 {
		if err := l.append(l.late[0]); err != nil {
			return err
		}
		l.late = l.late[1:]
	}
	return nil
}

// Failing is why the log does not take lines, or the disk does not; nil if all is well.
func (l *Log) Failing() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.unwritten, l.unsynced)
}

// append writes a line whole, or leaves the file as it was. The caller holds the
// lock, or is alone.
func (l *Log) append(e Entry) error {
	if l.file == nil {
		return fmt.Errorf("write audit log: %w", fs.ErrClosed)
	}
	if l.size >= l.maxBytes {
		if err := l.rotate(); err != nil {
			return err
		}
	}
	return l.write(e)
}

// write is append into the file that there is, however full it is.
func (l *Log) write(e Entry) error {
	e.Number, e.Previous = l.last.Number+1, l.last.Hash
	if e.Time.IsZero() {
		e.Time = l.now().UTC()
	}
	line, err := e.seal()
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if _, err := l.file.Write(line); err != nil {
		return errors.Join(fmt.Errorf("write audit log: %w", err), l.file.Truncate(l.size))
	}
	if l.first == 0 {
		l.first = e.Number
	}
	l.size += int64(len(line))
	l.last = e
	if l.dirty == 0 {
		l.dirty = e.Number
	}
	return nil
}

// rotate begins a new file. A crash in the middle leaves the full one under its
// new name, and none or an empty one.
func (l *Log) rotate() error {
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("sync audit log: %w", err)
	}
	// It has its new name already if the last try got no further.
	err := os.Rename(l.file.Name(), filepath.Join(l.dir, rotatedName(l.first)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("rotate audit log: %w", err)
	}
	next, err := os.OpenFile(filepath.Join(l.dir, current), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("rotate audit log: %w", err)
	}
	full := l.file
	l.file, l.size, l.first = next, 0, 0 // whatever comes of the full one, which is on disk
	if err := full.Close(); err != nil {
		return fmt.Errorf("rotate audit log: close the full file: %w", err)
	}
	l.removeOldest()
	return nil
}

// Run opens a log that could not be opened, and brings lines to disk until the context
// ends. A disk that does not take them is asked again and again, while lines go on being
// written; tell hears of it when that begins, and with nil when it is over. note hears
// where the log ends when that changed, and whether all of it is on disk.
func (l *Log) Run(ctx context.Context, tell func(error), note func(end Head, onDisk bool)) error {
	tick := time.NewTicker(FlushInterval)
	defer tick.Stop()
	failing := !l.isOpen() // which its owner was told
	var noted Head
	onDisk := true
	settle := func() error {
		end, err := l.settle()
		if end != noted || (err == nil) != onDisk {
			noted, onDisk = end, err == nil
			note(end, onDisk)
		}
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return settle()
		case <-tick.C:
			err := settle()
			if (err != nil) != failing {
				failing = err != nil
				tell(err)
			}
		}
	}
}

// settle opens the log if it is not, and brings its lines to disk. It returns where the
// log ended before.
func (l *Log) settle() (Head, error) {
	if !l.isOpen() {
		if err := l.reopen(); err != nil {
			return l.Head(), err
		}
	}
	end := l.Head()
	return end, l.Flush()
}

// Head is the end of the log.
type Head struct {
	// Number and Hash are those of the last line; 0 and "" of an empty log.
	Number uint64
	Hash   string
	// Lost counts lines that could not be written after it.
	Lost uint64
}

// Head is where the log ends now.
func (l *Log) Head() Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Head{l.last.Number, l.last.Hash, l.lost}
}

// Note adds a line about the log itself, as after a restart that found lines missing.
func (l *Log) Note(text string) error { return l.Append(Entry{Event: Gap, Note: text}) }

// Sync returns when the lines up to this number are on disk, or cannot be brought there.
// Who comes while the disk is busy waits for it, and then for one more sync, which is
// that of all who came meanwhile: a burst of lines costs two, however long it is.
func (l *Log) Sync(number uint64) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	onDisk := l.dirty == 0 || number < l.dirty
	l.mu.Unlock()
	if onDisk {
		return nil
	}
	return l.flush()
}

// Flush brings what was written to disk. Nobody who appends waits for it. After a
// failure the next one that succeeds leaves a line which says so: a disk that failed
// once may have dropped what it was given before.
func (l *Log) Flush() error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	return l.flush()
}

// flush is Flush for who holds syncing.
func (l *Log) flush() error {
	l.mu.Lock()
	file, from, to := l.file, l.dirty, l.last.Number
	l.dirty = 0
	l.mu.Unlock()
	if from == 0 || file == nil {
		return nil
	}
	err := l.bring(file)
	if errors.Is(err, fs.ErrClosed) {
		err = nil // by a rotation, which synced it
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.synced(err, from, to)
}

// synced notes what came of bringing some lines to disk.
func (l *Log) synced(err error, from, to uint64) error {
	recovered := err == nil && l.unsynced != nil
	l.unsynced = err
	switch {
	case err != nil:
		l.dirty = from
		l.unsynced = fmt.Errorf("sync audit log: %w", err)
	case recovered && l.file != nil:
		l.unwritten = l.append(Entry{Event: Gap, Note: fmt.Sprintf("the disk failed to take lines %d to %d before it took them; a power failure may have taken some", from, to)})
	}
	return l.unsynced
}

// Last is number and hash of the last line; 0 and "" of an empty log.
func (l *Log) Last() (uint64, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last.Number, l.last.Hash
}

// Close brings everything to disk and ends the log.
func (l *Log) Close() error {
	err := l.Flush()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.file == nil {
		return err
	}
	err = errors.Join(err, l.file.Close(), l.lock.Close())
	l.file = nil
	return err
}
