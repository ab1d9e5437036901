package session_test

import (
	"testing"

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
	require.NotNil(t, a.s.Aborted())
	n.hold = nil
	n.settle()
	for _, p := range []*player{b, c} {
		end := p.ended()
		require.Equal(t, types.ErrAborted, end.Reason)
		require.Equal(t, types.Operator("op-a"), end.Left)
		require.ErrorContains(t, end.Err, "op-a left the session: protocol_fault")
		require.Empty(t, end.Culprits)
		require.Nil(t, p.s.Aborted(), "nobody repeats it")
		require.Empty(t, n.times(p, a, wire.KIND_ABORT))
	}
	require.False(t, types.Accusable(types.ErrAborted))
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

// TestNoAbort: what the chain decided it says itself, and a session that did
// what it was for was not left.
func TestNoAbort(t *testing.T) {
	for _, reason := range []types.Reason{types.ErrAlreadyDecided, types.ErrExpired} {
		n := lacking(t)
		n.players[0].s.Stop(reason)
		require.Nil(t, n.players[0].s.Aborted())
	}
	n := newKeygen(t, 3)
	n.open()
	n.settle()
	n.finished(n.players...)
	n.players[0].s.Stop(types.ErrInterrupted)
	require.Nil(t, n.players[0].s.Aborted())
}

// TestFalseAbort: one of another session, or by who is no signer, or from a
// member that is not the initiator before the Start, changes nothing.
func TestFalseAbort(t *testing.T) {
	body := encode(t, &wire.Abort{Reason: "stalled"})
	n := lacking(t)
	b := n.players[1]
	b.hear(forge(t, n.players[2], wire.Header{Kind: wire.KIND_ABORT, Context: make([]byte, 32)}, body))
	id := b.s.ID()
	b.hear(forge(t, n.players[2], wire.Header{Kind: wire.KIND_ABORT, Context: id[:]}, body))
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
