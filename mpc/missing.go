package mpc

import (
	"context"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// A node that lost its database does not know what it lost. It finds out when a share
// is wanted of it, since the open requests name the sessions that made the shares that
// they need; and of keys that nobody uses it is told by whoever compares all of the
// chain's keys with the records. It then says so on chain, where people and auto_reshare
// see it. One that has no database at all says so too, and nothing else: it is nobody in
// all that the engine does, and its identity signs this one statement.
//
// A database that is put back, from a backup or a disk that was not mounted, has the share
// again, and the node takes its word back: once for each epoch, so that nobody fills blocks
// with both, and only where the share is of the session by which the chain signs now and
// opens. Nobody has to believe it more than before: a participant that has no share could as
// well have kept silent about that.

// maxMissingTold words of this node's wait for the chain at a time, beyond those on keys
// that are wanted now: who lost thousands of shares tells of them in many blocks.
const maxMissingTold = 16

// NoteUnheld says of which keys this node seems to have no share that it should have,
// and the chain does not know so yet. Each is looked at again before anything is said.
// A later call replaces what is left of an earlier one.
func (c *Core) NoteUnheld(keys []types.KeyID) { c.unheld = slices.Clone(keys) }

// missing is the session whose share a request needs of this node, which has none;
// false if it needs none, or has it.
func (c *Core) missing(r *types.Request) (types.Context, bool) {
	epoch := r.Epoch
	switch {
	case r.ID.Kind == types.KindSign && !r.Test:
		if _, member := r.Member(c.self.Operator); !member {
			return types.Context{}, false
		}
	case r.ID.Kind == types.KindReshare && r.Handover != nil && r.Handover.Holds(c.self.Operator):
		epoch--
	default:
		return types.Context{}, false
	}
	_, held := c.held(r.KeyID, epoch, r.KeySession)
	return r.KeySession, !held
}

// declareMissing puts this node's word into the pool that it has no share of the keys
// that it should have one of, until the chain shows it.
func (c *Core) declareMissing(ctx context.Context) {
	if c.view.CatchingUp {
		return
	}
	if c.self.Operator == "" {
		c.declareUnheld(ctx, c.bereaved())
		return
	}
	looked := make(map[types.Context]bool) // the chain is read once for all requests of a key
	for _, r := range c.requests {
		session, missing := c.missing(r)
		if !missing || looked[session] {
			continue
		}
		looked[session] = true
		key, known := c.chainKey(ctx, r.KeyID)
		if known && c.declare(&key, session, c.self) {
			c.opts.Log.Warn("this node has no share of a key that it should have one of; it says so on chain",
				"key", r.KeyID, "epoch", r.Epoch, "session", session.Short(), "remedy", c.whyMissing(r.KeyID).Remedy())
		}
	}
	c.declareUnheld(ctx, c.self)
}

// whyMissing is the reason for having no share of a key: it was lost, or destroyed before
// a rollback brought the key back. Then none is stored here any more.
func (c *Core) whyMissing(id types.KeyID) types.Reason {
	if _, destroyed := c.tombstones[id]; destroyed {
		return types.ErrKeyDeleted
	}
	return types.ErrShareMissing
}

// declareUnheld does so for keys that no open request is about. It takes from the list
// what it looked at; whatever came to nothing is on the next one.
func (c *Core) declareUnheld(ctx context.Context, self Self) {
	if self.Operator == "" {
		return
	}
	waiting, told := c.pool.missingOf(self.Operator), 0
	for looked := 0; len(c.unheld) > 0 && looked < maxMissingTold && waiting+told < maxMissingTold; looked++ {
		id := c.unheld[0]
		c.unheld = c.unheld[1:]
		key, known := c.chainKey(ctx, id)
		if !known {
			continue
		}
		if _, held := c.held(id, key.Epoch, key.Session); !held && c.declare(&key, key.Session, self) {
			told++
		}
	}
	if told > 0 {
		c.opts.Log.Warn(types.ForProgram("this node has no share of keys that it should have one of; it says so on chain; all of them: sequencerd mpc keys"),
			"keys", told, "more", len(c.unheld), "remedy", types.ErrShareMissing.Remedy())
	}
}

// declare puts the word on one share into the pool; false if it is there or not wanted.
func (c *Core) declare(key *types.Key, session types.Context, self Self) bool {
	attempt := uint32(0)
	if slices.Contains(key.FoundShares, self.Operator) {
		attempt = 1
	}
	return c.sayOfShare(key, types.KindShareMissing, attempt, session, self)
}

// sayOfShare puts a word on a share into the pool; false if it is there or not wanted.
func (c *Core) sayOfShare(key *types.Key, kind types.RequestKind, attempt uint32, session types.Context, self Self) bool {
	a := types.Attestation{
		Request: types.RequestID{Kind: kind, ID: string(key.ID)}, Attempt: attempt, Commitment: key.EpochCommitment(c.opts.ChainID),
		Session: session, Operator: self.Operator, IdentityVersion: self.Version,
	}
	if !c.heeded(self) || c.pool.hasAttestation(&a) || !c.shareWordWanted(key, &a) {
		return false
	}
	a.Sign(c.opts.ChainID, self.Key)
	c.pool.addAttestation(a, c.opts.Now())
	return true
}

// shareWordWanted: the chain has another word on the share of its present epoch.
func (c *Core) shareWordWanted(key *types.Key, a *types.Attestation) bool {
	if a.Commitment != key.EpochCommitment(c.opts.ChainID) {
		return false
	}
	if a.Request.Kind == types.KindShareFound {
		return key.AwaitsFound(a.Operator, a.Session)
	}
	return key.AwaitsMissing(a.Operator, a.Session, a.Attempt)
}

// declareFound takes back what the chain has of shares that are here. It looks into no
// share but those.
func (c *Core) declareFound() {
	if c.view.CatchingUp || c.self.Operator == "" {
		return
	}
	told := c.pool.missingOf(c.self.Operator)
	for id := range c.byKey {
		key, known := c.view.Keys[id]
		if !known || told >= maxMissingTold || !key.AwaitsFound(c.self.Operator, key.Session) || !c.opens(key) {
			continue
		}
		if c.sayOfShare(&key, types.KindShareFound, 0, key.Session, c.self) {
			told++
			c.opts.Log.Info("this node has its share of a key after all; it takes back on chain that it has none", "key", id, "epoch", key.Epoch)
		}
	}
}

// chainKey is the chain's word on a key, of the view if it is there.
func (c *Core) chainKey(ctx context.Context, id types.KeyID) (types.Key, bool) {
	return c.keyIn(ctx, c.view, id)
}

// keyIn is the same beside the loop.
func (c *Core) keyIn(ctx context.Context, v *View, id types.KeyID) (types.Key, bool) {
	if key, known := v.Keys[id]; known {
		return key, true
	}
	key, known, err := c.opts.Chain.Key(ctx, id)
	return key, known && err == nil
}
