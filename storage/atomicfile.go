package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// writeNew makes a file that appears complete, with mode 0600, or not at all.
// fs.ErrExist if there is one: linking, other than renaming, never replaces.
func writeNew(path string, content []byte) error {
	return install(path, content, func(temp string) error {
		return errors.Join(os.Link(temp, path), os.Remove(temp))
	})
}

// replace puts a new file, with mode 0600, in the place of an old one at once.
func replace(path string, content []byte) error {
	return install(path, content, func(temp string) error { return os.Rename(temp, path) })
}

// install writes a temporary file beside the path, syncs it, moves it, and
// syncs the folder.
func install(path string, content []byte, move func(temp string) error) error {
	f, err := os.CreateTemp(parent(path), "."+filepath.Base(path)+"-") // mode 0600
	if err != nil {
		return fmt.Errorf("make temporary file: %w", err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write temporary file: %w", err), os.Remove(f.Name()))
	}
	if err := move(f.Name()); err != nil {
		os.Remove(f.Name()) // what the move left, if anything; its own error says more
		return fmt.Errorf("put file in place: %w", err)
	}
	return syncFolder(parent(path))
}
