package session_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// TestOwnerStalls: an owner that says what a presignature is used for has its part of it. If
// it says nothing after that, or not all, it stalls like any other member, also where
// somebody else is silent too.
func TestOwnerStalls(t *testing.T) {
	for name, c := range map[string]struct{ signs, alone bool }{
		"nothing of round 4":        {false, false},
		"no Confirm":                {true, false},
		"nor does another one sign": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			n, asked := parked(t)
			a, b, other := n.players[0], n.players[1], n.players[2]
			know(asked, b, other)
			n.hold = func(m mail) bool { return m.from == a || m.to == a || c.alone && m.from == other }
			for _, p := range []*player{b, other} {
				body := encode(t, &wire.Consume{RequestId: asked.ID.ID, Digest: asked.Digest})
				p.hear(forge(t, a, wire.Header{Context: n.contextBytes(), Kind: wire.KIND_ROUND, Round: 4, Type: "consume"}, body))
				if c.signs {
					p.hear(fakeRound4(t, n, a, asked))
				}
			}
			n.settle()
			require.Equal(t, session.Running, b.s.Phase())
			n.pass(timing.Stall+time.Second, time.Second)
			require.Equal(t, types.ErrStalled, b.ended().Reason, "%v", b.ended().Err)
			require.Equal(t, []types.Operator{a.op}, b.ended().Culprits)
			require.Empty(t, b.ended().Awaited)
		})
	}
}

// TestGiveUpNames: an owner that gives one up for the sake of somebody says for whom.
func TestGiveUpNames(t *testing.T) {
	n, _ := parked(t)
	a, b, c := n.players[0], n.players[1], n.players[2]
	a.s.GiveUp([]types.Operator{b.op, n.players[3].op})
	n.settle()
	require.Equal(t, []types.Operator{b.op}, a.ended().Awaited)
	require.Equal(t, types.ErrPresignLost, c.ended().LeftFor)
	require.Equal(t, []types.Operator{b.op}, c.ended().LeftOver)
}
