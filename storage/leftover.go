package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// What is to appear complete or not at all is built beside its place, under the name of
// the place with a dot before it and a number behind it. A crash, or whoever interrupts the
// command, may leave that there: it holds the same secrets, no later destruction or change
// of passphrase reaches it, and nobody would look for it.

// tempPattern is that of what is built for a path, for os.CreateTemp and os.MkdirTemp.
func tempPattern(path string) string { return "." + filepath.Base(path) + "-" }

// RemoveLeftovers removes what was built for a path beside it and never got there. It must
// not run while somebody builds a database for the path; who writes a file for it at the same
// time fails, and nothing is lost.
func RemoveLeftovers(path string) error {
	names, err := leftovers(path)
	if err != nil || len(names) == 0 {
		return err
	}
	for _, name := range names {
		if err := os.RemoveAll(name); err != nil {
			return fmt.Errorf("remove what an interrupted command left: %w", err)
		}
	}
	return syncFolder(parent(path))
}

func leftovers(path string) (list []string, err error) {
	entries, err := os.ReadDir(parent(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for what an interrupted command left: %w", err)
	}
	for _, e := range entries {
		number, is := strings.CutPrefix(e.Name(), tempPattern(path))
		if is && number != "" && strings.Trim(number, "0123456789") == "" {
			list = append(list, filepath.Join(parent(path), e.Name()))
		}
	}
	return list, nil
}
