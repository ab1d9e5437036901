package mpc

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// foreign: the share is, or may be, of another key than the chain has under its id: one
// that the chain made READY, and then began anew or was rolled back further than it should
// be. A share of another public key that was READY here is. So may be one that answered
// another request than the chain's: the chain may have chosen it in a block that this
// node never looked at.
func (c *Core) foreign(r types.Record, key types.Key) bool {
	if string(r.PublicKey) == string(key.PublicKey) {
		return false
	}
	return r.Status == types.StatusReady || c.answeredAnother(r, key)
}

// answeredAnother: the share was made for another request than that which the chain
// answered with the key, and nothing that this node has tells that it lost. Of a keygen
// that failed, and of records and keys of before there were commitments, nothing is known.
func (c *Core) answeredAnother(r types.Record, key types.Key) bool {
	if !r.HasData || r.Commitment.IsZero() || key.Commitment.IsZero() || r.Commitment == key.Commitment {
		return false
	}
	for k := range c.byKey[r.KeyID] { // the key's commitment says nothing of its earlier epochs
		if winner := c.records[k]; sameRequest(winner, r) && (winner.Status == types.StatusReady || string(winner.PublicKey) == string(key.PublicKey)) {
			return false
		}
	}
	return true
}

// sameRequest: both answered one request, and one of them at most is the key's.
func sameRequest(a, b types.Record) bool {
	return a.RecordKey != b.RecordKey && a.HasData && b.HasData && a.Epoch == b.Epoch && a.Commitment == b.Commitment
}

// outlivesLosers: there are shares that lost to this one. They go first, for nothing else
// tells of an earlier epoch that they lost.
func (c *Core) outlivesLosers(r types.Record, key types.Key) bool {
	if string(r.PublicKey) != string(key.PublicKey) {
		return false
	}
	for k := range c.byKey[r.KeyID] {
		other := c.records[k]
		if sameRequest(other, r) && other.Status != types.StatusReady && string(other.PublicKey) != string(key.PublicKey) {
			return true
		}
	}
	return false
}

// destroyOwn destroys what is the deleted key's, and keeps what is foreign. There is no
// tombstone then: it would take that along.
func (c *Core) destroyOwn(key types.Key) error {
	var own []types.Record
	for k := range c.byKey[key.ID] {
		if r := c.records[k]; c.foreign(r, key) {
			c.reportForeign(r)
		} else {
			own = append(own, r)
		}
	}
	slices.SortFunc(own, func(a, b types.Record) int { // losers first, see outlivesLosers
		return cmp.Or(cmp.Compare(ofKey(a, key), ofKey(b, key)), compareRecordKeys(a.RecordKey, b.RecordKey))
	})
	for _, r := range own {
		if err := c.wrote(c.opts.Store.DestroyRecord(r.RecordKey)); err != nil {
			return fmt.Errorf("destroy a record of %s: %w", key.ID, err)
		}
		c.ownDestroyed[key.ID] = c.ownDestroyed[key.ID] || r.HasData
		c.forget(r.RecordKey)
		c.destroyed++
		c.opts.Log.Info("record of a deleted key destroyed", "key", r.KeyID, "epoch", r.Epoch, "session", r.Session.Short())
	}
	return nil
}

// ofKey is 1 for a share of the key, and 0 for one of another public key.
func ofKey(r types.Record, key types.Key) int {
	if string(r.PublicKey) == string(key.PublicKey) {
		return 1
	}
	return 0
}

// reportForeign says once that the chain has another key under this id.
func (c *Core) reportForeign(r types.Record) {
	if !c.withhold(r, WithheldForeign) {
		return
	}
	c.opts.Log.Error("a share is, or may be, of a key that was READY, and the chain has another key under its id; it is kept",
		"key", r.KeyID, "epoch", r.Epoch, "session", r.Context.Short(), "public_key", fmt.Sprintf("%x", r.PublicKey),
		"remedy", WithheldForeign.Remedy())
}
