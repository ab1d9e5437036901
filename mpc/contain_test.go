package mpc

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// brittle panics instead of sending some envelopes.
type brittle struct {
	*desk
	breaks func(*wire.Envelope) bool
}

func (b *brittle) Send(to types.Operator, e *wire.Envelope) bool {
	if b.breaks != nil && b.breaks(e) {
		panic("secret")
	}
	return b.desk.Send(to, e)
}

// two is an engine whose loop the test runs, with two open requests of others.
func two(t *testing.T) (*Engine, *brittle, types.Request, types.Request) {
	b := &brittle{desk: newDesk(t, 4)}
	_, err := b.store.AddPreparams([]byte("more"))
	require.NoError(t, err)
	first := b.request(types.KindKeygen)
	second := first
	for second.ID.ID += "-second"; second.Initiator(0) != first.Initiator(0); {
		second.ID.ID += "x"
	}
	second.KeyID = types.KeyID(second.ID.ID)
	b.view.Requests = []types.Request{first, second}
	b.start(func(o *Options) { o.Transport = b })
	b.core.guards = true
	return &Engine{core: b.core, inbox: newQueue()}, b, first, second
}

// TestPanicEndsItsSession: the session goes whose word panics, with all that it held, and
// nothing else; who spoke is not blamed.
func TestPanicEndsItsSession(t *testing.T) {
	e, b, first, second := two(t)
	leader := first.Initiator(0)
	e.Receive(b.prepare(leader, second.ID, 0, 1))
	require.NoError(t, e.hear())
	require.Len(t, b.core.reserved, 1)

	b.breaks = func(e *wire.Envelope) bool {
		return e.Header.RequestId == first.ID.ID && e.Header.Kind == wire.KIND_READY
	}
	e.Receive(b.prepare(leader, first.ID, 0, 1))
	require.NoError(t, e.hear())
	require.Len(t, b.core.sessions, 1)
	for _, l := range b.core.sessions {
		require.Equal(t, second.ID, l.Request().ID)
		require.Equal(t, session.Waiting, l.Phase())
	}
	require.Len(t, b.ends, 1)
	require.Equal(t, types.ErrInterrupted, b.ends[0].Reason)
	require.Equal(t, 1, b.dropped[types.ErrPanic], "it is counted, for the alert")
	require.Len(t, b.core.reserved, 1, "its pre-parameters are free again")
	require.Empty(t, b.core.suspects)
	require.Empty(t, b.core.Results().Accusations)
	for _, r := range b.core.records {
		require.Equal(t, r.Request == first.ID, r.Status == types.StatusError)
	}

	// The next attempt is as any.
	b.breaks = nil
	b.view.Height += 5
	b.commit()
	b.sent = nil
	e.Receive(b.prepare(first.Initiator(1), first.ID, 1, 1))
	require.NoError(t, e.hear())
	said, _, _ := b.answer()
	require.Equal(t, "ready", said)
}

// TestPanicOfParked: a Prepare that waited for a block panics in the block.
func TestPanicOfParked(t *testing.T) {
	e, b, first, second := two(t)
	b.view.Requests = []types.Request{second}
	b.commit()
	e.Receive(b.prepare(first.Initiator(0), first.ID, 0, 1))
	require.NoError(t, e.hear())
	require.Len(t, b.core.parked, 1)
	b.breaks = func(e *wire.Envelope) bool { return e.Header.Kind == wire.KIND_READY }
	b.view.Requests = []types.Request{first, second}
	b.commit()
	require.Empty(t, b.core.sessions)
	require.NoError(t, b.core.Err())
}

// TestPanicsAreBounded: who makes a node panic again and again is not heard until the next
// block; others are.
func TestPanicsAreBounded(t *testing.T) {
	e, b, first, _ := two(t)
	tries := 0
	b.breaks = func(*wire.Envelope) bool { tries++; return true }
	unwelcome := func(from types.Operator) {
		e.Receive(b.prepare(from, first.ID, 7, 1)) // not its turn: refused
		require.NoError(t, e.hear())
	}
	for range 3 * maxPanics {
		unwelcome("op-01")
	}
	require.Equal(t, maxPanics, tries)
	unwelcome("op-02")
	require.Equal(t, maxPanics+1, tries)
	b.commit()
	unwelcome("op-01")
	require.Equal(t, maxPanics+2, tries)
}

// TestPanicOfAWrite: nobody knows what is on disk then, and the engine ends.
func TestPanicOfAWrite(t *testing.T) {
	e, b, first, _ := two(t)
	b.store.BeforeWrite = func(string) error { panic("disk") }
	e.Receive(b.prepare(first.Initiator(0), first.ID, 0, 1))
	require.ErrorContains(t, e.hear(), "nobody knows whether a record is written")
}

