package cli

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeBytes is how much this user can still write to the disk of a folder.
func freeBytes(path string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, fmt.Errorf("look at the disk of %s: %w", path, err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}
