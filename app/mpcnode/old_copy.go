package mpcnode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

// oldCopy finds out that a node began with an older copy of its database where nothing
// beside it is newer, as with a snapshot of the whole machine, or with an old folder and
// the chain's data fetched anew: the chain shows keys whose shares this participant
// attested after the database was told last how far the chain is, and a node attests only
// what its database has.
type oldCopy struct {
	// own lists the keys of which this node should have a share, by the chain.
	own func() (types.Operator, []types.Key, error)
	db  *storage.DB
	// told is what the database knew of the chain when the node began, sets the
	// pre-parameters that it had then.
	told storage.ChainSeen
	sets []uint64
	// tell is called once, after the sets were destroyed.
	tell func(detail string)
	log  *slog.Logger
	now  func() time.Time
	// look is asked for after each view: whether the chain is up to date.
	look chan bool
}

// lookForOldCopy notes what the database has before the node changes it. It is nil for one
// that was never told of this chain, which cannot be compared with it.
func (m *member) lookForOldCopy(told storage.ChainSeen) (*oldCopy, error) {
	if told.ChainID != m.app.ChainID() {
		return nil, nil
	}
	db := m.vault.Database()
	sets, err := db.Preparams()
	return &oldCopy{own: m.shares.own, db: db, told: told, sets: sets, log: m.log, now: time.Now, look: make(chan bool, 1)}, err
}

// viewed never blocks. A node that catches up is looked at as well: it may be stopped
// before it is up to date, and the database is told of what it saw.
func (o *oldCopy) viewed(catchingUp bool) {
	select {
	case o.look <- !catchingUp:
	default:
	}
}

// run looks once a minute, at most, until it found out, or the chain is up to date and
// shows nothing, or the context ends.
func (o *oldCopy) run(ctx context.Context) error {
	var last time.Time
	for {
		current := false
		select {
		case <-ctx.Done():
			return nil
		case current = <-o.look:
		}
		now := o.now()
		if !current && now.Sub(last) < sharesInterval {
			continue
		}
		last = now
		detail, err := o.find()
		switch {
		case err != nil:
			o.log.Debug("look for shares that an older copy of the database lacks", "err", err)
		case detail != "":
			if err := o.burn(); err != nil {
				o.log.Error("pre-parameters that may have been used could not be destroyed", "err", err)
			}
			o.tell(detail)
			return nil
		case current:
			return nil
		}
	}
}

// find names a share that was attested and is not there; empty if there is none. The
// database is read after the chain: what was attested meanwhile is in it.
func (o *oldCopy) find() (detail string, err error) {
	defer unpanicked(&err)
	self, keys, err := o.own()
	if err != nil {
		return "", err
	}
	keys = slices.DeleteFunc(keys, func(k types.Key) bool { return k.DecidedHeight <= o.told.Height })
	if len(keys) == 0 {
		return "", nil
	}
	records, err := o.db.Records()
	if err != nil {
		return "", err
	}
	missing := missingOf(self, keys, records)
	if len(missing) == 0 {
		return "", nil
	}
	return fmt.Sprintf("the chain shows that this node attested its share of key %s, epoch %d, and of %d keys in all, after height %d, up to which the database knows the chain, and it has none of them",
		missing[0].KeyID, missing[0].Epoch, len(missing), o.told.Height), nil
}

// burn destroys the sets that the database came with. One that is gone was used or
// destroyed meanwhile.
func (o *oldCopy) burn() error {
	var all error
	for _, id := range o.sets {
		if err := o.db.BurnPreparams(id); !errors.Is(err, types.ErrNoPreparams) {
			all = errors.Join(all, err)
		}
	}
	return all
}
