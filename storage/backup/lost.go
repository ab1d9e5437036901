package backup

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Lost are the keys of which the file before has a READY share, and the node has none of
// that epoch or a later one, though the key was not destroyed here. What restores from the
// file that comes now would miss it.
type Lost struct {
	// Older are those of which the node has a share of an earlier epoch: nothing that
	// happens to a node that goes on leaves that. It was put back to an older copy.
	Older []string
	// Gone are those of which it has no share at all: other participants have the key
	// since, or its database was lost, or an older copy of it is from before the key.
	Gone []string
	// epochs of the newest file, by key.
	epochs map[string]uint64
}

// Epoch is the newest one of a key of which the file before has a READY share.
func (l Lost) Epoch(key string) uint64 { return l.epochs[key] }

// LostSince compares a manifest with the last one in its folder; nil: there was none.
func LostSince(last *Manifest, m Manifest) (l Lost) {
	if last == nil {
		return l
	}
	before, now := readyShares(*last), readyShares(m)
	l.epochs = before
	for key, epoch := range before {
		have, any := now[key]
		switch {
		case slices.Contains(m.Tombstones, key) || any && have >= epoch:
		case any:
			l.Older = append(l.Older, key)
		default:
			l.Gone = append(l.Gone, key)
		}
	}
	slices.Sort(l.Older)
	slices.Sort(l.Gone)
	return l
}

// readyShares is the newest epoch of each key of which there is a READY share.
func readyShares(m Manifest) map[string]uint64 {
	newest := make(map[string]uint64)
	for _, e := range m.Records {
		if e.Share && e.Status == types.StatusReady.String() {
			newest[e.KeyID] = max(newest[e.KeyID], e.Epoch)
		}
	}
	return newest
}

// Check is ErrLost if the node seems to have lost what only files of before have: whoever
// adds a file then hides that from who restores. elsewhere are the keys of which the chain
// says that this participant needs no share any more.
func (l Lost) Check(elsewhere ...string) error {
	gone := slices.DeleteFunc(slices.Clone(l.Gone), func(key string) bool { return slices.Contains(elsewhere, key) })
	switch {
	case len(l.Older) > 0:
		return fmt.Errorf("%w: of %s the node has an older epoch than the newest file", ErrLost, some(l.Older))
	case len(gone) > 0:
		return fmt.Errorf("%w: the newest file has shares of %s, and the node has none", ErrLost, some(gone))
	}
	return nil
}

// some names the first of many.
func some(keys []string) string {
	const shown = 8
	if more := len(keys) - shown; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(keys[:shown], ", "), more)
	}
	return strings.Join(keys, ", ")
}

// String says of which keys no share is left; empty if of none.
func (l Lost) String() string {
	if len(l.Gone)+len(l.Older) == 0 {
		return ""
	}
	return some(slices.Concat(l.Older, l.Gone))
}
