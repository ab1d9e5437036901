package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// breaking panics when it sends the second Consume.
type breaking struct {
	*player
	consumes int
}

func (b *breaking) Send(to types.Operator, e *wire.Envelope) bool {
	if e.Header.Type == "consume" {
		if b.consumes++; b.consumes == 2 {
			panic("secret")
		}
	}
	return b.player.Send(to, e)
}

// A presignature of which one signer heard what it is for is used up, though its owner
// panicked before the next one did.
func TestConsumeThatPanics(t *testing.T) {
	n, asked := newPresign(t, 4, 2)
	a, b, c := n.players[0], n.players[1], n.players[2]
	cfg := a.config()
	cfg.Host = &breaking{player: a}
	s, err := session.Open(cfg, n.now)
	require.NoError(t, err)
	a.s = s
	a.s.Announce(n.now)
	n.settle()
	require.True(t, a.s.Usable())
	require.Panics(t, func() { _ = a.s.Consume(*asked, 0, n.now) })
	require.False(t, a.s.Usable())
	require.Equal(t, asked.ID, a.s.Target().ID)
	other := *asked
	other.ID.ID = "other"
	require.Error(t, a.s.Consume(other, 0, n.now))
	know(asked, b, c)
	n.settle()
	require.Empty(t, a.ends, "who heard it and goes on breaks no rule")
	a.s.Stop(types.ErrInterrupted)
	n.settle()
	for _, p := range []*player{b, c} {
		require.Equal(t, types.ErrInterrupted, p.ended().LeftFor)
		require.Empty(t, p.ended().Culprits)
	}
}
