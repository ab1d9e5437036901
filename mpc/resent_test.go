package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// TestResentIsExact counts what went out again by what the transport saw: while
// a session lives, at its end, and together with the next one.
func TestResentIsExact(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	d.view.Requests = []types.Request{r}
	d.start()
	var total uint64
	for attempt := range uint32(2) {
		d.sent, d.ends = nil, nil
		prepare := d.prepare(r.Initiator(attempt), r.ID, attempt, 1)
		d.core.HandleEnvelope(prepare)
		for d.now = d.now.Add(time.Second); len(d.core.sessions) > 0; d.now = d.now.Add(time.Second) {
			before := d.core.Status().Resent
			d.core.Tick()
			if len(d.core.sessions) > 0 {
				require.Equal(t, total+uint64(len(d.sent)-1), d.core.Status().Resent)
			}
			require.GreaterOrEqual(t, d.core.Status().Resent, before)
		}
		resent := len(d.sent) - 1
		require.Greater(t, resent, 3, "a Ready without an answer goes out again until its session lapses")
		require.Equal(t, []SessionEnd{{Request: r.ID, Session: prepare.Hash(), Reason: types.ErrStartTimeout, Took: r.StartTimeout, Resent: resent}}, d.ends)
		total += uint64(resent)
		require.Equal(t, total, d.core.Status().Resent)
		d.view.Height += r.AttemptBlocks
		d.commit()
	}
}
