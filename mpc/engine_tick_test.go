package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// TestTickComesAfterTheInbox: a loop that comes to its clock and to its inbox late takes
// what others said first, and calls nobody silent who is not.
func TestTickComesAfterTheInbox(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindSign)
	for i := 0; r.Initiator(0) != "op-00"; i++ {
		r.ID.ID = string(rune('a' + i))
	}
	d.view.Requests = []types.Request{r}
	d.hold(r.KeySession, types.StatusReady)
	d.start()
	require.Len(t, d.core.sessions, 1)
	e := &Engine{core: d.core, inbox: newQueue()}
	const limit = 45 * time.Second // three quarters of start_timeout
	for passed := time.Duration(0); passed < limit-time.Second; passed += time.Second {
		d.now = d.now.Add(time.Second)
		require.NoError(t, e.tick())
	}
	ready := wire.Ready{EphemeralKey: append([]byte{9}, make([]byte, 31)...)}
	body, err := ready.Marshal()
	require.NoError(t, err)
	for id, l := range d.core.sessions {
		require.Equal(t, session.Preparing, l.Phase())
		v := d.signedIn(id, "op-02", wire.KIND_READY, 1, r.ID, body)
		require.True(t, e.inbox.put(0, func() { d.core.HandleEnvelope(v) }))
	}
	d.now = d.now.Add(2 * time.Second)
	require.NoError(t, e.tick())
	require.Empty(t, d.ends)
	require.Empty(t, d.core.suspects)
	for _, l := range d.core.sessions {
		require.Equal(t, session.Running, l.Phase())
	}
}

// TestLoopThatWasAway: a loop that did not run for minutes accuses nobody of silence in
// that time.
func TestLoopThatWasAway(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindSign)
	for i := 0; r.Initiator(0) != "op-00"; i++ {
		r.ID.ID = string(rune('a' + i))
	}
	d.view.Requests = []types.Request{r}
	d.hold(r.KeySession, types.StatusReady)
	d.start()
	for range 3 {
		d.now = d.now.Add(2 * time.Minute)
		d.core.Tick()
		require.Empty(t, d.ends)
	}
	d.pass(45 * time.Second)
	require.Len(t, d.ends, 1)
	require.Equal(t, types.ErrStartTimeout, d.ends[0].Reason)
}
