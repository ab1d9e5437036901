package mpc

import (
	"context"
	"fmt"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// A reshare makes shares of epoch e+1 beside those of epoch e. Both stay on disk
// until the chain has switched and no rollback can undo it: at no moment does this
// node depend on the outcome.
//
//	e READY     e+1 PENDING, attested       the chain waits for all of the new committee
//	e READY     e+1 PENDING, signs a test   the chain tests the session that won
//	e READY     e+1 READY                   the chain switched; requests of before go on with e
//	-           e+1 READY                   retire_blocks later, if e+1 opens and t+1 have it, as far as is known
//	e READY     -                           retire_blocks after the reshare failed, whatever was asked since
//
// While the key is DELETING all of it stays where it is (retire).

// receives: a session of the request makes this node a share.
func (c *Core) receives(r *types.Request) bool {
	switch r.ID.Kind {
	case types.KindKeygen:
		return true
	case types.KindReshare:
		return r.Handover.Receives(c.self.Operator)
	}
	return false
}

// deals: this node has a share of the epoch before that a reshare can deal anew.
func (c *Core) deals(r *types.Request) bool {
	_, held := c.dealt(r)
	return held
}

// dealt finds the share that this node deals anew.
func (c *Core) dealt(r *types.Request) (types.Record, bool) {
	if r.Handover == nil || !r.Handover.Holds(c.self.Operator) {
		return types.Record{}, false
	}
	rec, held := c.held(r.KeyID, r.Epoch-1, r.KeySession)
	return rec, held && rec.Status == types.StatusReady
}

// ableToReshare: a member of the new committee needs pre-parameters, and all of
// them take part; one of the old committee only needs its share. A member of both
// whose share is lost gets one again.
func (c *Core) ableToReshare(r *types.Request) types.Reason {
	if c.receives(r) {
		if _, ok := c.freePreparams(r.ID); !ok {
			return types.ErrNoPreparams
		}
		return ""
	}
	if !c.deals(r) {
		return types.ErrShareMissing
	}
	return ""
}

// beginReshare burns the pre-parameters of the share to be made and opens the one
// to be dealt.
func (c *Core) beginReshare(l *live) (m session.Material, err error) {
	r := l.Request()
	if c.receives(r) {
		if m.Preparams, err = c.burnPreparams(l); err != nil {
			return session.Material{}, err
		}
	}
	if l.Deals() {
		if m.Share, err = c.openShare(r); err != nil {
			types.Wipe(m.Preparams)
			return session.Material{}, err
		}
	}
	return m, nil
}

// testDigest is the only digest that the test of a reshare signs.
func (c *Core) testDigest(r *types.Request) []byte {
	digest := types.ReshareTestDigest(c.opts.ChainID, r.KeyID, r.Epoch, r.KeySession, r.TestSeed)
	return digest[:]
}

// settleNext is about what a reshare made: it waits for the chain's word as long
// as the reshare is open or tested, and after it failed until no rollback can open
// it again. A READY one is of before a rollback.
func (c *Core) settleNext(r types.Record, key types.Key) error {
	if _, open := c.requests[r.Request]; open {
		if r.HasData {
			c.attest(r)
		}
		return nil
	}
	if r.HasData && r.Context == key.NextSession {
		return nil
	}
	if r.Status == types.StatusReady {
		// What a chain that is not at this epoch says of a reshare is of another one,
		// under the same id perhaps: the one that made this share was no failure.
		c.keepNext(r, key, WithheldUnasked)
		return nil
	}
	if c.view.CatchingUp {
		return nil
	}
	// Heights of earlier reshares say nothing of this one, which a rollback may have
	// taken back, on all nodes or on this one alone; nor do later ones, or who asks for one
	// after the other would keep all nodes from ever destroying anything.
	reshare, ended, err := c.opts.Chain.ReshareEnded(context.Background(), r.Request.ID)
	end := key.StagedEnd(reshare)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errReadChain, err)
	case !ended && !key.NextSession.IsZero():
		return nil // a reshare that is tested is not over, and what lost in it is known to the chain
	case !ended:
		c.keepNext(r, key, WithheldUnasked)
		return nil
	case end <= 0 || c.view.Height < end || c.destroyed >= maxDestroyed:
		return nil // what has to wait for the next look is not opened for this one
	case r.HasData && (key.LacksShares() || c.lacksOwn(key)):
		// This node, or the key, has nothing else: the new shares may be whole all the same,
		// and nobody heard of it in time.
		c.keepNext(r, key, WithheldNext)
		return nil
	}
	return c.retire(r, end)
}

