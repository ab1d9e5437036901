package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// aborts are ways to leave every session without a reason that counts; names: an honest
// member is named for it.
var aborts = []struct {
	name   string
	reason types.Reason
	names  bool
}{
	{"stalled, nobody", types.ErrStalled, false},
	{"a lie, of nobody", types.ErrProtocolFault, false},
	{"somebody else left", types.ErrAborted, false},
	{"busy, for somebody", types.ErrBusy, true},
	{"stalled, of somebody", types.ErrStalled, true},
}

// TestMemberThatLeaves: a member says Ready, first of all, and leaves whatever starts with it,
// for a reason of its choice. Signatures are made all the same, within the attempts of
// TestUnnamedLiar. A keygen needs everybody, so none is made; but whoever keeps it from its
// end is accused, and nobody else.
func TestMemberThatLeaves(t *testing.T) {
	const nodes, keygenAttempt = 4, 2 * time.Minute
	for _, leads := range []bool{false, true} {
		for i, tt := range aborts {
			t.Run(fmt.Sprintf("%s, leads %t", tt.name, leads), func(t *testing.T) {
				abort := &wire.Abort{Reason: string(tt.reason)}
				s := newStage(t, sim.Config{Seed: uint64(i), Nodes: nodes, Params: func(p *xtypes.Params) {
					p.SignLifetimeBlocks, p.KeygenAttemptBlocks, p.KeygenLifetimeBlocks = 600, uint32(keygenAttempt/time.Second), 2400
				}}, 2, sim.Idler{Leads: leads, Leaves: abort})
				if tt.names {
					abort.Culprits = []string{string(s.honest[0].Operator)}
				}
				for _, leader := range s.Nodes {
					for _, id := range s.ids(leader, 0, 2) {
						took := s.sign(t, id)
						require.LessOrEqual(t, took, (2*nodes+1)*signAttempt, id)
					}
				}
				require.Positive(t, s.cheat.Sessions, "it was in none")

				s.Chain.Keygen("other", 2)
				accusers := make(map[types.Operator]types.Reason)
				for len(accusers) == 0 && s.Chain.Open() > 0 {
					s.Run(time.Minute, func() bool { return false })
					s.named(t) // nobody else is
					for _, f := range s.Chain.Faults() {
						if f.Request.Kind == types.KindKeygen {
							accusers[f.Accuser] = f.Reason
						}
					}
				}
				t.Logf("accused by %v", accusers)
				require.NotEmpty(t, accusers, "it keeps a key from being made, and nobody says so")
			})
		}
	}
}
