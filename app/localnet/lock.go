package localnet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockName is the file that whoever runs the network holds a lock on. The kernel
// gives it up with the process.
const lockName = "localnet.lock"

// lockFolder makes this process the one that runs the network in a folder.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the network: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("the network in %s runs already; stop whoever runs it (Ctrl-C there) or name another folder", dir)
	} else if err != nil {
		err = fmt.Errorf("lock the network in %s: %w", dir, err)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
