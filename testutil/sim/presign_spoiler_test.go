package sim_test

import (
	"crypto/ed25519"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// spoilers are ways in which one signer keeps presignatures from being of use to their
// owners: what it does, by the side, each time that it says that it parked. False: it does
// not say that itself.
var spoilers = map[string]func(w *sim.World, liar, to *sim.Node, parked wire.Header) bool{
	"says that it has no part": func(w *sim.World, liar, to *sim.Node, h wire.Header) bool {
		h.Kind, h.Round, h.To = wire.KIND_REFUSE, 0, string(to.Operator)
		refusal := wire.Refuse{Reason: string(types.ErrPresignLost)}
		body, err := refusal.Marshal()
		if err != nil {
			panic(err)
		}
		later(w, 5*time.Second, to, liar.Forge(h, body), liar)
		return true
	},
	"begins without its owner": func(w *sim.World, liar, to *sim.Node, h wire.Header) bool {
		if to == w.Nodes[0] {
			h.Kind, h.Type = wire.KIND_ROUND, "s4"
			later(w, 5*time.Second, to, liar.Forge(h, make([]byte, 32)), liar)
		}
		return true
	},
	"comes and goes and answers late": func(w *sim.World, liar, to *sim.Node, h wire.Header) bool {
		later(w, w.Timing.Stall-time.Second, to, liar.Forge(h, nil), liar)
		return false
	},
}

// later delivers what somebody says.
func later(w *sim.World, after time.Duration, to *sim.Node, e *wire.Envelope, from *sim.Node) {
	v, err := types.VerifyEnvelope(e, w.Chain.ID(), from.Identity.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	w.After(after, func() {
		if to.Up() {
			to.Core().HandleEnvelope(v)
		}
	})
}

// TestPresignSpoilers: it costs each owner those presignatures that the liar is in, once.
// The owners know who it was and do without it; nobody honest refuses them, and they have
// what they want in the end.
func TestPresignSpoilers(t *testing.T) {
	for name, spoil := range spoilers {
		t.Run(name, func(t *testing.T) {
			w, ledger := presigning(t, 1, 2)
			liar, honest := w.Nodes[3], w.Nodes[:3]
			w.Lies[liar.Operator] = func(to *sim.Node, m *wire.Message) []*wire.Message {
				e := m.GetEnvelope()
				if e == nil || e.Header.Kind != wire.KIND_PARKED || spoil(w, liar, to, *e.Header) {
					return []*wire.Message{m}
				}
				return nil
			}
			var greet func()
			greet = func() {
				for _, n := range honest {
					n.Core().HandleConnected(liar.Operator)
				}
				w.After(time.Second, greet)
			}
			greet()
			w.Run(2*time.Minute, func() bool { return false })

			starts, chosen := 0, 0
			w.Delivered = func(from, _ *sim.Node, e *wire.Envelope) {
				var start wire.Start
				if h := e.Header; h.Kind == wire.KIND_START && h.RequestKind == uint32(types.KindPresign) && h.From != string(liar.Operator) && h.From == string(from.Operator) {
					require.NoError(t, start.Unmarshal(e.Body))
					starts++
					if slices.Contains(start.Signers, string(liar.Operator)) {
						chosen++
					}
				}
			}
			for _, n := range honest {
				for _, id := range idsLedBy(w, types.KindSign, n, 0, 3) {
					w.Chain.Sign(id, "key", digestOf(id))
					require.True(t, w.Run(20*time.Second, func() bool { _, signed := w.Chain.Signature(id); return signed }), id)
				}
			}
			require.True(t, w.Run(2*time.Minute, func() bool {
				for _, n := range honest {
					if st := n.Core().Status().Presignatures; len(st) != 1 || st[0].Ready != 2 {
						return false
					}
				}
				return true
			}), "%v", stock(w))
			require.Positive(t, starts)
			require.LessOrEqual(t, 5*chosen, starts, "more often than where nobody else was free")
			require.Empty(t, ledger.Broken())
			require.Empty(t, w.Broken())
			for _, f := range w.Chain.Faults() {
				require.Equal(t, liar.Operator, f.Participant, f.Reason)
			}
		})
	}
}
