package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestSpoiledTest: whoever leads the first signature that tests new shares keeps its part of
// it back, or lies in it. The test is signed by the others of the new committee, and the key
// switches by the very reshare that was asked for.
func TestSpoiledTest(t *testing.T) {
	const last = "s4" // round of the fake signature
	for name, spoil := range map[string]func(*sim.World, *sim.Node){
		"withholds all":     func(w *sim.World, n *sim.Node) { w.LieAt(n, "withhold", sim.Aim{Kind: wire.KIND_ROUND}) },
		"withholds the end": func(w *sim.World, n *sim.Node) { w.LieAt(n, "withhold", sim.Aim{Kind: wire.KIND_ROUND, Type: last}) },
		"lies to each in another way": func(w *sim.World, n *sim.Node) {
			w.LieAt(n, "another body", sim.Aim{Kind: wire.KIND_ROUND, Type: last})
		},
		"lies to all alike": func(w *sim.World, n *sim.Node) {
			w.Lies[n.Operator] = func(_ *sim.Node, m *wire.Message) []*wire.Message {
				e := m.GetEnvelope()
				if e == nil || e.Header.Kind != wire.KIND_ROUND || e.Header.Type != last {
					return []*wire.Message{m}
				}
				body := append([]byte(nil), e.Body...)
				body[0] ^= 1
				return []*wire.Message{{Sum: &wire.Message_Envelope{Envelope: n.Forge(*e.Header, body)}}}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ledger := fakeproto.NewLedger()
			w := sim.New(t, sim.Config{
				Seed: 38, Nodes: 5, Protocols: fakeproto.Protocols{Ledger: ledger}, Preparams: 10, Lag: 300 * time.Millisecond,
				Params: func(p *xtypes.Params) { p.RetireBlocks = 10 },
			})
			w.Chain.Keygen("key", 2, w.Nodes[:4]...)
			require.True(t, w.Run(2*time.Minute, ready(w, "key")))
			members := w.Nodes[1:]
			var spoiler *sim.Node
			begun := make(map[string]bool)                    // sessions of the test
			ended := make(map[string]map[types.Operator]bool) // who said its last word in one
			w.Delivered = func(from, _ *sim.Node, e *wire.Envelope) {
				h := e.Header
				if h.RequestId != "test:r" {
					return
				}
				if h.Kind == wire.KIND_PREPARE && spoiler == nil {
					spoiler = from
					spoil(w, from)
				}
				session := string(h.Context)
				if h.Kind == wire.KIND_ROUND {
					begun[session] = true
				}
				if h.Kind == wire.KIND_ROUND && h.Type == last {
					if ended[session] == nil {
						ended[session] = make(map[types.Operator]bool)
					}
					ended[session][types.Operator(h.From)] = true
				}
			}
			w.Chain.Reshare("r", "key", 2, members...)
			require.True(t, w.Run(10*time.Minute, func() bool { return w.Chain.ReshareStatus("r") >= xtypes.RESHARE_STATUS_READY }))
			require.Equal(t, xtypes.RESHARE_STATUS_READY, w.Chain.ReshareStatus("r"), "one member keeps the others from the test")
			require.NotNil(t, spoiler)
			require.Positive(t, spoiler.Lied)
			others := make(map[types.Operator]bool)
			for _, n := range members {
				if n != spoiler {
					others[n.Operator] = true
				}
			}
			signed := 0
			for _, by := range ended {
				if len(by) == len(others) && !by[spoiler.Operator] {
					require.Equal(t, others, by)
					signed++
				}
			}
			require.Equal(t, 1, signed, "the test is not signed by the others alone")
			sessions := 2
			if name == "withholds all" {
				sessions++ // the next attempt begins before anybody is sure
			}
			require.LessOrEqual(t, len(begun), sessions, "the spoiler is taken again")
			spoiler.Crash()
			signsAll(t, w, "after")
			retired(t, w)
			spoiler.Start()
			w.Run(time.Minute, func() bool { return settled(w) })
			holdsEpoch(t, w, 1, members...)
			require.Empty(t, ledger.Broken())
			require.Empty(t, w.Broken())
			require.Empty(t, w.Chain.Errors)
			fair(t, w, time.Time{}, spoiler) // it was calm all the time
		})
	}
}
