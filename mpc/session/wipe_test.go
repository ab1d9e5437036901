package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// ranStep is a step that ran while its session ended.
type ranStep struct {
	step session.Step
	err  error
}

// cuts are ways in which sessions may be stopped while steps are under way.
var cuts = []struct {
	name string
	stop func(p *player)
}{
	// The executor stops first: what waits for it never runs.
	{"steps are dropped", func(p *player) {
		p.s.Stop(types.ErrInterrupted)
		p.jobs = nil
	}},
	{"steps run later", func(p *player) {
		p.s.Stop(types.ErrExpired)
		for len(p.jobs) > 0 {
			p.work()
		}
	}},
	{"steps run meanwhile", func(p *player) {
		var ran []ranStep
		for _, run := range p.jobs {
			step, err := run()
			ran = append(ran, ranStep{step, err})
		}
		p.s.Stop(types.ErrExpired)
		for _, r := range ran {
			p.s.HandleStep(r.step, r.err, p.net.now)
		}
	}},
}

// TestNothingSecretIsLeft stops all sessions of an attempt after each of its
// events: every party that was made is closed once, and everything secret that
// crossed the border of a session is wiped.
func TestNothingSecretIsLeft(t *testing.T) {
	for _, cut := range cuts {
		for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign, types.KindPresign} {
			t.Run(cut.name+" in a "+kind.String(), func(t *testing.T) {
				events, parties, opened := 0, 0, 0
				for done := false; !done; events++ {
					n, next := unopened(t, kind)
					n.open()
					for i := 0; i < events && !done; i++ {
						done = !next()
					}
					for _, p := range n.players {
						if p.s == nil {
							continue
						}
						for _, body := range p.s.Unread() {
							n.watch.Secret("an opened message", body)
							opened++
						}
						cut.stop(p)
						require.Equal(t, session.Ended, p.s.Phase())
						require.Zero(t, p.s.Keys())
						require.Len(t, p.ends, 1)
					}
					require.Empty(t, n.watch.Leaks(), "after %d events", events)
					parties += n.watch.Made()
				}
				require.Greater(t, events, 30)
				require.Greater(t, parties, events/2)
				require.Greater(t, opened, 10)
			})
		}
	}
}

// unopened is an attempt, and what lets the next event of it happen; false: there is none. A
// presignature is used as soon as it can be.
func unopened(t *testing.T, kind types.RequestKind) (n *network, next func() bool) {
	if kind != types.KindPresign {
		n = newOf(t, kind)
		return n, n.next
	}
	n, asked := newPresign(t, 3, 2)
	return n, func() bool {
		owner := n.players[0].s
		if !owner.Usable() {
			return n.next()
		}
		know(asked, n.players...)
		require.NoError(t, owner.Consume(*asked, 0, n.now))
		return true
	}
}

// TestResultClosesTheParty: a session that lingers holds no secrets.
func TestResultClosesTheParty(t *testing.T) {
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign, types.KindPresign} {
		n, next := unopened(t, kind)
		n.open()
		for next() {
		}
		n.finished(n.players...)
		require.Equal(t, 3, n.watch.Made())
		require.Empty(t, n.watch.Leaks())
		for _, p := range n.players {
			require.Zero(t, p.s.Keys(), "nothing is sealed or opened any more")
		}
	}
}

// TestFailuresLeaveNothingSecret: nor does what ends a session by itself.
func TestFailuresLeaveNothingSecret(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(n *network)
	}{
		{"a wrong broadcast", func(n *network) { n.players[2].lie = spoil("k1") }},
		{"a wrong secret", func(n *network) { n.players[2].lie = spoil("k2p") }},
		{"a store that fails", func(n *network) { n.players[1].finishErr = types.ErrStorage }},
		{"a stranger's message", func(n *network) {
			n.players[1].lie = func(out []session.Outbound) { out[0].To = "op-z" }
		}},
		{"pre-parameters that are none", func(n *network) { n.players[1].secret = nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newKeygen(t, 3)
			tt.spoil(n)
			n.open()
			n.settle()
			failed := 0
			for _, p := range n.players {
				if p.s.Phase() == session.Ended {
					failed++
				}
				p.s.Stop(types.ErrExpired)
			}
			require.Positive(t, failed)
			require.Empty(t, n.watch.Leaks())
		})
	}
}

// spoil makes a member's messages of a type wrong.
func spoil(typ string) func([]session.Outbound) {
	return func(out []session.Outbound) {
		for i := range out {
			if out[i].Type == typ {
				out[i].Body[0] ^= 1
			}
		}
	}
}
