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
// the place with a dot before it, and behind it a word that nobody else would choose and a
// number. A crash, or whoever interrupts the command, may leave that there: it holds the same
// secrets, no later destruction or change of passphrase reaches it, and nobody would look for it.

// TempPattern is that of what is built for a path, for os.CreateTemp and os.MkdirTemp.
func TempPattern(path string) string { return "." + filepath.Base(path) + ".incomplete-" }

// formerPattern is what it was. A copy that somebody keeps may be called so (".db-20261127"),
// so nothing of that name is removed.
func formerPattern(path string) string { return "." + filepath.Base(path) + "-" }

// Leftovers are what interrupted commands left beside a place.
type Leftovers struct {
	// Removed are the paths of what went.
	Removed []string
	// Kept are those of what is there still: Error says why, or it has a name that
	// somebody may have given to a copy.
	Kept  []string
	Error error
}

// removeAll is os.RemoveAll, but for tests: nothing is out of reach of root, as whom they may run.
var removeAll = os.RemoveAll

// RemoveLeftovers removes what was built for a path beside it and never got there. What
// cannot be removed, as what root made, keeps nobody from the place itself. It must
// not run while somebody builds a database for the path; who writes a file for it at the same
// time fails, and nothing is lost.
func RemoveLeftovers(path string) Leftovers {
	found := FindLeftovers(path)
	var done Leftovers
	errs := []error{found.Error}
	for _, name := range found.Kept {
		if !numbered(name, TempPattern(path)) {
			done.Kept = append(done.Kept, name)
			continue
		}
		if err := removeAll(name); err != nil {
			errs = append(errs, fmt.Errorf("remove what an interrupted command left: %w", err))
			done.Kept = append(done.Kept, name)
			continue
		}
		done.Removed = append(done.Removed, name)
	}
	if len(done.Removed) > 0 {
		errs = append(errs, syncFolder(parent(path)))
	}
	done.Error = errors.Join(errs...)
	return done
}

// FindLeftovers looks for them and removes nothing.
func FindLeftovers(path string) (found Leftovers) {
	entries, err := os.ReadDir(parent(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		found.Error = fmt.Errorf("look for what an interrupted command left: %w", err)
	}
	for _, e := range entries {
		if numbered(e.Name(), TempPattern(path)) || numbered(e.Name(), formerPattern(path)) {
			found.Kept = append(found.Kept, filepath.Join(parent(path), e.Name()))
		}
	}
	return found
}

// numbered reports whether the last part of a path is a pattern and a number.
func numbered(path, pattern string) bool {
	number, is := strings.CutPrefix(filepath.Base(path), pattern)
	return is && number != "" && strings.Trim(number, "0123456789") == ""
}
