package mpc

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// A session that waits in vain for one member: its history names it, and for how long.
func TestHistoryNamesWhoWasWaitedFor(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	d.view.Requests = []types.Request{r}
	d.view.Height = r.Height + 3*r.AttemptBlocks
	d.start()
	require.Len(t, d.core.sessions, 1, "op-00 leads it")
	d.sent = nil
	for range 10 {
		d.now = d.now.Add(tickInterval)
		d.core.Tick()
	}
	d.ready("op-01", r.ID)
	d.ready("op-03", r.ID)
	for range 20 {
		d.now = d.now.Add(tickInterval)
		d.core.Tick()
	}
	h := d.core.History(r.ID.ID)
	require.Len(t, h.Sessions, 1)
	s := h.Sessions[0]
	require.Zero(t, s.Ended)
	require.Equal(t, types.Operator("op-00"), s.Leader)
	require.Len(t, s.Steps, 1)
	step := s.Steps[0]
	require.Equal(t, session.Preparing, step.Phase)
	require.Equal(t, 3*time.Second, step.Took)
	require.Equal(t, []Wait{{"op-02", 3 * time.Second}, {"op-01", time.Second}, {"op-03", time.Second}}, step.Waits)
	require.Positive(t, s.Traffic.SentBytes)
	require.Equal(t, uint64(2), s.Traffic.Received)

	for d.core.sessions[s.ID] != nil {
		d.now = d.now.Add(time.Second)
		d.core.Tick()
	}
	s = d.core.History(r.ID.ID).Sessions[0]
	require.Equal(t, types.ErrStartTimeout, s.Reason)
	require.Equal(t, []types.Operator{"op-02"}, s.Culprits)
	require.Positive(t, s.Resent)
	require.Equal(t, d.now, s.Ended)
	require.Equal(t, s.Ended.Sub(s.Opened), s.Steps[0].Took)
	require.Equal(t, s.ID, d.core.History(s.ID.String()[:minSessionPrefix]).Sessions[0].ID)
	require.Empty(t, d.core.History(s.ID.String()[:minSessionPrefix-1]).Sessions)
	require.Empty(t, d.core.History("").Sessions)
}

// ready says Ready to the one session that is open here.
func (d *desk) ready(from types.Operator, id types.RequestID) {
	d.t.Helper()
	body := wire.Ready{EphemeralKey: append([]byte{9}, make([]byte, 31)...)}
	bz, err := body.Marshal()
	require.NoError(d.t, err)
	require.Len(d.t, d.core.sessions, 1)
	for session := range d.core.sessions {
		d.core.HandleEnvelope(d.signedIn(session, from, wire.KIND_READY, 1, id, bz))
	}
}

// Why these signers: who was ready first, who refused, who was silent.
func TestHistoryOfAChoice(t *testing.T) {
	d := newDesk(t, 4)
	d.hold(types.Context{5}, types.StatusReady)
	r := d.request(types.KindSign)
	r.KeyID, r.Threshold = "key", 1
	for i := 0; r.Initiator(0) != "op-00"; i++ {
		r.ID.ID = fmt.Sprintf("led-%d", i)
	}
	d.view.Keys["key"] = types.Key{ID: "key", Status: types.KeyReady, Session: types.Context{5}}
	d.view.Requests = []types.Request{r}
	d.start()
	require.Len(t, d.core.sessions, 1)
	d.refuses("op-02", r.ID, wire.Refuse{Reason: string(types.ErrShareMissing)})
	d.ready("op-03", r.ID)
	s := d.core.History(r.ID.ID).Sessions[0]
	require.Equal(t, []session.Candidate{
		{Operator: "op-00", Leader: true, Signer: true},
		{Operator: "op-01"},
		{Operator: "op-02", Refused: types.ErrShareMissing},
		{Operator: "op-03", Ready: 1, Signer: true},
	}, s.Candidates)
	require.Equal(t, session.Running, s.Steps[len(s.Steps)-1].Phase)
	require.False(t, s.Context.IsZero())
	require.NotEmpty(t, d.core.History(s.Context.String()).Sessions)
}

