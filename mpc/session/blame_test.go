package session_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// TestLowOrderKey: a key that no secret can be agreed with counts as a refusal,
// and a spare member takes its place.
func TestLowOrderKey(t *testing.T) {
	n := prepared(newSign(t, 4, 2))
	a, c := n.players[0], n.players[2]
	id := a.s.ID()
	c.s = nil
	a.hear(forge(t, c, wire.Header{Kind: wire.KIND_READY, Context: id[:], To: "op-a"}, encode(t, &wire.Ready{EphemeralKey: make([]byte, 32)})))
	n.answer("op-b")
	n.answer("op-d")
	n.settle()
	n.pass(time.Minute, time.Second)
	require.Equal(t, session.Lingering, a.s.Phase())
}

// TestShortKey: whoever sends nonsense for a Ready is named.
func TestShortKey(t *testing.T) {
	n := prepared(newKeygen(t, 3))
	a, c := n.players[0], n.players[2]
	id := a.s.ID()
	a.hear(forge(t, c, wire.Header{Kind: wire.KIND_READY, Context: id[:], To: "op-a"}, encode(t, &wire.Ready{EphemeralKey: make([]byte, 31)})))
	n.answer("op-b")
	n.now = n.now.Add(time.Minute)
	a.tick()
	require.Equal(t, []types.Operator{"op-c"}, a.ended().Culprits, "%v", a.ends)
}

// TestConfirmForSomebodyElse changes nothing for who is not meant.
func TestConfirmForSomebodyElse(t *testing.T) {
	n := lacking(t)
	b, c := n.players[1], n.players[2]
	context := n.context()
	h := confirm(1)
	h.Context, h.To = context[:], "op-a"
	b.hear(forge(t, c, h, encode(t, &wire.Confirm{Digest: make([]byte, 32)})))
	n.release()
	n.finished(n.players...)
}

// TestPartyWithoutResult: our own party is not trusted to end in time either.
func TestPartyWithoutResult(t *testing.T) {
	n := newKeygen(t, 2)
	n.players[1].mute = true
	n.open()
	n.settle()
	require.Equal(t, types.ErrOwnFailure, n.players[1].ended().Reason)
}
