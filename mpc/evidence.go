package mpc

import (
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Proof that a participant told two others different things is kept and told until the
// chain shows it, also after the request is decided: who lies in the last round, or
// whose session was not needed, did it all the same. The chain takes it for fault_blocks
// after the decision, and this node remembers who the members were for as long
// (View.FaultBlocks). A restart forgets both: whoever heard of it tells it again, and who
// found it told it at once.
//
// While its request is open it is told whether the chain has a use for it or not: the
// members of the session that it spoils end that, and know who did it. Without it they
// would hear of it from the one that found it only, who counts for as much as the liar.

// maxDecided requests are remembered, those that were decided last, however long the
// chain would take proof: each is some 150 bytes for each member, 2.5 MB for 16 of them.
const maxDecided = 1024

// decidedRequest is one that was open in a view.
type decidedRequest struct {
	*types.Request
	// height is that of the first view without it.
	height int64
}

// rememberDecided notes the requests of the last view that are not in this one.
func (c *Core) rememberDecided(last map[types.RequestID]*types.Request) {
	decided := slices.DeleteFunc(slices.Clone(c.decidedLately), func(d decidedRequest) bool { // Judge may read the old list
		_, open := c.requests[d.ID]
		return open || d.height+c.view.FaultBlocks < c.view.Height || d.height > c.view.Height // rolled back
	})
	for id, r := range last {
		if _, open := c.requests[id]; !open {
			decided = append(decided, decidedRequest{r, c.view.Height})
		}
	}
	if over := len(decided) - maxDecided; over > 0 {
		decided = slices.Delete(decided, 0, over)
	}
	c.decidedLately = decided
}

// hearEvidence keeps proof that Judge verified, unless a block that came since took it,
// or has no use for it. What this node would have to read for that is told again.
func (c *Core) hearEvidence(j Judged) {
	if j.evidence == nil || j.under != c.judging.Load() && !c.evidenceWanted(j.evidence) {
		return
	}
	c.keepEvidence(*j.evidence, false)
}

// findEvidence keeps proof that a session of this node came upon. Both signatures were
// verified when they came, and the session is of now: if the chain has proof of it the
// view has it too.
func (c *Core) findEvidence(e types.Evidence) {
	if c.evidenceWanted(&e) {
		c.keepEvidence(e, true)
	}
}

// keepEvidence keeps proof that a member told two others different things, and ends the
// session that it spoiled. There is room for so much of one culprit: who signs contradictions
// about what it has no part in, under whatever name, keeps out none that are of a session.
func (c *Core) keepEvidence(e types.Evidence, found bool) {
	l, runs := c.sessionOf(e)
	if c.makeRoomFor(e, runs || found) {
		if found {
			c.pool.addOwnEvidence(e, c.opts.Now(), c.opts.Transport.Gossip)
		} else {
			c.pool.addEvidence(e, c.opts.Now())
		}
		c.opts.Log.Warn("a participant is proved to have told two members different things", "participant", e.Culprit(),
			"request", e.Request().String(), "session", e.Context().Short(), "of", e.What())
	}
	if runs {
		l.Convict(e)
	}
}

// makeRoomFor says whether evidence has a place in the pool, or gets that of what is worth
// less. Evidence of a session of this node, which matters to others now, gets the place of what
// is of none that runs here.
func (c *Core) makeRoomFor(e types.Evidence, matters bool) bool {
	if held, has := c.pool.evidenceAt(e.Place()); has {
		return c.worth(held) < c.worth(e)
	}
	return c.pool.proofsOf(e.Culprit()) < types.MaxProofs || matters && c.pool.dropEvidence(e.Culprit(), c.worth, ofRunning)
}

// What evidence is worth keeping for: that it is of a session in which its culprit has a part,
// which runs here, or ran until now.
const (
	ofNothing = iota
	ofEnded
	ofRunning
)

func (c *Core) worth(e types.Evidence) int {
	_, runs := c.sessionOf(e)
	start, started := c.starts[e.Context()]
	switch {
	case runs:
		return ofRunning
	case e.OfStarts() && started && start.envelope.Header.From == string(e.Culprit()),
		!e.OfStarts() && c.early.overWith(e.Context(), e.Culprit()):
		return ofEnded
	}
	return ofNothing
}

// sessionOf finds the session here that evidence is of.
func (c *Core) sessionOf(e types.Evidence) (*live, bool) {
	l, runs := c.byContext[e.Context()]
	if e.OfStarts() {
		l, runs = c.sessions[e.Context()]
	}
	return l, runs && l.Concerns(e)
}

// convictBefore ends a session of which there was proof before this node knew its name.
func (c *Core) convictBefore(l *live) {
	for _, held := range c.pool.evidence.sorted(func(p *pooled[types.Evidence]) bool { return l.Concerns(p.value) }) {
		l.Convict(held.value)
	}
}

// evidenceWanted: the chain would take it, as far as the view says, or its request is open.
// The view has the keys that evidence in the pool names, and those of this node.
func (c *Core) evidenceWanted(e *types.Evidence) bool {
	_, wanted := c.judging.Load().evidenceKey(e, func(id types.KeyID) (types.Key, bool) {
		key, known := c.view.Keys[id]
		return key, known
	})
	return wanted
}

// evidenceKey finds the identity that evidence must be against, if the chain has none of the
// same session that counts, and would take it or has its request open. find finds the key of
// a presignature.
func (j *judging) evidenceKey(e *types.Evidence, find func(types.KeyID) (types.Key, bool)) ([]byte, bool) {
	proofs, same := j.proven(e)
	r, open := j.requests[e.Request()]
	if same || !open && proofs >= types.MaxProofs {
		return nil, false
	}
	if e.Request().Kind == types.KindPresign {
		key, known := find(e.KeyID)
		if !known {
			return nil, false
		}
		return j.presignerKey(&key, e)
	}
	if !open {
		i := slices.IndexFunc(j.decided, func(d decidedRequest) bool { return d.ID == e.Request() })
		if i < 0 {
			return nil, false
		}
		r = j.decided[i].Request
	}
	m, ok := r.Member(e.Culprit())
	return m.IdentityKey, ok && m.IdentityVersion == e.IdentityVersion()
}

// presignerKey finds the identity of somebody who makes presignatures of the key that
// evidence names: one that was current while there were some, and not long ago.
func (j *judging) presignerKey(key *types.Key, e *types.Evidence) ([]byte, bool) {
	if key.Status != types.KeyReady || types.PresignID(key) != e.Request() || !slices.Contains(key.Participants, e.Culprit()) {
		return nil, false
	}
	return j.view.Roster.KeySince(e.Culprit(), e.IdentityVersion(), max(key.DecidedHeight, j.view.Height-j.view.FaultBlocks))
}

// proven counts the chain's proofs against the same participant, and says whether one is of
// the same session.
func (j *judging) proven(e *types.Evidence) (proofs int, same bool) {
	for _, f := range j.view.Faults {
		if f.Proven() && f.Participant == e.Culprit() {
			proofs++
			same = same || f.Session == e.Context()
		}
	}
	return proofs, same
}
