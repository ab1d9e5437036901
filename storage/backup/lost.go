package backup

import (
	"fmt"
	"slices"
	"strings"
)

// Lost is what the file before has of a node, and the node has no more, though the key was
// not destroyed here. What restores from the file that comes now would miss it.
type Lost struct {
	// Older are the keys with a READY share in that file of which the node has a share of an
	// earlier epoch: nothing that happens to a node that goes on leaves that. It was put
	// back to an older copy.
	Older []string
	// Gone are those of which it has no READY share at all: other participants have the key
	// since, or its database was lost, or an older copy of it is from before the key.
	Gone []string
	// Staged are the shares that were not READY in that file, and that the node has neither
	// as they were nor in what took their place: a READY share of that epoch of the key, or
	// of a later one. Nothing here tells why. The node destroys a share whose keygen or
	// reshare failed, some time after, and that is the end of it; or it was put back to a
	// copy of before the share, and the chain signs with it by now.
	Staged []Entry
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
	held := make(map[string]bool)
	for _, e := range m.Records {
		held[e.name()] = e.Share
	}
	for _, e := range last.Records {
		ready, hasReady := now[e.KeyID]
		outdated := hasReady && ready >= e.Epoch
		if e.staged() && !held[e.name()] && !outdated && !slices.Contains(m.Tombstones, e.KeyID) {
			l.Staged = append(l.Staged, e)
		}
	}
	return l
}

// readyShares is the newest epoch of each key of which there is a READY share.
func readyShares(m Manifest) map[string]uint64 {
	newest := make(map[string]uint64)
	for _, e := range m.Records {
		if e.Share && !e.staged() {
			newest[e.KeyID] = max(newest[e.KeyID], e.Epoch)
		}
	}
	return newest
}

// Check is ErrLost if the node seems to have lost what only files of before have: whoever
// adds a file then hides that from who restores. What the chain says is for who can ask it:
// elsewhere are the keys of which this participant needs no share any more, wanted are those
// of Staged that count by the chain, or may yet. Where nobody can ask, and of entries that are
// not Judgeable, none of these is held against the node. A failed reshare would have it refused
// for ever otherwise, since no restoring keeps such a share; whoever adds the file says what is
// not in it.
func (l Lost) Check(elsewhere []string, wanted []Entry) error {
	gone := slices.DeleteFunc(slices.Clone(l.Gone), func(key string) bool { return slices.Contains(elsewhere, key) })
	switch {
	case len(l.Older) > 0:
		return fmt.Errorf("%w: of %s the node has an older epoch than the newest file", ErrLost, some(l.Older))
	case len(gone) > 0:
		return fmt.Errorf("%w: the newest file has shares of %s, and the node has none", ErrLost, some(gone))
	case len(wanted) > 0:
		return fmt.Errorf("%w: the newest file has shares of %s, which the chain signs with, or may choose or need yet as far as the node knows, and it has none", ErrLost, some(epochsOf(wanted)))
	}
	return nil
}

// Unjudged is what is lost where a running node asked the chain and added the file all the
// same: of the staged shares those alone that are not Judgeable. The others are over.
func (l Lost) Unjudged() Lost {
	l.Staged = slices.DeleteFunc(slices.Clone(l.Staged), Entry.Judgeable)
	return l
}

// some names the first of many.
func some(keys []string) string {
	const shown = 8
	if more := len(keys) - shown; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(keys[:shown], ", "), more)
	}
	return strings.Join(keys, ", ")
}

// epochsOf names keys with their epochs, each once.
func epochsOf(entries []Entry) []string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = fmt.Sprintf("%s epoch %d", e.KeyID, e.Epoch)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// String says of which keys no READY share is left; empty if of none.
func (l Lost) String() string { return some(slices.Concat(l.Older, l.Gone)) }

// StagedString says of which epochs a share is gone that was not READY; empty if of none.
func (l Lost) StagedString() string { return some(epochsOf(l.Staged)) }
