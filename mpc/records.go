package mpc

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// maxDestroyed records and keys are destroyed at one Reconcile, the others at the
// next ones: each takes up to 40 ms of a slow disk, the chain may bury 500 keys in
// one block, and a loop that is busy with it is mute.
const maxDestroyed = 10

// recordKeys lists the records in order. The list is never changed.
func (c *Core) recordKeys() []types.RecordKey {
	if len(c.listed.keys) != len(c.records) { // know and forget drop it
		c.listed.keys = slices.SortedFunc(maps.Keys(c.records), compareRecordKeys)
	}
	return c.listed.keys
}

func compareRecordKeys(a, b types.RecordKey) int {
	return cmp.Or(cmp.Compare(a.KeyID, b.KeyID), cmp.Compare(a.Epoch, b.Epoch), slices.Compare(a.Session[:], b.Session[:]))
}

// putRecord stores a record and remembers it without its share.
func (c *Core) putRecord(r types.Record) error {
	r.Updated = c.opts.Now()
	if err := c.wrote(c.opts.Store.PutRecord(r)); err != nil {
		return fmt.Errorf("store record of %s epoch %d: %w", r.KeyID, r.Epoch, err)
	}
	r.HasData = r.HasData || len(r.Data) > 0
	r.Data = nil
	c.know(r)
	return nil
}

// know remembers a record.
func (c *Core) know(r types.Record) {
	if _, known := c.records[r.RecordKey]; !known {
		c.listed.keys = nil
	}
	c.listed.records = nil
	c.records[r.RecordKey] = r
	if c.byKey[r.KeyID] == nil {
		c.byKey[r.KeyID] = make(map[types.RecordKey]bool)
	}
	c.byKey[r.KeyID][r.RecordKey] = true
}

func (c *Core) forget(k types.RecordKey) {
	c.listed.keys, c.listed.records = nil, nil
	delete(c.records, k)
	delete(c.byKey[k.KeyID], k)
	if len(c.byKey[k.KeyID]) == 0 {
		delete(c.byKey, k.KeyID)
	}
}

// failRecord marks a record that never got its share.
func (c *Core) failRecord(r types.Record, reason types.Reason) (types.Record, error) {
	r.Status, r.Reason, r.Data = types.StatusError, reason, nil
	if err := c.putRecord(r); err != nil {
		return r, err
	}
	return c.records[r.RecordKey], nil
}

// settleRecords brings the stored records in line with the chain's word on
// their keys.
func (c *Core) settleRecords() error {
	c.destroyed = 0
	c.lookAgain()
	for _, k := range c.recordKeys() {
		if err := c.try("the record "+k.Session.Short(), func() error { return c.settleRecord(c.records[k]) }); err != nil {
			return err
		}
	}
	for _, id := range c.interest() {
		if err := c.try("the deletion of "+string(id), func() error { return c.settleDeletion(id) }); err != nil {
			return err
		}
	}
	return nil
}

func (c *Core) settleRecord(r types.Record) error {
	key, known := c.view.Keys[r.KeyID]
	if !known {
		c.reportUnknown(r.KeyID)
		return nil
	}
	delete(c.unknown, r.KeyID)
	switch {
	case key.Status == types.KeyDeleted:
		return nil // settleDeletion does the whole key at once
	case key.Status == types.KeyPending:
		if r.HasData && r.Status != types.StatusError { // READY before the chain was rolled back
			c.attest(r)
		}
		return nil
	case key.Status == types.KeyError:
		return c.retire(r, key.RetireHeight)
	case r.Epoch > key.Epoch:
		return c.settleNext(r, key)
	case r.Epoch < key.Epoch:
		return c.settlePrevious(r, key)
	case r.HasData && r.Context == key.Session:
		return c.promote(r, key)
	}
	return c.retire(r, key.RetireHeight)
}

// promote makes the session that the chain chose the key's share.
func (c *Core) promote(r types.Record, key types.Key) error {
	if uncommitted(r, key) {
		c.reportUncommitted(r)
		return nil
	}
	if r.Status == types.StatusReady {
		return nil
	}
	if !r.Status.CanMoveTo(types.StatusReady) {
		c.opts.Log.Error("the chain chose a session that failed here; the share is kept",
			"key", r.KeyID, "epoch", r.Epoch, "session", r.Context.Short(), "reason", r.Reason)
		return nil
	}
	r.Status = types.StatusReady
	if err := c.putRecord(r); err != nil {
		return err
	}
	c.opts.Log.Info("key ready", "key", r.KeyID, "epoch", r.Epoch, "session", r.Context.Short())
	return nil
}

// retire destroys what lost once no rollback can make it win any more. Until
// then it stays as it is, share and all.
//
// Nothing goes while the key is DELETING: nobody can say then that a share is missing, the
// deletion may be taken back, and if it is not the key's end takes all of it.
//
// A foreign share is never destroyed so: something may belong to the key that it is of.
func (c *Core) retire(r types.Record, height int64) error {
	key := c.view.Keys[r.KeyID]
	if c.foreign(r, key) {
		c.reportForeign(r)
		return nil
	}
	if key.Status == types.KeyDeleting || c.view.Height < height || c.view.CatchingUp || c.destroyed >= maxDestroyed {
		return nil
	}
	if _, running := c.sessions[r.Session]; running {
		return nil
	}
	if err := c.wrote(c.opts.Store.DestroyRecord(r.RecordKey)); err != nil {
		return fmt.Errorf("destroy a losing record of %s: %w", r.KeyID, err)
	}
	c.forget(r.RecordKey)
	c.destroyed++
	c.opts.Log.Info("record retired", "key", r.KeyID, "epoch", r.Epoch, "session", r.Session.Short(), "had_share", r.HasData)
	return nil
}

