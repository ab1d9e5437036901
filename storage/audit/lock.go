package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockName is the file that whoever writes the log holds a lock on: two writers would
// fork the chain. The kernel gives it up with the process.
const lockName = "audit.lock"

const (
	// lockWait is how long Open waits for another writer: a command writes a line and
	// is gone, a node stays.
	lockWait = 3 * time.Second
	lockPoll = 20 * time.Millisecond
)

// ErrInUse says that another process writes the log.
var ErrInUse = errors.New("another process writes the audit log of this folder; ask the running node to write the line, or stop it")

// lockLog makes this process the only writer.
func lockLog(dir string, wait time.Duration) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock audit log: %w", err)
	}
	for until := time.Now().Add(wait); ; time.Sleep(lockPoll) {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(until) {
			break
		}
	}
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		err = fmt.Errorf("%w: %s", ErrInUse, dir)
	case err != nil:
		err = fmt.Errorf("lock audit log: %w", err)
	default:
		return f, nil
	}
	return nil, errors.Join(err, f.Close())
}
