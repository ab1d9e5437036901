package mpcnode

import (
	"log/slog"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

// loss lets a node that lost its database say on chain that its shares are missing, once
// that is sure enough: the word is taken back once in each epoch, and the disk may not be
// mounted yet.
type loss struct {
	// note is told of what is missing.
	note func([]types.KeyID)
	// after is for how long the database must have been away, since when the node began.
	after time.Duration
	since time.Time
	now   func() time.Time
	// back reports that the database is there again. The node that runs does not have it.
	back func() (bool, error)
	log  *slog.Logger
	// told: the operator was told that it is back, or begun: that the chain is.
	told, begun bool
}

// declares is what is done with the keys of which this node has no share.
func (m *member) declares(note func([]types.KeyID), paths Paths) func([]types.KeyID) {
	lost := m.vault.Lost()
	if lost == nil {
		return note
	}
	l := &loss{note: note, after: m.cfg.ShareMissingAfter, since: time.Now(), now: time.Now, log: m.log}
	l.back = func() (bool, error) { return false, nil } // one that is damaged is there all the time
	if types.ReasonOf(lost) == types.ErrDatabaseLost {
		l.back = func() (bool, error) { return storage.Exists(paths.Database) }
	}
	return l.declare
}

func (l *loss) declare(keys []types.KeyID) {
	if l.now().Sub(l.since) < l.after {
		return
	}
	back, err := l.back()
	switch {
	case err != nil:
		l.log.Error("nobody can say whether the MPC database is gone; nothing is said on chain", "err", err)
		return
	case back:
		if !l.told {
			l.log.Warn("the MPC database is there again; start this node again, so that it takes part")
		}
		l.told = true
		return
	}
	if !l.begun {
		l.log.Warn("this node says on chain of which keys it has no share, since its database is lost", "keys", len(keys),
			"after", l.after, "reason", types.ErrShareMissing)
	}
	l.begun = true
	l.note(keys)
}
