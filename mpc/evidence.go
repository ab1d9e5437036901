package mpc

import (
	"context"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Proof that a participant told two others different things is kept and told until the
// chain shows it, also after the request is decided: who lies in the last round, or
// whose session was not needed, did it all the same. The chain takes it for fault_blocks
// after the decision, and this node remembers who the members were for as long as that is
// by default. A restart forgets both.
const (
	evidenceBlocks = 600
	// maxDecided requests are remembered, those that were decided last.
	maxDecided = 1024
)

// decidedRequest is one that was open in a view.
type decidedRequest struct {
	*types.Request
	// height is that of the first view without it.
	height int64
}

// rememberDecided notes the requests of the last view that are not in this one.
func (c *Core) rememberDecided(last map[types.RequestID]*types.Request) {
	c.decidedLately = slices.DeleteFunc(c.decidedLately, func(d decidedRequest) bool {
		_, open := c.requests[d.ID]
		return open || d.height+evidenceBlocks < c.view.Height || d.height > c.view.Height // rolled back
	})
	for id, r := range last {
		if _, open := c.requests[id]; !open {
			c.decidedLately = append(c.decidedLately, decidedRequest{r, c.view.Height})
		}
	}
	if over := len(c.decidedLately) - maxDecided; over > 0 {
		c.decidedLately = slices.Delete(c.decidedLately, 0, over)
	}
}

// takeEvidence keeps proof that a member told two others different things, and
// ends the session that it spoiled.
func (c *Core) takeEvidence(e types.Evidence) {
	if c.pool.hasEvidence(e) || c.pool.proofsOf(e.Culprit()) >= types.MaxProofs {
		return
	}
	key, wanted := c.evidenceKey(&e)
	if !wanted {
		return
	}
	if err := e.Verify(c.opts.ChainID, key); err != nil {
		c.opts.Observer.Dropped(types.ErrProtocolFault)
		c.opts.Log.Debug("evidence dropped", "against", e.Culprit(), "request", e.Request().String(), "err", err)
		return
	}
	// The view has what counts only. Whoever repeats what ceased to would make every node
	// hold it again, and the chain refuses it.
	known, err := c.opts.Chain.Proven(context.Background(), e.Culprit(), e.Context())
	if err != nil {
		c.opts.Log.Warn("committed state does not say what was proved before; evidence is dropped, and comes again", "against", e.Culprit(), "err", err)
	}
	if known || err != nil {
		return
	}
	c.pool.addEvidence(e, c.opts.Now())
	c.opts.Log.Warn("a participant is proved to have told two members different things", "participant", e.Culprit(),
		"request", e.Request().String(), "session", e.Context().Short(), "of", e.What())
	l, running := c.byContext[e.Context()]
	if !running {
		l, running = c.sessions[e.Context()] // two Starts
	}
	if running {
		l.Convict(e)
	}
}

// evidenceKey finds the identity that evidence must be against, if the chain would take
// it and has none of the same session.
func (c *Core) evidenceKey(e *types.Evidence) ([]byte, bool) {
	if c.proven(e) {
		return nil, false
	}
	if e.Request().Kind == types.KindPresign {
		return c.presignerKey(e)
	}
	r, known := c.requests[e.Request()]
	if !known {
		i := slices.IndexFunc(c.decidedLately, func(d decidedRequest) bool { return d.ID == e.Request() })
		if i < 0 {
			return nil, false
		}
		r = c.decidedLately[i].Request
	}
	m, ok := r.Member(e.Culprit())
	return m.IdentityKey, ok && m.IdentityVersion == e.IdentityVersion()
}

// presignerKey finds the identity of somebody who makes presignatures of the key that
// evidence names: one that was current while there were some, and not long ago.
func (c *Core) presignerKey(e *types.Evidence) ([]byte, bool) {
	key, known := c.chainKey(context.Background(), e.KeyID)
	if !known || key.Status != types.KeyReady || types.PresignID(&key) != e.Request() || !slices.Contains(key.Participants, e.Culprit()) {
		return nil, false
	}
	return c.view.Roster.KeySince(e.Culprit(), e.IdentityVersion(), max(key.DecidedHeight, c.view.Height-evidenceBlocks))
}

// proven: the chain has proof against the same participant in the same session, or as
// many as count.
func (c *Core) proven(e *types.Evidence) bool {
	proofs := 0
	for _, f := range c.view.Faults {
		if !f.Proven() || f.Participant != e.Culprit() {
			continue
		}
		if proofs++; f.Session == e.Context() {
			return true
		}
	}
	return proofs >= types.MaxProofs
}
