package keeper

import (
	"context"
	"sync"
)

// MaxToldUnreadable bounds how many entries of the state that cannot be read the log has:
// some 100 KB of memory. Whoever reads of so many needs no more.
const MaxToldUnreadable = 1000

// toldUnreadable knows what the log has since the node started. It is for the log alone, so that
// blocks are executed the same whatever it knows.
type toldUnreadable struct {
	mu   sync.Mutex
	what map[string]bool
}

// first reports whether an entry is not in the log yet, and should be, and whether it is the last
// one that is told.
func (t *toldUnreadable) first(what string) (tell, last bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.what[what] || len(t.what) >= MaxToldUnreadable {
		return false, false
	}
	if t.what == nil {
		t.what = make(map[string]bool)
	}
	t.what[what] = true
	return true, len(t.what) == MaxToldUnreadable
}

// unreadable logs that an entry of the state cannot be read, once: engines read it again at each
// block.
func (k *Keeper) unreadable(ctx context.Context, what string, err error) {
	tell, last := k.told.first(what)
	if !tell {
		return
	}
	k.logger(ctx).Error("an entry of the state cannot be read; this node goes on without it, please report this", "what", what, "err", err)
	if last {
		k.logger(ctx).Error("the log has as many entries of the state that cannot be read as it takes; what else cannot be read is not told until the node starts again",
			"told", MaxToldUnreadable)
	}
}
