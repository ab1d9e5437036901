package mpc

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// glass panics instead of writing some lines.
type glass struct {
	slog.Handler
	breaks func(msg string) bool
}

func (g *glass) Enabled(context.Context, slog.Level) bool { return true }

func (g *glass) Handle(_ context.Context, r slog.Record) error {
	if g.breaks != nil && g.breaks(r.Message) {
		panic("secret")
	}
	return nil
}

func (g *glass) WithAttrs([]slog.Attr) slog.Handler { return g }
func (g *glass) WithGroup(string) slog.Handler      { return g }

// TestPanicOfATick: a session whose clock panics ends, and the others' clocks tick.
func TestPanicOfATick(t *testing.T) {
	e, b, first, second := two(t)
	for _, r := range []types.Request{first, second} {
		e.Receive(b.prepare(r.Initiator(0), r.ID, 0, 1))
	}
	require.NoError(t, e.hear())
	require.Len(t, b.core.sessions, 2)
	b.breaks = func(e *wire.Envelope) bool { return e.Header.RequestId == first.ID.ID }
	resent := 0
	for range 10 {
		b.sent = nil
		b.now = b.now.Add(time.Second)
		require.NoError(t, e.tick())
		resent += len(b.sent)
	}
	require.Positive(t, resent)
	require.Len(t, b.core.sessions, 1)
	require.Equal(t, second.ID, b.core.ordered()[0].Request().ID)
	require.Equal(t, types.ErrInterrupted, b.ends[0].Reason)
	require.Empty(t, b.core.suspects)
}

// TestPanicOfWork: what panics on each tick is left out until the next block, and the rest
// of the tick takes place.
func TestPanicOfWork(t *testing.T) {
	e, b, _, _ := two(t)
	tries := 0
	b.core.opts.Transport = &deaf{b, func() { tries++; panic("secret") }}
	b.core.pool.addSignature(types.SignatureResult{RequestID: "id"}, b.now)
	p := &probe{done: func([]Answer) {}, shots: []time.Time{b.now.Add(-time.Hour)}}
	b.core.probes = []*probe{p}
	for range 3 * maxPanics {
		require.NoError(t, e.tick())
	}
	require.Equal(t, maxPanics, tries)
	require.Empty(t, b.core.probes, "what comes after it in a tick")
}

type deaf struct {
	Transport
	tell func()
}

func (d *deaf) Gossip(*wire.Gossip) { d.tell() }

// TestPanicOfAStep: a session whose step panics when it comes back ends with its share and
// its record, and the engine does not.
func TestPanicOfAStep(t *testing.T) {
	p := newPartner(t)
	p.core.guards = true
	broken := &brittle{desk: p.desk, breaks: func(e *wire.Envelope) bool { return e.Header.Kind == wire.KIND_ROUND }}
	for len(p.jobs) == 0 { // until its party was made
		run := p.mails
		p.mails = nil
		require.NotEmpty(t, run)
		for _, f := range run {
			f()
		}
	}
	p.core.opts.Transport = broken
	p.settle()
	require.NoError(t, p.core.Err())
	require.Empty(t, p.core.sessions)
	require.Empty(t, p.core.byContext)
	require.Equal(t, types.ErrInterrupted, p.ends[0].Reason)
	for _, r := range p.core.records {
		require.Equal(t, types.StatusError, r.Status)
	}
}

// TestPanicOfAnAttempt: a request whose attempt cannot be opened without a panic keeps
// nobody from opening others; nothing is left of it but a record that failed.
func TestPanicOfAnAttempt(t *testing.T) {
	for _, at := range []string{"a Prepare", "the log"} {
		e, b, first, second := two(t)
		for first.Initiator(0) != "op-00" {
			first.ID.ID += "x"
		}
		for second.ID = first.ID; second.Initiator(0) != "op-00" || second.ID == first.ID; {
			second.ID.ID += "x"
		}
		first.KeyID, second.KeyID = types.KeyID(first.ID.ID), types.KeyID(second.ID.ID)
		handler, begun := &glass{}, 0
		b.core.opts.Log = slog.New(handler)
		if at == "the log" {
			handler.breaks = func(msg string) bool { // of the first of both
				if msg == "attempt opened" {
					begun++
				}
				return msg == "attempt opened" && begun == 1
			}
		} else {
			b.breaks = func(e *wire.Envelope) bool { return e.Header.RequestId == first.ID.ID }
		}
		b.view.Requests = []types.Request{first, second}
		require.NoError(t, e.reconcile(t.Context()), at)
		require.NoError(t, e.core.Err(), at)
		require.Len(t, b.core.sessions, 1, at)
		require.Len(t, b.core.reserved, 1, at)
		lives := b.core.ordered()[0]
		require.Equal(t, session.Preparing, lives.Phase(), at)
		require.Len(t, b.core.records, 2, at)
		for k, r := range b.core.records {
			require.Equal(t, k.Session == lives.ID(), r.Status == types.StatusPending, at)
		}
	}
}

