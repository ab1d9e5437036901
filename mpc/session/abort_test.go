package session_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// TestAbort: whoever leaves a running session takes the others with it at once;
// they blame nobody for it.
func TestAbort(t *testing.T) {
	n := lacking(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	context := n.context()
	h := round(9, "k1", "")
	h.Context = context[:]
	a.hear(forge(t, c, h, nil))
	require.Equal(t, types.ErrProtocolFault, a.ended().Reason)
	require.NotNil(t, a.s.Aborted(context))
	n.hold = nil
	n.settle()
	for _, p := range []*player{b, c} {
		end := p.ended()
		require.Equal(t, types.ErrAborted, end.Reason)
		require.Equal(t, types.Operator("op-a"), end.Left)
		require.ErrorContains(t, end.Err, "op-a left the session: protocol_fault")
		require.Empty(t, end.Culprits)
		require.Equal(t, a.s.Aborted(context), p.s.Aborted(context), "they pass it on")
		require.Empty(t, n.times(p, a, wire.KIND_ABORT))
	}
	require.False(t, types.Accusable(types.ErrAborted))
}

// TestAbortToOneAlone: who tells one member alone that it leaves does not make that one
// look as if it stalled, by whatever name of the session it says so: all others hear its
// own words by way of that one, those who were not there, or not started yet, when they
// talk to it.
func TestAbortToOneAlone(t *testing.T) {
	body := encode(t, &wire.Abort{Reason: "stalled"})
	for _, byID := range []bool{false, true} {
		n := lacking(t) // op-b heard nothing of op-c
		a, b, c := n.players[0], n.players[1], n.players[2]
		n.hold = func(m mail) bool { return m.from == c }
		name := n.context()
		if byID {
			name = b.s.ID()
		}
		b.hear(forge(t, c, wire.Header{Kind: wire.KIND_ABORT, Context: name[:]}, body))
		require.Equal(t, types.Operator("op-c"), b.ended().Left)
		require.NotNil(t, b.s.Aborted(n.context()))
		require.Equal(t, types.Operator("op-c"), types.Operator(b.s.Aborted(n.context()).Header.From))
		n.settle()
		require.Equal(t, types.ErrAborted, a.ended().Reason)
		require.Equal(t, types.Operator("op-c"), a.ended().Left)
	}

	n := prepared(newKeygen(t, 3))
	n.answer("op-b")
	a, b := n.players[0], n.players[1]
	id := a.s.ID()
	b.hear(forge(t, a, wire.Header{Kind: wire.KIND_ABORT, Context: id[:]}, body))
	require.Equal(t, types.ErrAborted, b.ended().Reason)
	require.Equal(t, types.Operator("op-a"), types.Operator(b.s.Aborted(id).Header.From), "for a Start that comes yet")
	require.Empty(t, n.times(b, n.players[2], wire.KIND_ABORT), "who waits too waits for nobody else")
}

// TestAbortNames: who leaves says for whom, and the others hear it of those that ran the
// session with both; whoever is named by an Abort that no honest member would make is
// not.
func TestAbortNames(t *testing.T) {
	n := newOf(t, types.KindKeygen)
	n.hold = func(m mail) bool {
		return m.from.op == "op-c" && m.e.Header.Kind != wire.KIND_READY
	}
	n.open()
	n.settle()
	n.pass(timing.Stall+time.Second, time.Second)
	a := n.players[0]
	require.Equal(t, types.ErrStalled, a.ended().Reason, "%v", a.ended().Err)
	var said wire.Abort
	require.NoError(t, said.Unmarshal(a.s.Aborted(n.context()).Body))
	require.Equal(t, []string{"op-c"}, said.Culprits)

	for name, c := range map[string]struct {
		names []string
		want  []types.Operator
	}{
		"another one":             {[]string{"op-c"}, []types.Operator{"op-c"}},
		"nobody":                  {nil, nil},
		"itself":                  {[]string{"op-a"}, nil},
		"who hears it":            {[]string{"op-b"}, nil},
		"a stranger":              {[]string{"op-x"}, nil},
		"all":                     {[]string{"op-a", "op-b", "op-c"}, []types.Operator{"op-c"}},
		"out of order":            {[]string{"op-c", "op-b"}, nil},
		"more than an honest one": {[]string{"op-a", "op-b", "op-c", "op-d", "op-e"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			n := lacking(t)
			a, b := n.players[0], n.players[1]
			context := n.context()
			b.hear(forge(t, a, wire.Header{Kind: wire.KIND_ABORT, Context: context[:]},
				encode(t, &wire.Abort{Reason: "protocol_fault", Culprits: c.names})))
			require.Equal(t, types.Operator("op-a"), b.ended().Left)
			require.Equal(t, c.want, b.ended().LeftOver)
			require.NotContains(t, b.ended().Err.Error(), "op-x", "no text of its own gets into ours")
			require.Empty(t, b.ended().Culprits, "it proves nothing")
			require.Equal(t, "op-a", b.s.Aborted(context).Header.From, "it is passed on as it was said")
		})
	}
}

// TestAbortBeforeStart: an initiator that gives up lets go of who said Ready.
func TestAbortBeforeStart(t *testing.T) {
	n := prepared(newKeygen(t, 3))
	a, b := n.players[0], n.players[1]
	n.answer("op-b")
	a.hear(refuse(n, n.players[2], "busy"))
	require.Equal(t, types.ErrBusy, a.ended().Reason)
	n.settle()
	require.Equal(t, types.ErrAborted, b.ended().Reason)
	require.Equal(t, types.Operator("op-a"), b.ended().Left)
}

// TestAbortReachesWhoIsNotReadyYet: an initiator that gives up for a bad Ready, or a
// refusal, tells all members, whatever was said: one that says Ready meanwhile would
// wait for it.
func TestAbortReachesWhoIsNotReadyYet(t *testing.T) {
	for _, said := range []types.Reason{types.ErrProtocolFault, types.ErrAlreadyDecided} {
		n := prepared(newKeygen(t, 3))
		a, b, c := n.players[0], n.players[1], n.players[2]
		a.hear(refuse(n, c, string(said)))
		require.Equal(t, said, a.ended().Reason)
		require.Len(t, n.times(a, b, wire.KIND_ABORT), 1)
		require.Len(t, n.times(a, c, wire.KIND_ABORT), 1)
		require.NotNil(t, a.s.Aborted(a.s.ID()))
	}
}

// TestAbortReachesWhoHasNoStart: an initiator whose session is over before a signer
// has the Start tells it by the id, whoever left first.
func TestAbortReachesWhoHasNoStart(t *testing.T) {
	n := newKeygen(t, 3)
	a, b, c := n.players[0], n.players[1], n.players[2]
	n.hold = func(m mail) bool {
		return m.to == c && m.e.Header.Kind != wire.KIND_PREPARE && m.e.Header.Kind != wire.KIND_ABORT
	}
	n.open()
	n.settle()
	require.Equal(t, session.Running, a.s.Phase())
	require.Equal(t, session.Waiting, c.s.Phase())
	b.s.Stop(types.ErrInterrupted)
	n.settle()
	require.Equal(t, types.ErrAborted, a.ended().Reason)
	require.Equal(t, types.ErrAborted, c.ended().Reason)
	require.Equal(t, types.Operator("op-a"), c.ended().Left)
}

// TestAbortBeforeItsStart: a member that got a bad Start leaves without the context of
// the session. Who runs the session takes its word all the same.
func TestAbortBeforeItsStart(t *testing.T) {
	n := lacking(t) // op-b heard nothing of op-c
	b, c := n.players[1], n.players[2]
	id := b.s.ID()
	b.hear(forge(t, c, wire.Header{Kind: wire.KIND_ABORT, Context: id[:]}, encode(t, &wire.Abort{Reason: "protocol_fault"})))
	require.Equal(t, types.ErrAborted, b.ended().Reason)
	require.Equal(t, types.Operator("op-c"), b.ended().Left)
	require.Empty(t, b.ended().Culprits)

	s := newStarting(t)
	s.body.Signers = s.body.Signers[:2]
	b = s.players[1]
	bad := s.start()
	b.hear(bad)
	require.Equal(t, types.ErrProtocolFault, b.ended().Reason)
	require.Equal(t, s.id[:], b.s.Aborted(s.id).Header.Context)
	require.Equal(t, bad.Header().BodyHash, b.s.Start().Header.BodyHash, "it is evidence, with another one")
}

// TestNoAbort: what the chain decided it says itself, and a session that did
// what it was for was not left.
func TestNoAbort(t *testing.T) {
	for _, reason := range []types.Reason{types.ErrAlreadyDecided, types.ErrExpired} {
		n := lacking(t)
		n.players[0].s.Stop(reason)
		require.Nil(t, n.players[0].s.Aborted(n.context()))
		require.Nil(t, n.players[0].s.Aborted(n.players[0].s.ID()))
	}
	n := newKeygen(t, 3)
	n.open()
	n.settle()
	n.finished(n.players...)
	n.players[0].s.Stop(types.ErrInterrupted)
	require.Nil(t, n.players[0].s.Aborted(n.context()))
}

// TestFalseAbort: one of another session, or by who is no signer, or from a
// member that is not the initiator before the Start, changes nothing.
func TestFalseAbort(t *testing.T) {
	body := encode(t, &wire.Abort{Reason: "stalled"})
	n := lacking(t)
	b := n.players[1]
	b.hear(forge(t, n.players[2], wire.Header{Kind: wire.KIND_ABORT, Context: make([]byte, 32)}, body))
	id := b.s.ID()
	b.hear(forge(t, outsider(n), wire.Header{Kind: wire.KIND_ABORT, Context: id[:]}, body))
	n.release()
	n.finished(n.players...)

	n = prepared(newKeygen(t, 3))
	n.answer("op-b")
	b, id = n.players[1], n.players[0].s.ID()
	b.hear(forge(t, n.players[2], wire.Header{Kind: wire.KIND_ABORT, Context: id[:]}, body))
	require.Equal(t, session.Waiting, b.s.Phase())
	b.hear(forge(t, n.players[0], wire.Header{Kind: wire.KIND_ABORT, Context: id[:]}, []byte{0xff}))
	require.ErrorContains(t, b.ended().Err, "protocol_fault", "a reason that nobody knows is none")
}