// Why a node does not serve a request stands there once, and of requests that nobody
// made nothing does.
func TestHistoryNotes(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindSign) // op-00 has no share
	d.view.Requests = []types.Request{r}
	d.start()
	leader := r.Initiator(0)
	for range 3 {
		d.core.HandleEnvelope(d.prepare(leader, r.ID, 0, 1))
	}
	d.core.HandleEnvelope(d.prepare(leader, types.RequestID{Kind: types.KindSign, ID: "nobodys"}, 0, 1))
	notes := d.core.History(r.ID.ID).Notes
	require.Len(t, notes, 1)
	require.Equal(t, types.ErrShareMissing, notes[0].Reason)
	require.Equal(t, leader, notes[0].Of)
	require.Len(t, d.core.history.notes, 1)
	for i := range maxNotes + 5 {
		d.core.history.note(Note{Request: types.RequestID{ID: fmt.Sprint(i)}})
	}
	require.Len(t, d.core.history.notes, maxNotes)
	require.Empty(t, d.core.History(r.ID.ID).Notes, "the oldest went first")
}

// Why a node whose clock is ahead serves nothing, whoever leads.
func TestHistoryOfAClockAhead(t *testing.T) {
	d := newDesk(t, 4)
	led, other := d.request(types.KindKeygen), d.request(types.KindKeygen)
	for i := 0; led.Initiator(0) != "op-00"; i++ {
		led.ID.ID = fmt.Sprint("led-", i)
	}
	for i := 0; other.Initiator(0) == "op-00"; i++ {
		other.ID.ID = fmt.Sprint("other-", i)
	}
	d.view.Requests, d.view.CatchingUp = []types.Request{led, other}, true
	d.start()
	for range 2 {
		d.core.HandleEnvelope(d.prepare(other.Initiator(0), other.ID, 0, 1))
	}
	notes := d.core.History(other.ID.ID).Notes
	require.Len(t, notes, 1)
	require.Equal(t, types.ErrCatchingUp, notes[0].Reason)
	require.Contains(t, notes[0].What, "behind the chain")
	require.Empty(t, d.core.History(led.ID.ID).Notes, "what is behind does not know whose turn it is")

	d.view.ClockAhead = time.Minute
	d.commit()
	d.core.HandleEnvelope(d.prepare(other.Initiator(0), other.ID, 0, 1))
	for _, r := range []types.Request{led, other} {
		notes := d.core.History(r.ID.ID).Notes
		require.Len(t, notes, 1, r.ID.ID)
		require.Contains(t, notes[0].What, "clock is 1m0s ahead")
	}
}

// What is remembered is bounded, and the newest stays.
func TestHistoryIsBounded(t *testing.T) {
	d := newDesk(t, 4)
	d.start()
	r := d.request(types.KindKeygen)
	for i := range maxHistory + 7 {
		l := &live{}
		var err error
		request := r
		request.ID.ID = fmt.Sprint("r", i)
		l.Session, err = session.Open(d.core.config(&request, 0), d.now)
		require.NoError(t, err)
		d.core.history.follow(l, d.now)
		for range 2 * maxSteps {
			l.history.settle(d.now)
			l.history.begin(l, d.now)
		}
		require.Len(t, l.history.Steps, maxSteps)
		d.core.history.end(l, session.End{Reason: types.ErrExpired, Err: fmt.Errorf("%01000d", 1)}, d.now)
	}
	require.Len(t, d.core.history.ended, maxHistory)
	require.Empty(t, d.core.History("r6").Sessions)
	last := d.core.History(fmt.Sprint("r", maxHistory+6)).Sessions
	require.Len(t, last, 1)
	require.Len(t, last[0].Detail, maxDetailBytes)
	require.NotEmpty(t, d.core.History("r7").Sessions)
}