// TestPanicOfAnEnd: a session is over even if its end panics; nothing of it is left.
func TestPanicOfAnEnd(t *testing.T) {
	e, b, first, _ := two(t)
	b.breaks = func(e *wire.Envelope) bool { return e.Header.Kind == wire.KIND_READY }
	b.core.opts.Observer = endless{b.core.opts.Observer}
	e.Receive(b.prepare(first.Initiator(0), first.ID, 0, 1))
	require.NoError(t, e.hear())
	require.Empty(t, b.core.sessions)
	require.Empty(t, b.core.reserved)
	require.Len(t, b.core.records, 1)
	for _, r := range b.core.records {
		require.Equal(t, types.StatusError, r.Status)
	}
}

// endless panics when a session ends.
type endless struct{ Observer }

func (endless) SessionEnded(SessionEnd) { panic("end") }

// TestPanicThatCannotBePutRight: the engine ends with a session that is over and still here,
// and does nothing more.
func TestPanicThatCannotBePutRight(t *testing.T) {
	e, b, first, second := two(t)
	e.Receive(b.prepare(second.Initiator(0), second.ID, 0, 1))
	require.NoError(t, e.hear())
	for id, l := range b.core.sessions {
		l.Stop(types.ErrInterrupted)
		b.core.sessions[id] = l
	}
	b.breaks = func(e *wire.Envelope) bool { return e.Header.Kind == wire.KIND_READY }
	e.Receive(b.prepare(first.Initiator(0), first.ID, 0, 1))
	e.Receive(b.prepare(first.Initiator(1), first.ID, 1, 1))
	b.sent = nil
	require.ErrorContains(t, e.hear(), "is over and still here")
	require.Empty(t, b.sent)
}

// TestPanicsOfWhatIsTold: a peer whose results make a node panic keeps out none that others
// bring.
func TestPanicsOfWhatIsTold(t *testing.T) {
	e, b, first, _ := two(t)
	tries := 0
	b.core.opts.Log = slog.New(&glass{breaks: func(msg string) bool {
		if msg == "accusation dropped" {
			tries++
		}
		return msg == "accusation dropped"
	}})
	forged := types.Accusation{
		Request: first.ID, Accused: "op-02", Reason: types.ErrStalled, Operator: "op-01", IdentityVersion: 1, Signature: make([]byte, 64),
	}
	tells := func(peer string) {
		require.NoError(t, e.ReceiveGossip(peer, &wire.Gossip{Sum: &wire.Gossip_Accusation{Accusation: forged.ToWire()}}))
		require.NoError(t, e.hear())
	}
	for range 3 * maxPanics {
		tells("peer-a")
	}
	require.Equal(t, maxPanics, tries)
	tells("peer-b")
	require.Equal(t, maxPanics+1, tries)
}

// TestPanicsOfRequestsMuteNobody: that this node cannot look at what some requests are to
// sign without a panic is no fault of who leads them; it is refused for others of its.
func TestPanicsOfRequestsMuteNobody(t *testing.T) {
	d := newDesk(t, 4)
	good := d.request(types.KindSign)
	leader := good.Initiator(0)
	var bad []types.Request
	for len(bad) <= maxPanics {
		r := good
		for r.ID.ID = fmt.Sprintf("bad-%d", len(bad)); r.Initiator(0) != leader; {
			r.ID.ID += "x"
		}
		bad = append(bad, r)
	}
	d.hold(good.KeySession, types.StatusReady)
	chain := &pickier{desk: d, except: good.ID.ID}
	d.start(func(o *Options) { o.Chain = chain })
	d.core.guards = true
	d.view.Requests = append(bad, good)
	d.commit()
	e := &Engine{core: d.core, inbox: newQueue()}
	asks := func(r types.Request) string {
		e.Receive(d.prepare(leader, r.ID, 0, 1))
		require.NoError(t, e.hear())
		said, _, _ := d.answer()
		return said
	}
	for _, r := range bad {
		require.Equal(t, "panic", asks(r))
	}
	require.Equal(t, len(bad), chain.panics, "each once in a block")
	require.Empty(t, d.core.Results().Accusations, "it refuses nothing on chain")
	require.Equal(t, "ready", asks(good))
}

// pickier panics when it is asked what any request signs but one.
type pickier struct {
	*desk
	except string
	panics int
}

func (p *pickier) CheckSign(_ context.Context, id string) error {
	if id != p.except {
		p.panics++
		panic("secret")
	}
	return nil
}
