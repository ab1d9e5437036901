package mpcnode

import (
	"sync/atomic"

	mpcabci "github.com/sequencer-mpc/sequencer/x/mpc/abci"
)

// Link connects an application with an engine that comes later: applications
// are made before their node, some of them for a single command, and blocks are
// replayed before the engine runs. Until an engine is attached there are no
// results, and waking does nothing.
type Link struct {
	// Holder is the ResultSource for x/mpc/abci.
	mpcabci.Holder
	wake atomic.Pointer[func()]
}

// NewLink makes a link without an engine.
func NewLink() *Link { return &Link{} }

// Wake tells the engine that a block was committed. It returns at once and may
// be called under CometBFT's locks.
func (l *Link) Wake() {
	if wake := l.wake.Load(); wake != nil {
		(*wake)()
	}
}

// attach connects an engine; detach takes it away again.
func (l *Link) attach(source mpcabci.ResultSource, wake func()) {
	l.Set(source)
	l.wake.Store(&wake)
}

func (l *Link) detach() {
	l.Set(nil)
	l.wake.Store(nil)
}
