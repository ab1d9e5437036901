package mpc

import (
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Use is one use of a share, which a session for a committed request opened, or of
// pre-parameters, which it took to make one.
type Use struct {
	Request types.RequestID
	Key     types.KeyID
	// Epoch is the share's, or of the one that is made.
	Epoch uint64
	// Height of the committed state in which the request was open.
	Height int64
	// Digest that is signed; nil for others.
	Digest  []byte
	Session types.Context
	Attempt uint32
	// Signers are the members of the session.
	Signers []types.Operator
}

// Auditor is told of each use of a share. Calls come from the loop and must return
// at once: the first round leaves after ShareOpened.
type Auditor interface {
	ShareOpened(Use)
	// PreparamsBurned: a set of pre-parameters is destroyed on disk, and its session
	// begins with it. A copy of the database may have it still.
	PreparamsBurned(Use)
	// ShareClosed follows for each ShareOpened, with an empty reason if the session did what
	// it was for.
	ShareClosed(Use, types.Reason)
}

type nopAuditor struct{}

func (nopAuditor) ShareOpened(Use)               {}
func (nopAuditor) PreparamsBurned(Use)           {}
func (nopAuditor) ShareClosed(Use, types.Reason) {}

// shareOpened tells the auditor that a session has the share of its key.
func (c *Core) shareOpened(l *live) { c.shareOpenedFor(l, serves(l.Session), l.TargetAttempt()) }

// shareOpenedFor is the same before the session knows what it is used for.
func (c *Core) shareOpenedFor(l *live, r *types.Request, attempt uint32) {
	l.holdsShare = true
	c.opts.Auditor.ShareOpened(c.shareUse(l.Session, r, attempt))
}

// shareClosed tells it that a session needs the share no more, once.
func (c *Core) shareClosed(l *live, reason types.Reason) {
	if !l.holdsShare {
		return
	}
	l.holdsShare = false
	c.opts.Auditor.ShareClosed(c.shareUse(l.Session, serves(l.Session), l.TargetAttempt()), reason)
}

// shareUse is a use of the share that a request needs: of a reshare, the one that is dealt
// anew.
func (c *Core) shareUse(s *session.Session, r *types.Request, attempt uint32) Use {
	u := c.useOf(s, r, attempt)
	if r.ID.Kind == types.KindReshare {
		u.Epoch--
	}
	return u
}

func (c *Core) useOf(s *session.Session, r *types.Request, attempt uint32) Use {
	u := Use{
		Request: r.ID, Key: r.KeyID, Epoch: r.Epoch, Height: c.view.Height, Digest: slices.Clone(r.Digest),
		Session: s.Context(), Attempt: attempt, Signers: s.Signers(),
	}
	return u
}
