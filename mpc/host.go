package mpc

import (
	"fmt"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

var _ session.Host = (*Core)(nil)

// Send implements session.Host.
func (c *Core) Send(to types.Operator, e *wire.Envelope) bool { return c.opts.Transport.Send(to, e) }

// Submit implements session.Host.
func (c *Core) Submit(s *session.Session, run func() (session.Step, error)) {
	if l, ok := c.sessions[s.ID()]; ok {
		run = l.afterNote(run)
	}
	c.exec.Submit(serves(s), run, func(step session.Step, err error) {
		c.noticeSleep()
		now := c.opts.Now()
		concerned := func() []*live { return c.named(word{names: []types.Hash{s.ID()}}) }
		c.guard(task{"a step", s.ID().Short()}, concerned, func() {
			s.HandleStep(step, err, now)
			if l, ok := c.sessions[s.ID()]; ok {
				c.settleSession(l, now)
			}
		})
	})
}

// Begin implements session.Host: pre-parameters are destroyed before the first
// round can leave, so that no crash makes two sessions use the same ones.
func (c *Core) Begin(s *session.Session) (session.Material, error) {
	l, ok := c.sessions[s.ID()]
	if !ok {
		return session.Material{}, fmt.Errorf("%w: session %s is not registered", types.ErrStorage, s.ID().Short())
	}
	c.byContext[s.Context()] = l
	var m session.Material
	var err error
	switch r := s.Request(); r.ID.Kind {
	case types.KindKeygen:
		m.Preparams, err = c.burnPreparams(l)
	case types.KindSign, types.KindPresign:
		m.Share, err = c.openShare(r)
	case types.KindReshare:
		m, err = c.beginReshare(l)
	}
	if err != nil {
		return session.Material{}, err
	}
	if m.Share != nil {
		c.shareOpened(l)
	}
	c.opts.Log.Info("session started", "request", s.Request().ID.String(), "attempt", s.Attempt(),
		"session", s.Context().Short(), "leader", s.Initiator())
	return m, nil
}

func (c *Core) burnPreparams(l *live) ([]byte, error) {
	set, err := c.opts.Store.OpenPreparams(l.preparams)
	if err != nil {
		return nil, fmt.Errorf("open pre-parameters: %w", err)
	}
	if err := c.wrote(c.opts.Store.BurnPreparams(l.preparams)); err != nil {
		types.Wipe(set)
		return nil, fmt.Errorf("burn pre-parameters: %w", err)
	}
	c.release(l)
	c.opts.Auditor.PreparamsBurned(c.useOf(l.Session, l.Request(), l.Attempt()))
	return set, nil
}

func (c *Core) openShare(r *types.Request) ([]byte, error) {
	record, ok := c.share(r)
	if r.ID.Kind == types.KindReshare {
		record, ok = c.dealt(r)
	}
	if !ok {
		return nil, types.ErrShareMissing
	}
	share, err := c.opts.Store.OpenShare(record.RecordKey)
	if err != nil {
		return nil, fmt.Errorf("open the share of %s: %w", r.KeyID, err)
	}
	return share, nil
}

// Finish implements session.Host: the share is on disk before the attestation
// exists.
func (c *Core) Finish(s *session.Session, r *session.Result) error {
	now := c.opts.Now()
	request := serves(s)
	if request.ID.Kind == types.KindSign {
		if err := types.VerifySignature(request.PublicKey, request.Digest, r.Signature); err != nil {
			return fmt.Errorf("%w: %w", types.ErrProtocolFault, err)
		}
		c.pool.addOwnSignature(*r.Signature, now, c.opts.Transport.Gossip)
		c.finished(s, now)
		return nil
	}
	if !c.receives(request) {
		c.finished(s, now) // what is new belongs to others
		return nil
	}
	record := c.records[types.RecordKey{KeyID: request.KeyID, Epoch: request.Epoch, Session: s.ID()}]
	record.Context = s.Context()
	record.Data = r.Share
	record.Payload = r.Payload.Encode()
	record.PublicKey = slices.Clone(r.Payload.PublicKey)
	if err := c.putRecord(record); err != nil {
		return err
	}
	c.attest(c.records[record.RecordKey])
	c.finished(s, now)
	return nil
}

// finished notes that a session did what it was for. It may live on for others.
func (c *Core) finished(s *session.Session, now time.Time) {
	if l, ok := c.sessions[s.ID()]; ok {
		c.shareClosed(l, "")
	}
	c.servedWith(s)
	c.opts.Log.Info("session finished", "request", serves(s).ID.String(), "attempt", s.TargetAttempt(),
		"session", s.Context().Short(), "took", now.Sub(s.Opened()).Round(time.Millisecond), "resent", s.Resent())
}

// End implements session.Host.
func (c *Core) End(s *session.Session, end session.End) {
	now := c.opts.Now()
	l, ok := c.sessions[s.ID()]
	if !ok {
		return
	}
	delete(c.sessions, s.ID())
	c.keepStart(s, now)
	if context := s.Context(); !context.IsZero() {
		delete(c.byContext, context)
		c.early.end(s.Request().ID, context, s.Signers(), s.Aborted(context), now)
	}
	if left := s.Aborted(s.ID()); left != nil {
		c.early.end(s.Request().ID, s.ID(), nil, left, now)
	}
	c.release(l)
	c.history.end(l, end, now)
	c.shareClosed(l, end.Reason)
	c.endPresign(l, end)
	request := serves(s)
	c.resent += uint64(s.Resent())
	c.opts.Observer.SessionEnded(SessionEnd{
		Request: request.ID, Session: s.ID(), Presigned: l.presign() && (l.parked || !l.waits()), Reason: end.Reason, LeftFor: end.LeftFor,
		Took: now.Sub(s.Opened()), Resent: s.Resent(),
	})
	key := types.RecordKey{KeyID: request.KeyID, Epoch: request.Epoch, Session: s.ID()}
	if r, staged := c.records[key]; staged && r.Status == types.StatusPending && !r.HasData {
		if _, err := c.failRecord(r, end.Reason); err != nil {
			c.opts.Log.Error("mark a failed session", "request", request.ID.String(), "err", err)
		}
	}
	c.blame(l, end, now)
	c.logEnd(s, end)
	c.fallBack(l, end, now)
}

func (c *Core) logEnd(s *session.Session, end session.End) {
	attrs := []any{"request", serves(s).ID.String(), "attempt", s.TargetAttempt(), "session", s.ID().Short(), "reason", end.Reason}
	switch end.Reason {
	case types.ErrAborted, types.ErrBusy:
		if s.Target() == nil { // a presignature that nothing was lost with
			c.opts.Log.Debug("session over", attrs...)
			return
		}
	case "", types.ErrReleased, types.ErrAlreadyDecided, types.ErrInProgress, types.ErrSuperseded:
		c.opts.Log.Debug("session over", attrs...)
		return
	}
	if len(end.Culprits) > 0 {
		attrs = append(attrs, "of", end.Culprits)
	}
	if end.Err != nil {
		attrs = append(attrs, "err", end.Err)
	}
	c.opts.Log.Warn("session failed", append(attrs, "remedy", end.Reason.Remedy())...)
}
