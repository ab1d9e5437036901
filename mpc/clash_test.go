package mpc

import (
	"fmt"
	"testing"
	"time"

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
			stall := session.DefaultTiming().Stall
			d.pass(stall / 2)
			require.Empty(t, d.accused(r))
			d.pass(stall)
			require.ElementsMatch(t, tt.want, d.accused(r))
			require.Empty(t, d.core.clashes)
		})
	}
}

// accused lists whom op-00 accuses of breaking the rules, with a request.
func (d *desk) accused(r *types.Request) (accused []types.Operator) {
	d.t.Helper()
	for _, said := range d.core.Results().Accusations {
		if said.Operator == "op-00" {
			require.Equal(d.t, r.ID, said.Request)
			require.Equal(d.t, types.ErrProtocolFault, said.Reason)
			require.NoError(d.t, said.Verify(deskChain, d.public("op-00")))
			accused = append(accused, said.Accused)
		}
	}
	return accused
}

// next is a request of the same members as another one, that op-00 does not lead.
func (d *desk) next(r *types.Request) types.Request {
	next := *r
	for i := 0; next.ID == r.ID || next.Initiator(0) == "op-00"; i++ {
		next.ID.ID = fmt.Sprintf("next-%d", i)
	}
	next.KeyID = types.KeyID(next.ID.ID)
	return next
}

// TestClashInTheLastAttempt: where a request is closed before those that clash had time to say
// who took whose, they have it in the next one that has them all, and are accused there.
func TestClashInTheLastAttempt(t *testing.T) {
	const a, b = types.Operator("op-01"), types.Operator("op-02")
	stall := session.DefaultTiming().Stall
	for name, want := range map[string][]types.Operator{"neither accuses the other": {a, b}, "one knows who took its": {b}} {
		t.Run(name, func(t *testing.T) {
			d, r, l := waiting(t)
			clashes := session.End{Reason: types.ErrProtocolFault, Culprits: []types.Operator{a, b}, Among: true}
			d.core.blame(l, clashes, d.now)
			d.core.blame(l, clashes, d.now)
			require.Len(t, d.core.clashes, 1)
			d.view.Requests = nil
			d.commit()
			d.pass(3 * stall)
			require.Empty(t, d.core.Results().Accusations)

			next := d.next(r)
			few := next
			few.Members, few.Height = few.Members[:2], few.Height-1
			others := d.next(&few)
			d.view.Requests = []types.Request{others}
			d.commit()
			d.pass(2 * stall)
			require.Empty(t, d.accused(&others), "one of them is not there")
			d.view.Requests = append(d.view.Requests, next)
			d.commit()
			d.pass(stall / 2)
			require.Empty(t, d.accused(&next), "they have as long again")
			if len(want) == 1 {
				d.hear(d.accuse(&next, a, b))
			}
			d.pass(stall)
			require.ElementsMatch(t, want, d.accused(&next))
			require.Empty(t, d.core.clashes)
		})
	}
}

// TestClashThatWasCleared: who said in time who took its numbers need not say so again when the
// chain has forgotten it.
func TestClashThatWasCleared(t *testing.T) {
	const a, b = types.Operator("op-01"), types.Operator("op-02")
	d, r, l := waiting(t)
	d.core.blame(l, session.End{Reason: types.ErrProtocolFault, Culprits: []types.Operator{a, b}, Among: true}, d.now)
	d.view.Faults = []types.Fault{{Participant: b, Accuser: a, Request: r.ID}}
	d.commit()
	d.core.Tick()
	d.view.Requests, d.view.Faults = nil, nil
	d.commit()
	d.pass(3 * session.DefaultTiming().Stall)
	next := d.next(r)
	d.view.Requests = []types.Request{next}
	d.commit()
	d.pass(2 * session.DefaultTiming().Stall)
	require.Equal(t, []types.Operator{b}, d.accused(&next))
	require.Empty(t, d.core.clashes)
}

// TestClashOfShortRequests: where requests close sooner than anybody waits, those that clash
// have had their turn with the first, and are accused with the second.
func TestClashOfShortRequests(t *testing.T) {
	d, r, l := waiting(t)
	among := []types.Operator{"op-01", "op-02"}
	d.core.blame(l, session.End{Reason: types.ErrProtocolFault, Culprits: among, Among: true}, d.now)
	open := func(requests ...types.Request) {
		d.view.Requests = requests
		d.commit()
		d.pass(2 * time.Second)
	}
	open()
	d.pass(2 * session.DefaultTiming().Stall)
	first := d.next(r)
	open(first)
	require.Empty(t, d.accused(&first))
	open()
	d.pass(session.DefaultTiming().Stall)
	second := d.next(&first)
	open(second)
	require.ElementsMatch(t, among, d.accused(&second))
}

// TestClashIsForgotten: where no request has them all for long.
func TestClashIsForgotten(t *testing.T) {
	d, _, l := waiting(t)
	d.core.blame(l, session.End{Reason: types.ErrProtocolFault, Culprits: []types.Operator{"op-01", "op-02"}, Among: true}, d.now)
	d.view.Requests = nil
	d.commit()
	d.now = d.now.Add(liarFor - 1)
	d.core.Tick()
	require.Len(t, d.core.clashes, 1)
	d.now = d.now.Add(1)
	d.core.Tick()
	require.Empty(t, d.core.clashes)
}
