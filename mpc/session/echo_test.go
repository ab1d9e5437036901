package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// TestEchoCost: what doc.go says of the echo. Nothing else is sent twice where
// nothing is lost.
func TestEchoCost(t *testing.T) {
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign} {
		n := newOf(t, kind)
		n.open()
		n.settle()
		n.finished(n.players...)
		s := len(n.players)
		protocol := n.players[0].config().Protocol
		messages, broadcastRounds := 0, 0
		for _, round := range protocol.Rounds(1, s) {
			broadcasts := 0
			for _, spec := range round {
				messages += s * (s - 1) // a broadcast goes to each of the others, too
				if spec.Broadcast {
					broadcasts++
				}
			}
			if broadcasts > 0 {
				broadcastRounds++
			}
		}
		sent, bytes := make(map[wire.Kind]int), make(map[wire.Kind]int)
		for _, m := range n.sent {
			sent[m.e.Header.Kind]++
			bytes[m.e.Header.Kind] = m.e.Size()
		}
		require.Equal(t, messages, sent[wire.KIND_ROUND])
		require.Equal(t, broadcastRounds*s*(s-1), sent[wire.KIND_CONFIRM])
		require.Less(t, bytes[wire.KIND_CONFIRM], 512)
		for _, kind := range []wire.Kind{wire.KIND_MISSING, wire.KIND_FORWARD, wire.KIND_DISPUTE} {
			require.Zero(t, sent[kind])
		}
	}
}
