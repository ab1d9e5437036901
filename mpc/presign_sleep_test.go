package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// TestNoticeSleep: whatever the engine does first after it slept, or after its wall clock was
// set, presignatures are gone before. Sessions of requests, which know what they sign, go on.
func TestNoticeSleep(t *testing.T) {
	stall := session.DefaultTiming().Stall
	for name, tt := range map[string]struct {
		wall, elapsed time.Duration
		drops         bool
	}{
		"a tick later":             {tickInterval, tickInterval, false},
		"busy for long":            {stall, stall, false},
		"asleep":                   {stall + 1, stall + 1, true},
		"put back, then set right": {time.Hour, tickInterval, true},
		"set forward":              {maxClockJump + tickInterval + 1, tickInterval, true},
		"set back":                 {tickInterval - maxClockJump - 1, tickInterval, true},
		"set by less":              {maxClockJump + tickInterval, tickInterval, false},
	} {
		for what, next := range map[string]func(*presigner){
			"a tick":  func(p *presigner) { p.core.Tick() },
			"a block": func(p *presigner) { p.commit() },
			"a word": func(p *presigner) {
				p.core.HandleEnvelope(p.signed("op-03", wire.KIND_CONFIRM, 1, p.request.ID, nil))
			},
			"a result":              func(p *presigner) { p.core.HandleGossip(t.Context(), Judged{gossip: &wire.Gossip{}}) },
			"a peer that is back":   func(p *presigner) { p.core.HandleConnected("op-03") },
			"a peer that goes away": func(p *presigner) { p.core.HandleDisconnected("op-03") },
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				p := newPresigner(t)
				sign := p.desk.request(types.KindSign)
				p.view.Requests = []types.Request{sign}
				var elapsed time.Duration
				p.start(func(o *Options) { o.Elapsed = func() time.Duration { return elapsed } })
				p.ask()
				p.core.HandleEnvelope(p.desk.prepare(sign.Initiator(0), sign.ID, 0, 1))
				require.Len(t, p.core.sessions, 2)
				p.now, elapsed = p.now.Add(tt.wall), elapsed+tt.elapsed
				next(p)
				kinds := make(map[types.RequestKind]int)
				for _, l := range p.core.ordered() {
					if l.Initiator() != "op-00" { // what it begins now it remembers from now on
						kinds[l.Request().ID.Kind]++
					}
				}
				require.Equal(t, tt.drops, kinds[types.KindPresign] == 0)
				if tt.wall < time.Minute { // its Start did not come
					require.Equal(t, 1, kinds[types.KindSign])
				}
			})
		}
	}
}
