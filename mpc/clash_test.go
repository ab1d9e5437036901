package mpc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// TestClash: of members that have the same parameters those are accused that none of the
// others clears, after these had time to say so.
func TestClash(t *testing.T) {
	const a, b = types.Operator("op-01"), types.Operator("op-02")
	says := func(by, accused types.Operator) [2]types.Operator { return [2]types.Operator{by, accused} }
	for name, tt := range map[string]struct {
		said  [][2]types.Operator
		chain bool
		want  []types.Operator
	}{
		"neither accuses the other": {nil, false, []types.Operator{a, b}},
		"one knows who took its":    {[][2]types.Operator{says(a, b)}, false, []types.Operator{b}},
		"it is on chain before":     {[][2]types.Operator{says(b, a)}, true, []types.Operator{a}},
		"each accuses the other":    {[][2]types.Operator{says(a, b), says(b, a)}, false, []types.Operator{a, b}},
		"accuses somebody else":     {[][2]types.Operator{says(a, "op-03")}, false, []types.Operator{a, b}},
	} {
		t.Run(name, func(t *testing.T) {
			d, r, l := waiting(t)
			d.core.blame(l, session.End{Reason: types.ErrProtocolFault, Culprits: []types.Operator{a, b}, Among: true}, d.now)
			require.Empty(t, d.core.liars, "it may be honest")
			for _, pair := range tt.said {
				if tt.chain {
					d.view.Faults = append(d.view.Faults, types.Fault{Participant: pair[1], Accuser: pair[0], Request: r.ID})
					d.commit()
				} else {
					d.hear(d.accuse(r, pair[0], pair[1]))
				}
			}
			own := func() (accused []types.Operator) {
				for _, said := range d.core.Results().Accusations {
					if said.Operator == "op-00" {
						require.Equal(t, types.ErrProtocolFault, said.Reason)
						require.NoError(t, said.Verify(deskChain, d.public("op-00")))
						accused = append(accused, said.Accused)
					}
				}
				return accused
			}
			stall := session.DefaultTiming().Stall
			d.pass(stall / 2)
			require.Empty(t, own())
			d.pass(stall)
			require.ElementsMatch(t, tt.want, own())
			require.Empty(t, d.core.clashes)
		})
	}
}
