package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// apart knows when two nodes could not talk to each other last, and how long before
// an accusation that was.
type apart struct {
	*sim.World
	cut  func(*sim.Node) bool
	last map[pair]time.Time
	// judged counts the accusations of each node that are in gaps.
	judged map[types.Operator]int
	gaps   map[string]time.Duration
}

type pair struct{ a, b types.Operator }

// watchApart looks often enough to miss no downtime.
func watchApart(w *sim.World, cut func(*sim.Node) bool) *apart {
	a := &apart{World: w, cut: cut, last: make(map[pair]time.Time), judged: make(map[types.Operator]int), gaps: make(map[string]time.Duration)}
	a.watch()
	return a
}

func (a *apart) watch() {
	for _, n := range a.Nodes {
		for _, m := range a.Nodes {
			if n != m && (!n.Up() || !m.Up() || a.cut != nil && a.cut(n) != a.cut(m)) {
				a.last[pair{n.Operator, m.Operator}] = a.Now()
			}
		}
	}
	for _, n := range a.Nodes {
		for _, said := range n.Accused[a.judged[n.Operator]:] {
			a.gaps[string(said.Signature)] = said.At.Sub(a.last[pair{n.Operator, said.Accused}])
		}
		a.judged[n.Operator] = len(n.Accused)
	}
	a.After(100*time.Millisecond, a.watch)
}

func (a *apart) fair(t *testing.T, liar *sim.Node) {
	t.Helper()
	for _, n := range a.Nodes {
		for _, said := range n.Accused {
			if n == liar || liar != nil && said.Accused == liar.Operator {
				continue
			}
			t.Logf("STAT seed %d %v %s gap %s by %s of %s for %s/%d in %s at %s", a.Seed, liar != nil, said.Reason, a.gaps[string(said.Signature)], n.Operator, said.Accused, said.Request, said.Attempt, said.Session.Short(), said.At)
		}
	}
	for _, f := range a.Chain.Proven() {
		require.NotNil(t, liar)
		require.Equal(t, liar.Operator, f.Participant, "an honest member is proved guilty")
	}
}
