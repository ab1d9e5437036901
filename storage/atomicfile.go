package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ReplaceFile puts a new file in the place of an old one at once. When it returns the
// new one is on disk, and so is its name.
func ReplaceFile(path string, content []byte, mode fs.FileMode) error {
	return install(path, content, mode, func(temp string) error { return os.Rename(temp, path) })
}

// writeNew makes a file that appears complete, with mode 0600, or not at all.
// fs.ErrExist if there is one: linking, other than renaming, never replaces.
func writeNew(path string, content []byte) error {
	return install(path, content, 0o600, func(temp string) error {
		return errors.Join(os.Link(temp, path), os.Remove(temp))
	})
}

// replace is ReplaceFile for what only the owner reads.
func replace(path string, content []byte) error { return ReplaceFile(path, content, 0o600) }

// install writes a temporary file beside the path, syncs it, moves it, and
// syncs the folder. What an interrupted one left there goes,
// if it can be removed.
func install(path string, content []byte, mode fs.FileMode, move func(temp string) error) error {
	RemoveLeftovers(path)                                    // the doctor names what could not be removed
	f, err := os.CreateTemp(parent(path), TempPattern(path)) // mode 0600
	if err != nil {
		return fmt.Errorf("make temporary file: %w", err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode))
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
