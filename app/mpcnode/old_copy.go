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
// attested and that it lacks, and a node attests only what its database has.
//
// The database remembers up to which block it had them all, from when its node was up to
// date with the chain for the first time. So a new database in the place of one that was
// lost is not taken for an old one while its node follows the chain, and an old one is found
// out however often its node is started meanwhile. How far the node saw the chain (chainNote)
// says neither.
type oldCopy struct {
	// own lists the keys of which this node should have a share, by the chain.
	own     func() (owned, error)
	db      copyStore
	chainID string
	// known is what the database has noted of that.
	known storage.Compared
	// newest is the newest set of pre-parameters that the database had when the node
	// began. What was made since was used by no other copy.
	newest uint64
	// tell is called as soon as something is found.
	tell func(detail string)
	log  *slog.Logger
	now  func() time.Time
	// look is asked for after each view: whether the chain is up to date.
	look chan bool
	// told: the last finding was told, and not noted yet. failed: the database took
	// nothing, which is told once.
	told, failed bool
}

// copyStore is what oldCopy needs of the database. *storage.DB is one.
type copyStore interface {
	Records() ([]types.Record, error)
	Preparams() ([]uint64, error)
	BurnPreparams(id uint64) error
	NoteCompared(c storage.Compared) error
}

// lookForOldCopy notes what the database has before the node changes it.
func (m *member) lookForOldCopy() (*oldCopy, error) {
	db := m.vault.Database()
	known, err := db.Compared()
	if err != nil {
		return nil, err
	}
	sets, err := db.Preparams()
	if err != nil {
		return nil, err
	}
	o := &oldCopy{own: m.shares.own, db: db, chainID: m.app.ChainID(), known: known, log: m.log, now: time.Now, look: make(chan bool, 1)}
	if len(sets) > 0 {
		o.newest = slices.Max(sets)
	}
	return o, nil
}

// viewed never blocks. A node that catches up looks as well: a key that it would find may
// be deleted, or reshared to others, before it is up to date.
func (o *oldCopy) viewed(catchingUp bool) {
	select {
	case o.look <- !catchingUp:
	default:
	}
}

// run looks once a minute, at most, until the context ends, and at once when the chain is up
// to date for the first time: what the node attests from then on, its database has. It goes on
// then, for a node whose clock is behind takes an old chain for one that is up to date.
func (o *oldCopy) run(ctx context.Context) error {
	var last time.Time
	sure := false
	for {
		current := false
		select {
		case <-ctx.Done():
			return nil
		case current = <-o.look:
		}
		now := o.now()
		if (sure || !current) && now.Sub(last) < sharesInterval {
			continue
		}
		last = now
		if err := o.step(current); err != nil {
			o.log.Debug("look for shares that an older copy of the database lacks", "err", err)
			continue
		}
		sure = sure || current
	}
}

// step is one look. What an earlier one could not finish comes first.
func (o *oldCopy) step(current bool) (err error) {
	defer unpanicked(&err)
	if err := o.burn(); err != nil {
		return err
	}
	if o.known.ChainID != o.chainID {
		if !current {
			return nil
		}
		has, err := o.own()
		if err != nil {
			return err
		}
		return o.complete(has.height)
	}
	has, missing, err := o.lacking()
	switch {
	case err != nil:
		return err
	case len(missing) > 0:
		return o.found(missing)
	case has.height > o.known.Height || current && has.height < o.known.Height: // it was rolled back
		return o.complete(has.height)
	}
	return nil
}

// complete notes that the database has what it should up to a height; what it lacks all the
// same, its operator knows of.
func (o *oldCopy) complete(height int64) error {
	o.told = false
	return o.note(storage.Compared{ChainID: o.chainID, Height: height})
}

// lacking lists the shares that were attested since the database had all of them, and are
// not there. It is read after the chain, so that what was attested meanwhile is in it, and
// before the chain again, so that what was destroyed meanwhile is not missed.
func (o *oldCopy) lacking() (has owned, missing []MissingShare, err error) {
	if has, err = o.own(); err != nil {
		return has, nil, err
	}
	keys := slices.DeleteFunc(slices.Clone(has.keys), func(k types.Key) bool { return k.DecidedHeight <= o.known.Height })
	if len(keys) == 0 {
		return has, nil, nil
	}
	records, err := o.db.Records()
	if err != nil || len(missingOf(has.self, keys, records)) == 0 {
		return has, nil, err
	}
	again, err := o.own()
	if err != nil {
		return has, nil, err
	}
	keys = slices.DeleteFunc(keys, func(k types.Key) bool {
		return !slices.ContainsFunc(again.keys, func(now types.Key) bool { return now.ID == k.ID && now.Session == k.Session })
	})
	return has, missingOf(has.self, keys, records), nil
}

// found tells what is lacking, once, however long it takes to note it.
func (o *oldCopy) found(missing []MissingShare) error {
	if !o.told {
		o.told = true
		o.tell(fmt.Sprintf("the chain shows that this node attested its share of key %s, epoch %d, and of %d keys in all, after height %d, up to which the database had every share, and it has none of them",
			missing[0].KeyID, missing[0].Epoch, len(missing), o.known.Height))
	}
	return o.doubt()
}

// doubt destroys the sets that the database came with, of one that is known to be an older
// copy. It notes that first: what fails, or ends with the node, is made up for by a later
// look or the next start. The shares that it lacks are known by that; when the chain is up to
// date it is compared anew.
func (o *oldCopy) doubt() error {
	if err := o.note(storage.Compared{Doubted: o.newest}); err != nil {
		return err
	}
	return o.burn()
}

// burn destroys the sets that are doubted, if any. One that is gone was used or destroyed
// meanwhile.
func (o *oldCopy) burn() error {
	if o.known.Doubted == 0 {
		return nil
	}
	ids, err := o.db.Preparams()
	for _, id := range ids {
		if id > o.known.Doubted {
			continue
		}
		if burned := o.db.BurnPreparams(id); !errors.Is(burned, types.ErrNoPreparams) {
			err = errors.Join(err, burned)
		}
	}
	if err != nil {
		return o.wrote(fmt.Errorf("destroy pre-parameters that may have been used: %w", err))
	}
	done := o.known
	done.Doubted = 0
	return o.note(done)
}

// note remembers what is known.
func (o *oldCopy) note(known storage.Compared) error {
	err := o.db.NoteCompared(known)
	if err == nil {
		o.known = known
	}
	return o.wrote(err)
}

// wrote tells that the database takes nothing, once.
func (o *oldCopy) wrote(err error) error {
	if err != nil && !o.failed {
		o.log.Error("what an older copy of the database lacks could not be noted, or its pre-parameters not destroyed; it is tried again", "err", err)
	}
	o.failed = err != nil
	return err
}
