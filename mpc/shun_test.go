package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// TestShunned: who kept an attempt from its end is left out until everybody else
// had a turn, where enough others remain.
func TestShunned(t *testing.T) {
	d := newDesk(t, 4)
	d.hold(types.Context{5}, types.StatusReady)
	r := d.request(types.KindSign) // t is 1: two sign
	d.view.Requests = []types.Request{r}
	d.start()
	shunned := func(attempt uint32) int { return len(d.core.shunned(&r, attempt)) }
	require.Zero(t, shunned(0))
	d.core.shun(&r, []types.Operator{"op-02"}, 3)
	require.Equal(t, []types.Operator{"op-02"}, d.core.shunned(&r, 4))
	require.Equal(t, []int{1, 1, 0}, []int{shunned(3), shunned(7), shunned(8)})
	d.core.shun(&r, []types.Operator{"op-02"}, 1)
	require.Equal(t, 1, shunned(7), "an older attempt shortens nothing")
	d.core.shun(&r, []types.Operator{"op-01"}, 4)
	require.Equal(t, []int{2, 1, 0}, []int{shunned(7), shunned(8), shunned(9)})
	d.core.shun(&r, []types.Operator{"op-03"}, 4)
	require.Equal(t, []int{0, 2, 0}, []int{shunned(7), shunned(8), shunned(9)}, "alone it signs nothing")

	d.view.Requests = nil
	d.commit()
	require.Empty(t, d.core.spoilers)
	d.core.shun(&r, []types.Operator{"op-01"}, 4)
	require.Empty(t, d.core.spoilers, "nothing is remembered of what is decided")
}

// TestShunnedLeader: nor does this node follow it, in requests that it spoiled.
func TestShunnedLeader(t *testing.T) {
	d := newDesk(t, 4)
	d.hold(types.Context{5}, types.StatusReady)
	r := d.request(types.KindSign)
	other := r
	for i := 0; other.ID == r.ID || other.Initiator(0) != r.Initiator(0); i++ {
		other.ID.ID = "other-" + string(rune('a'+i))
	}
	d.view.Requests = []types.Request{r, other}
	d.start()
	leader := r.Initiator(0)
	d.core.shun(&r, []types.Operator{leader}, 0)
	d.core.HandleEnvelope(d.prepare(leader, r.ID, 0, 1))
	said, _, _ := d.answer()
	require.Equal(t, string(types.ErrWrongInitiator), said)
	d.core.HandleEnvelope(d.prepare(leader, other.ID, 0, 1))
	said, _, _ = d.answer()
	require.Equal(t, "ready", said)
}

// TestKnownLiar: whom this node caught it neither takes nor follows in any other
// signature, unless too few others remain; keys need everybody.
func TestKnownLiar(t *testing.T) {
	d := newDesk(t, 4)
	d.hold(types.Context{5}, types.StatusReady)
	r := d.request(types.KindSign) // t is 1: two sign
	d.view.Requests = []types.Request{r}
	d.start()
	leader := r.Initiator(0)
	var others []types.Operator
	for _, m := range r.Members {
		if m.Operator != leader && m.Operator != "op-00" {
			others = append(others, m.Operator)
		}
	}
	d.core.remember([]types.Operator{leader}, true, d.now)
	require.Equal(t, []types.Operator{leader}, d.core.shunned(&r, 0))
	d.core.shun(&r, others[:1], 0)
	require.Len(t, d.core.shunned(&r, 0), 2)
	d.core.shun(&r, others, 0)
	require.Equal(t, []types.Operator{leader}, d.core.shunned(&r, 0), "the liar first, the others only where enough remain")
	require.Equal(t, types.ErrWrongInitiator, d.core.admit(d.prepare(leader, r.ID, 0, 1), r.ID, 0))

	d.core.remember(others, true, d.now)
	require.Empty(t, d.core.shunned(&types.Request{ID: r.ID, Members: r.Members, Threshold: r.Threshold}, 9), "alone it signs nothing")
	keygen := d.request(types.KindKeygen)
	require.Empty(t, d.core.shunned(&keygen, 0))
}

