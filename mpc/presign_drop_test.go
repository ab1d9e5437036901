package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// TestDroppedWhereBlocksAreSlow: the block that shows why may take as long as blocks do. A
// node looks at the chain in between, too.
func TestDroppedWhereBlocksAreSlow(t *testing.T) {
	const interval = 30 * time.Second
	for name, shown := range map[string]bool{"the next block shows why": true, "no block does": false} {
		t.Run(name, func(t *testing.T) {
			p := newPresigner(t)
			p.start()
			block := func() {
				p.now, p.view.Height = p.now.Add(interval), p.view.Height+1
				p.commit()
			}
			for range 3 {
				block()
			}
			l := p.core.sessions[p.leads().ID()]
			p.core.End(l.Session, session.End{Reason: types.ErrAborted, Left: "op-02", LeftFor: types.ErrPresignDropped})
			p.now = p.now.Add(interval - time.Second)
			p.commit() // the same block
			require.Empty(t, p.core.presigns.wasted)
			if shown {
				p.rotate()
			}
			for range dropBlocks {
				block()
			}
			require.Equal(t, !shown, p.core.wasteOf("op-02").count == 1)
			require.Empty(t, p.core.presigns.dropped)
		})
	}
}
