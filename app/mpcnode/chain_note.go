package mpcnode

import (
	"fmt"
	"log/slog"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/storage"
)

const (
	// chainNoteBlocks is how often the database is told how far the chain is: one small
	// write, synced, in so many blocks.
	chainNoteBlocks = 10
	// chainLag is how far the chain may be ahead of what its database was told: by one note
	// that was not written, and four times as much for an engine that was behind when the
	// node was killed, or ended seconds before consensus did.
	chainLag = 5 * chainNoteBlocks
)

// chainNote tells the database of a node how far the chain is. The engine's loop calls it.
type chainNote struct {
	db      *storage.DB
	chainID string
	log     *slog.Logger
	last    storage.ChainSeen
	// failed: the last note could not be written, which is told once.
	failed bool
}

// observe is told of each view. A chain may be rolled back, and begin again under another
// id: what counts is where it was last.
func (n *chainNote) observe(v *mpc.View) {
	behind := v.Height - n.last.Height
	if v.Height < 1 || n.last.ChainID == n.chainID && behind >= 0 && behind < chainNoteBlocks {
		return
	}
	next := storage.ChainSeen{ChainID: n.chainID, Height: v.Height}
	err := n.db.NoteChain(next)
	if err != nil && !n.failed {
		n.log.Error("the database could not be told how far the chain is", "height", v.Height, "err", err)
	}
	if n.failed = err != nil; !n.failed {
		n.last = next
	}
}

// behindChain says how the database is behind the chain that the node has at its start,
// further than a node that was killed leaves it; empty if it is not, and if it was never
// told.
func behindChain(seen storage.ChainSeen, chainID string, height int64) string {
	switch {
	case seen == storage.ChainSeen{}:
		return ""
	case seen.ChainID != chainID && height > chainLag:
		return fmt.Sprintf("the chain %s is at height %d, and what the database knows is the chain %s", chainID, height, seen.ChainID)
	case seen.ChainID == chainID && height > seen.Height+chainLag:
		return fmt.Sprintf("the chain is at height %d, and the database knows it up to height %d", height, seen.Height)
	}
	return ""
}
