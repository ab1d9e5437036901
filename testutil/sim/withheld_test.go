package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestWithheldTest: a key of t+1 loses one of them, and another one attests its new share
// and then keeps its part of every test back. Nobody can be blamed of it on chain, and the next
// committee has one more, who sign the test without it. Nobody honest accuses somebody else,
// and the key signs without the withholder after that.
func TestWithheldTest(t *testing.T) {
	w := sim.New(t, sim.Config{
		Seed: 37, Nodes: 5, Protocols: fakeproto.Protocols{}, Preparams: 40, Lag: 300 * time.Millisecond,
		Params: func(p *xtypes.Params) {
			p.RetireBlocks, p.AutoReshare, p.AutoReshareMargin, p.AutoResharePauseBlocks = 10, true, 0, 20
			p.ReshareLifetimeBlocks, p.ReshareAttemptBlocks, p.SignLifetimeBlocks = 100, 20, 100
		},
	})
	w.Chain.Keygen("key", 2, w.Nodes[:3]...)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	withholder := w.Nodes[1]
	withheld := 0
	w.Lies[withholder.Operator] = func(_ *sim.Node, m *wire.Message) []*wire.Message {
		if e := m.GetEnvelope(); e != nil && e.Header.Kind == wire.KIND_ROUND && xtypes.IsTestID(e.Header.RequestId) {
			withheld++
			return nil
		}
		return []*wire.Message{m}
	}
	w.Chain.Jail(w.Nodes[0].Operator)
	committees := make(map[string]int)
	require.True(t, w.Run(20*time.Minute, func() bool {
		f := w.Chain.Fixture
		key, err := f.Keeper.Key(f.Ctx, "key")
		require.NoError(t, err)
		if key.ReshareId != "" {
			r, err := f.Keeper.Reshare(f.Ctx, key.ReshareId)
			require.NoError(t, err)
			committees[r.Id] = len(r.Participants)
		}
		return key.Epoch == 1
	}), "the withholder keeps the key from being reshared")
	require.Positive(t, withheld)
	require.Len(t, committees, 2)
	key, _ := w.Chain.Key("key")
	require.Len(t, key.Participants, 4)
	for _, n := range w.Nodes[1:] {
		require.Contains(t, key.Participants, n.Operator)
	}
	for _, f := range w.Chain.EverHeld() {
		if f.Accuser != withholder.Operator { // which waits for who waits for it
			require.Equal(t, withholder.Operator, f.Participant, "accused by %s", f.Accuser)
		}
	}
	withholder.Crash()
	signsAll(t, w, "after")
	require.Empty(t, w.Chain.Errors)
}