// TestFaultsAreForgotten: what this node saw of others has an end.
func TestFaultsAreForgotten(t *testing.T) {
	d := newDesk(t, 4)
	d.start()
	d.core.suspect([]types.Operator{"op-01"}, d.now)
	d.core.left["op-02"] = departure{until: d.now.Add(suspectFor)}
	d.core.doubts["op-01"] = doubt{count: 2, until: d.now.Add(doubtFor)}
	d.core.liars["op-03"] = d.now.Add(liarFor)
	require.Equal(t, 4, d.core.Holdings().Suspects)
	for _, forgotten := range []struct {
		after time.Duration
		left  int
	}{{suspectFor, 2}, {doubtFor - suspectFor, 1}, {liarFor - doubtFor, 0}} {
		before := d.core.Holdings().Suspects
		d.now = d.now.Add(forgotten.after - 1)
		d.core.Tick()
		require.Equal(t, before, d.core.Holdings().Suspects)
		d.now = d.now.Add(1)
		d.core.Tick()
		require.Equal(t, forgotten.left, d.core.Holdings().Suspects)
	}
	require.Equal(t, Holdings{}, d.core.Holdings())
}

// TestTombstonesSettle: the chain is asked about a destroyed key only as long as
// it waits for this node's word.
func TestTombstonesSettle(t *testing.T) {
	tests := []struct {
		name           string
		holders, acked []types.Operator
		asked, attests int
	}{
		{"a holder", []types.Operator{"op-00", "op-01"}, nil, 1, 1},
		{"a holder that attested", []types.Operator{"op-00", "op-01"}, []types.Operator{"op-00"}, 0, 0},
		{"its session lost", []types.Operator{"op-01"}, nil, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, 4)
			d.hold(types.Context{5}, types.StatusPending)
			d.view.Keys["key"] = types.Key{
				ID: "key", Status: types.KeyDeleted, Session: types.Context{6}, Holders: tt.holders, DeletionAcked: tt.acked,
			}
			d.start()
			for range 2 {
				d.now = d.now.Add(time.Minute)
				d.commit()
			}
			require.Equal(t, []types.KeyID{"key"}, d.core.Status().Tombstones)
			require.Equal(t, tt.asked, d.core.Holdings().Tombstones)
			require.Len(t, d.core.interest(), tt.asked)
			require.Len(t, d.core.Results().Attestations, tt.attests)
		})
	}
}

// TestClosed: why a session's request is no longer open.
func TestClosed(t *testing.T) {
	tests := []struct {
		name   string
		kind   types.RequestKind
		height int64
		change func(*desk, types.Request)
		reason types.Reason
	}{
		{"key READY", types.KindKeygen, 99, func(d *desk, r types.Request) {
			d.view.Keys[r.KeyID] = types.Key{ID: r.KeyID, Status: types.KeyReady}
		}, types.ErrAlreadyDecided},
		{"key READY, seen late", types.KindKeygen, 200, func(d *desk, r types.Request) {
			d.view.Keys[r.KeyID] = types.Key{ID: r.KeyID, Status: types.KeyReady}
		}, types.ErrAlreadyDecided},
		{"keygen failed before its time", types.KindKeygen, 99, func(d *desk, r types.Request) {
			d.view.Keys[r.KeyID] = types.Key{ID: r.KeyID, Status: types.KeyError}
		}, types.ErrAlreadyDecided},
		{"keygen expired", types.KindKeygen, 100, func(d *desk, r types.Request) {
			d.view.Keys[r.KeyID] = types.Key{ID: r.KeyID, Status: types.KeyError}
		}, types.ErrExpired},
		{"signed, seen late", types.KindSign, 200, func(d *desk, r types.Request) {
			d.sigs[r.ID.ID] = types.SignatureResult{RequestID: r.ID.ID, R: make([]byte, 32), S: make([]byte, 32)}
		}, types.ErrAlreadyDecided},
		{"signature expired", types.KindSign, 100, func(*desk, types.Request) {}, types.ErrExpired},
		{"signature failed before its time", types.KindSign, 99, func(*desk, types.Request) {}, types.ErrAlreadyDecided},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, 4)
			d.hold(types.Context{5}, types.StatusReady)
			r := d.request(tt.kind)
			d.view.Requests = []types.Request{r}
			d.start()
			d.core.HandleEnvelope(d.prepare(r.Initiator(0), r.ID, 0, 1))
			require.Len(t, d.core.sessions, 1)
			d.view.Requests, d.view.Height = nil, tt.height
			tt.change(d, r)
			d.commit()
			require.Len(t, d.ends, 1)
			require.Equal(t, tt.reason, d.ends[0].Reason)
		})
	}
}