// keepNext says once that a share is of an epoch that the chain has not reached. Where this
// node has none of the chain's epoch that is the reason, whatever else is: the share may
// be one of the last of the key. A reshare that the chain is about to end is neither open
// nor over for a block.
func (c *Core) keepNext(r types.Record, key types.Key, why Withholding) {
	switch {
	case !r.HasData:
		return
	case c.foreign(r, key):
		c.reportForeign(r)
		return
	case c.mayNeed(key) && !c.has(key):
		why = WithheldNext
	}
	if !c.withholdAtLast(r, why) {
		return
	}
	c.opts.Log.Warn("the store has a share of a reshare that the chain does not know, or of an epoch that it has not reached; it is kept",
		"key", r.KeyID, "epoch", r.Epoch, "present", key.Epoch, "reshare", r.Request.ID, "session", r.Context.Short(),
		"why", why, "remedy", why.Remedy())
}

// settlePrevious destroys what is left of epochs before the key's, once no
// rollback can bring them back, and not before this node has its share of today
// and could open it, if it should have one. Whoever has one of before keeps it as long as
// too few are known to have one of today: by a new chain the key may go back to it.
func (c *Core) settlePrevious(r types.Record, key types.Key) error {
	end := key.EndOf(r.Epoch)
	switch {
	case c.view.Height < end || c.view.CatchingUp:
		return nil
	case r.HasData && string(r.PublicKey) == string(key.PublicKey) && key.LacksShares():
		c.keepPrevious(r, key, WithheldEarlier)
		return nil
	case c.destroyed >= maxDestroyed || c.outlivesLosers(r, key):
		return nil // what has to wait for the next look is not opened for this one
	case r.HasData && c.lacksOwn(key):
		c.keepPrevious(r, key, WithheldPrevious)
		return nil
	}
	return c.retire(r, end)
}

// keepPrevious says once that a share of an earlier epoch is kept.
func (c *Core) keepPrevious(r types.Record, key types.Key, why Withholding) {
	if !c.withhold(r, why) {
		return
	}
	text := "a share of an earlier epoch is kept: this node's share of the present one is missing or does not open"
	if why == WithheldEarlier {
		text = "a share of an earlier epoch is kept: too few participants are known to have one of the present epoch"
	}
	c.opts.Log.Warn(text, "key", r.KeyID, "epoch", r.Epoch, "present", key.Epoch, "why", why, "remedy", why.Remedy())
}

// mayNeed: this node should have a share of the key's epoch. One that no identity of the
// roster belongs to, as before it registers, does not know whether it should. One that
// revoked its identity does: its share counts again as soon as it has another identity.
func (c *Core) mayNeed(key types.Key) bool {
	op, known := c.operator()
	return !known || slices.Contains(key.Participants, op)
}

// lacksOwn: this node should have a share of the key's epoch, and has none that opens. It is
// not opened at each look at a key that is DELETING, of which nothing goes anyway.
func (c *Core) lacksOwn(key types.Key) bool {
	switch {
	case !c.mayNeed(key):
		return false
	case key.Status == types.KeyDeleting:
		return !c.has(key)
	}
	return !c.opens(key)
}

// has: this node has its share of the key's epoch, and would sign with it.
func (c *Core) has(key types.Key) bool {
	rec, held := c.held(key.ID, key.Epoch, key.Session)
	return held && string(rec.PublicKey) == string(key.PublicKey) && !uncommitted(rec, key)
}

// opens: this node has its share of the key's epoch, and can read it.
func (c *Core) opens(key types.Key) bool {
	if !c.has(key) {
		return false
	}
	rec, _ := c.held(key.ID, key.Epoch, key.Session)
	share, err := c.opts.Store.OpenShare(rec.RecordKey)
	types.Wipe(share)
	return err == nil
}