// settleDeletion destroys a deleted key, once no rollback can bring it back, and attests
// it until the chain shows it.
func (c *Core) settleDeletion(id types.KeyID) error {
	key, known := c.view.Keys[id]
	if !known || key.Status != types.KeyDeleted {
		return nil
	}
	if _, done := c.tombstones[id]; !done {
		if c.view.Height < key.RetireHeight || c.view.CatchingUp || c.destroyed >= maxDestroyed {
			return nil
		}
		if err := c.destroy(key, slices.Contains(key.Holders, c.self.Operator)); err != nil {
			return err
		}
	}
	_, destroyed := c.tombstones[id]
	switch {
	case slices.Contains(key.DeletionAcked, c.self.Operator):
		if destroyed {
			c.tombstones[id] = true
		}
		delete(c.owed, id)
		delete(c.ownDestroyed, id)
	case slices.Contains(key.Holders, c.self.Operator):
		return c.attestDeletion(key)
	case destroyed && c.self.Operator != "":
		c.tombstones[id] = true // its share never counted: nobody waits for its word
	}
	return nil
}

// recallBlocks is how often a node asks for deletions that it did not hear of: it may
// have nothing of the key any more, and the word of others came before its block.
const recallBlocks = 100

// recallDeletions asks, as soon as this node knows who it is and where the chain is and
// now and then after that, which deletions wait for its word.
func (c *Core) recallDeletions(ctx context.Context) error {
	recent := c.self.Operator == c.askedFor && c.view.Height < c.askedAt+recallBlocks
	if c.view.CatchingUp || c.self.Operator == "" || recent {
		return nil
	}
	ids, err := c.opts.Chain.Unacknowledged(ctx, c.self.Operator)
	if err != nil {
		return err
	}
	c.askedFor, c.askedAt = c.self.Operator, c.view.Height
	for _, id := range ids {
		c.owed[id] = true
	}
	return nil
}

// destroy ends a key on this node.
func (c *Core) destroy(key types.Key, holder bool) error {
	id, held := key.ID, c.byKey[key.ID]
	for k := range held {
		if c.foreign(c.records[k], key) {
			return c.destroyOwn(key)
		}
	}
	if len(held) == 0 && !holder {
		return nil
	}
	if err := c.wrote(c.opts.Store.DestroyKey(id)); err != nil {
		return fmt.Errorf("destroy key %s: %w", id, err)
	}
	had, err := c.opts.Store.HadShares(id) // of one that a crash cut short nothing is held any more
	if err != nil {
		return fmt.Errorf("read the tombstone of %s: %w", id, err)
	}
	if len(held) == 0 && !had {
		c.reportNothing(key)
	}
	for k := range held {
		c.forget(k)
	}
	c.destroyed++
	c.tombstones[id] = false
	c.opts.Log.Info("key destroyed", "key", id)
	return nil
}

// reportNothing says that this node, which had a share of a deleted key once, had nothing to
// destroy. Of a participant of its last epoch that is a share that was lost, and may lie in
// another copy of the database; whoever a reshare left out destroyed its share long ago.
func (c *Core) reportNothing(key types.Key) {
	if len(key.PublicKey) == 0 || !slices.Contains(key.Participants, c.self.Operator) {
		c.opts.Log.Info("nothing is left here of a deleted key of which this node had a share once: it went before, with its epoch or its session", "key", key.ID)
		return
	}
	c.opts.Log.Warn("a deleted key of which this node should have had a share is not in its store, for the database was lost or put back: destroy its other copies, and backups that have the share", "key", key.ID)
}

// uncommitted: the chain chose the session, and this node ran it for another request
// under the same id. Of an epoch of before keys had a commitment nothing is known.
func uncommitted(r types.Record, key types.Key) bool {
	return r.Context == key.Session && !key.Commitment.IsZero() && r.Commitment != key.Commitment
}

// share finds the record that signs for a request. One that the chain did not
// choose yet signs the test of its reshare, and nothing else.
func (c *Core) share(r *types.Request) (types.Record, bool) {
	rec, ok := c.held(r.KeyID, r.Epoch, r.KeySession)
	ok = ok && !uncommitted(rec, c.view.Keys[r.KeyID])
	return rec, ok && (rec.Status == types.StatusReady || r.Test && rec.Status == types.StatusPending)
}

// held finds the share of a session.
func (c *Core) held(id types.KeyID, epoch uint64, context types.Context) (types.Record, bool) {
	for k := range c.byKey[id] { // one at most: contexts are unique
		if rec := c.records[k]; k.Epoch == epoch && rec.Context == context && rec.HasData {
			return rec, true
		}
	}
	return types.Record{}, false
}

// reportUncommitted says once that the chain chose a session that this node ran for
// another request under the same id. Honest members attest a session for its own request
// only, and the chain wants the word of all of them, this node's too.
func (c *Core) reportUncommitted(r types.Record) {
	if !c.withhold(r, WithheldUncommitted) {
		return
	}
	c.opts.Log.Error("the chain chose a session that this node ran for another request under the same id; the share is kept and not made the key's",
		"key", r.KeyID, "epoch", r.Epoch, "session", r.Context.Short(), "remedy", WithheldUncommitted.Remedy())
}

// reportUnknown says once that the chain does not know a key. Its records are
// kept: the chain may have been rolled back, or this may be the wrong chain.
func (c *Core) reportUnknown(id types.KeyID) {
	if c.unknown[id] || c.view.CatchingUp {
		return
	}
	c.unknown[id] = true
	c.opts.Log.Warn("the store has a key that the chain does not know; it is kept", "key", id,
		"remedy", types.ForProgram("check that this database belongs to this chain: sequencerd mpc keys"))
}
