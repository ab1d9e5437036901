package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// TestCharges: who did what the protocol forbids in the last attempt at a key is accused with
// the next request of both, until the chain has it.
func TestCharges(t *testing.T) {
	p, l := running(t)
	const culprit = "op-01"
	context := l.Context()
	p.core.blame(l, session.End{Reason: types.ErrProtocolFault, Culprits: []types.Operator{culprit}}, p.now)
	require.Equal(t, []types.Operator{culprit}, p.accused(l.Request()))
	p.view.Requests = nil
	p.commit()
	p.desk.pass(time.Minute)
	require.Empty(t, p.core.Results().Accusations, "it came too late for this one")

	next := p.next(l.Request())
	later := p.next(&next)
	later.Height++
	strangers := p.next(&later)
	strangers.Height--
	strangers.Members = []types.Member{{Operator: "op-02", IdentityVersion: 1, IdentityKey: p.public("op-02")}, strangers.Members[1]}
	p.view.Requests = []types.Request{later, strangers, next}
	p.commit()
	p.core.Tick()
	require.Equal(t, []types.Operator{culprit}, p.accused(&next))
	require.Equal(t, context, p.core.Results().Accusations[0].Session)

	p.view.Faults = []types.Fault{{Participant: culprit, Accuser: "op-00", Request: next.ID}}
	p.commit()
	p.core.Tick()
	require.Empty(t, p.core.Results().Accusations)
	require.Empty(t, p.core.charges)
	p.view.Faults = nil
	p.commit()
	p.desk.pass(time.Minute)
	require.Empty(t, p.core.Results().Accusations, "it lapsed")
}

// TestChargeable: what ends a session of a signature, or one that never started, is said with
// its own request or not at all; and everything is forgotten in the end.
func TestChargeable(t *testing.T) {
	d, r, l := waiting(t)
	d.core.blame(l, session.End{Reason: types.ErrProtocolFault, Culprits: []types.Operator{"op-01"}}, d.now)
	require.Equal(t, []types.Operator{"op-01"}, d.accused(r))
	require.Empty(t, d.core.charges)

	p, live := running(t)
	for _, end := range []session.End{
		{Reason: types.ErrStalled, Culprits: []types.Operator{"op-01"}}, {Reason: types.ErrProtocolFault},
	} {
		p.core.blame(live, end, p.now)
		require.Empty(t, p.core.charges)
	}
	p.core.blame(live, session.End{Reason: types.ErrProtocolFault, Culprits: []types.Operator{"op-01"}}, p.now)
	require.Len(t, p.core.charges, 1)
	p.view.Requests = nil
	p.commit()
	p.now = p.now.Add(liarFor)
	p.core.Tick()
	require.Empty(t, p.core.charges)
}