// TestPanicOfARecord: one that cannot be looked at keeps the engine from nothing else.
func TestPanicOfARecord(t *testing.T) {
	e, b, first, _ := two(t)
	b.core.know(types.Record{RecordKey: types.RecordKey{KeyID: "a-stranger"}, Status: types.StatusReady, HasData: true})
	b.core.know(types.Record{RecordKey: types.RecordKey{KeyID: "key", Session: types.SessionID{1}}, Status: types.StatusError})
	b.view.Keys["key"] = types.Key{ID: "key", Status: types.KeyError}
	b.core.opts.Log = slog.New(&glass{breaks: func(msg string) bool { return strings.Contains(msg, "does not know") }})
	b.view.Requests = []types.Request{first}
	require.NoError(t, e.reconcile(t.Context()))
	require.Len(t, b.core.records, 1, "the one that lost is retired")
	require.Len(t, b.core.requests, 1, "and the rest of the block seen to")
	e.Receive(b.prepare(first.Initiator(0), first.ID, 0, 1))
	require.NoError(t, e.hear())
	require.Len(t, b.core.sessions, 1)
}

// TestPanicOfALook: an engine that cannot read the chain takes itself to be behind until it
// can, wherever it panicked.
func TestPanicOfALook(t *testing.T) {
	for _, where := range []string{"view", "roster"} {
		t.Run(where, func(t *testing.T) {
			e, b, first, second := two(t)
			e.Receive(b.prepare(second.Initiator(0), second.ID, 0, 1))
			require.NoError(t, e.hear())
			chain, transport := &blindChain{Chain: b}, &blindTransport{Transport: b}
			b.core.opts.Chain, b.core.opts.Transport = chain, transport
			chain.panics, transport.panics = where == "view", where == "roster"
			b.view.Height++
			require.NoError(t, e.reconcile(t.Context()))
			require.True(t, b.core.Status().CatchingUp)
			require.Len(t, b.core.sessions, 1, "what runs goes on")
			b.sent = nil
			e.Receive(b.prepare(first.Initiator(0), first.ID, 0, 1))
			require.NoError(t, e.hear())
			require.Empty(t, b.sent)
			require.Len(t, b.core.sessions, 1)

			chain.panics, transport.panics = false, false
			require.NoError(t, e.reconcile(t.Context()))
			e.Receive(b.prepare(first.Initiator(0), first.ID, 0, 1))
			require.NoError(t, e.hear())
			require.Len(t, b.core.sessions, 2)
		})
	}
}

type blindChain struct {
	Chain
	panics bool
}

func (c *blindChain) View(ctx context.Context, keys []types.KeyID) (*View, error) {
	if c.panics {
		panic("secret")
	}
	return c.Chain.View(ctx, keys)
}

type blindTransport struct {
	Transport
	panics bool
}

func (t *blindTransport) SetRoster(r *types.Roster) {
	if t.panics {
		panic("secret")
	}
	t.Transport.SetRoster(r)
}

// TestPanicOfWhatIsSigned: a request that this node cannot judge without a panic is not
// bound, and the others of its block are.
func TestPanicOfWhatIsSigned(t *testing.T) {
	d := newDesk(t, 4)
	first := d.request(types.KindSign)
	second := first
	second.ID.ID += "-second"
	d.hold(first.KeySession, types.StatusReady)
	d.start(func(o *Options) { o.Chain = &picky{d, first.ID.ID} })
	d.core.guards = true
	d.view.Requests = []types.Request{first, second}
	d.commit()
	require.Error(t, d.store.BindDigest(second.ID.ID, second.BindingHash(), make([]byte, 32)), "bound to its digest")
	require.NoError(t, d.store.BindDigest(first.ID.ID, first.BindingHash(), make([]byte, 32)), "not bound to anything")
}

// picky panics when it is asked what one request signs.
type picky struct {
	*desk
	about string
}

func (p *picky) CheckSign(_ context.Context, id string) error {
	if id == p.about {
		panic("secret")
	}
	return nil
}

// TestPanicOfAPresignature: one that a block has no use for is gone, even if its end panics.
func TestPanicOfAPresignature(t *testing.T) {
	p := newParked(t)
	p.core.guards = true
	require.Equal(t, session.Parked, p.core.ordered()[0].Phase())
	p.core.opts.Transport = &brittle{desk: p.desk, breaks: func(e *wire.Envelope) bool { return e.Header.Kind == wire.KIND_ABORT }}
	p.view.Presign = 0
	p.view.Height++
	p.commit()
	require.Empty(t, p.core.sessions)
	require.Zero(t, p.core.presigns.count)
	require.Equal(t, p.view.Height, p.core.view.Height)
}
