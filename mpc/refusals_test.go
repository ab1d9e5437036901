package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// leader leads attempts at a request of four; the test says when.
type leader struct {
	*desk
	r       types.Request
	attempt uint32
}

func newLeader(t *testing.T, kind types.RequestKind) *leader {
	l := &leader{desk: newDesk(t, 4)}
	l.r = l.desk.request(kind)
	l.r.ExpiryHeight = 1000
	for l.r.Initiator(0) != "op-00" {
		l.r.ID.ID += "x"
	}
	if kind == types.KindKeygen {
		l.r.KeyID = types.KeyID(l.r.ID.ID)
	}
	l.hold(l.r.KeySession, types.StatusReady)
	l.view.Requests = []types.Request{l.r}
	l.start()
	return l
}

// next opens the next attempt that op-00 leads, so much later.
func (l *leader) next(later time.Duration) {
	l.t.Helper()
	l.now = l.now.Add(later)
	for _, s := range l.core.ordered() {
		s.Stop(types.ErrSuperseded)
	}
	l.attempt += 4
	l.view.Height = l.r.Height + int64(l.attempt)*l.r.AttemptBlocks
	l.commit()
	require.Len(l.t, l.core.sessions, 1)
}

func (l *leader) refused(by types.Operator, reason types.Reason) {
	l.t.Helper()
	l.refuses(by, l.r.ID, wire.Refuse{Reason: string(reason)})
}

// TestRefusesForEver: who keeps what needs it from its end, by whatever reason, is accused of
// it, once.
func TestRefusesForEver(t *testing.T) {
	for _, reason := range []types.Reason{types.ErrBusy, types.ErrNoPreparams, types.ErrAlreadyDecided, types.ErrWrongAttempt, types.ErrIdentityOld} {
		t.Run(string(reason), func(t *testing.T) {
			l := newLeader(t, types.KindKeygen)
			for range maxRefusals - 1 {
				l.refused("op-02", reason)
				require.Empty(t, l.core.sessions, "nothing can be made without it")
				l.next(refusalsSpan)
			}
			require.Empty(t, l.core.Results().Accusations)
			l.refused("op-02", reason)
			said := l.core.Results().Accusations
			require.Len(t, said, 1)
			require.NoError(t, said[0].Verify(deskChain, l.public("op-00")))
			require.Equal(t, types.Operator("op-02"), said[0].Accused)
			require.Equal(t, reason, said[0].Reason)
			require.Equal(t, l.attempt, said[0].Attempt)
			l.next(refusalsSpan)
			l.refused("op-02", reason)
			require.Len(t, l.core.Results().Accusations, 1)
		})
	}
}

// TestRefusesForNow: nobody is accused of what somebody honest does.
func TestRefusesForNow(t *testing.T) {
	often := func(l *leader, later time.Duration) {
		for range 2 * maxRefusals {
			l.refused("op-02", types.ErrBusy)
			l.next(later)
		}
	}
	for name, tt := range map[string]struct {
		kind types.RequestKind
		do   func(*leader)
	}{
		"is busy for some minutes": {types.KindKeygen, func(l *leader) { often(l, refusalsSpan/(2*maxRefusals)) }},
		"a few times a day":        {types.KindKeygen, func(l *leader) { often(l, refusalsFor) }},
		"refuses all that is asked of it in a moment, and once much later": {types.KindKeygen, func(l *leader) {
			often(l, time.Second)
			l.now = l.now.Add(refusalsSpan)
			l.refused("op-02", types.ErrBusy)
		}},
		"is right that time is up": {types.KindKeygen, func(l *leader) {
			for range 2 * maxRefusals {
				l.core.view.Height = l.r.ExpiryHeight
				l.refused("op-02", types.ErrExpired)
				l.next(refusalsSpan)
			}
		}},
		"others sign": {types.KindSign, func(l *leader) {
			for range 2 * maxRefusals {
				l.refused("op-02", types.ErrBusy)
				l.refused("op-03", types.ErrBusy)
				l.refused("op-01", types.ErrBusy)
				l.next(refusalsSpan)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLeader(t, tt.kind)
			tt.do(l)
			require.Empty(t, l.core.Results().Accusations)
		})
	}
}

// aboutToBeAccused makes one more refusal of somebody too many.
func (d *desk) aboutToBeAccused(op types.Operator) {
	d.core.refusals[op] = refusals{maxRefusals - 1, d.now.Add(-refusalsSpan), d.now.Add(-refusalsApart)}
}

// TestLeavesForEver: who leaves in the rounds does the same as who refuses.
func TestLeavesForEver(t *testing.T) {
	p := newPartner(t)
	p.idle = true
	p.settle()
	require.Equal(t, session.Running, p.live().Phase())
	p.aboutToBeAccused("op-01")
	p.s.Stop(types.ErrBusy)
	said := p.core.Results().Accusations
	require.Len(t, said, 1)
	require.Equal(t, types.Operator("op-01"), said[0].Accused)
	require.Equal(t, types.ErrBusy, said[0].Reason)
}

// TestLeavesForEverWhateverItSays: no reason and no name lets somebody off, but its own
// accusation of whom it names.
func TestLeavesForEverWhateverItSays(t *testing.T) {
	const leaver, other = "op-02", "op-03"
	for name, tt := range map[string]struct {
		reason  types.Reason
		over    []types.Operator
		accuses bool
		want    types.Reason
	}{
		"stalled, of nobody":          {types.ErrStalled, nil, false, types.ErrAborted},
		"a lie of nobody":             {types.ErrProtocolFault, nil, false, types.ErrAborted},
		"no reason":                   {types.ErrAborted, nil, false, types.ErrAborted},
		"busy, for somebody":          {types.ErrBusy, []types.Operator{other}, false, types.ErrBusy},
		"stalled, of somebody":        {types.ErrStalled, []types.Operator{other}, false, types.ErrAborted},
		"whom it accuses":             {types.ErrStalled, []types.Operator{other}, true, ""},
		"whom it accuses, of another": {types.ErrStalled, []types.Operator{"op-01"}, true, types.ErrAborted},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t)
			p.settle()
			l := p.live()
			r := p.core.requests[p.request.ID]
			r.Members = p.desk.request(types.KindKeygen).Members // of four
			l.Request().Members = r.Members
			if tt.accuses {
				p.core.view.Faults = []types.Fault{{Participant: other, Accuser: leaver}}
			}
			p.aboutToBeAccused(leaver)
			p.core.noteRefusal(l, session.End{Reason: types.ErrAborted, Left: leaver, LeftFor: tt.reason, LeftOver: tt.over}, p.now)
			said := p.core.Results().Accusations
			if tt.want == "" {
				require.Empty(t, said)
				return
			}
			require.Len(t, said, 1)
			require.Equal(t, tt.want, said[0].Reason)
		})
	}
	l := newLeader(t, types.KindKeygen)
	l.aboutToBeAccused(leaver)
	l.refused(leaver, types.ErrAborted)
	require.Len(t, l.core.Results().Accusations, 1)
}

// TestInitiatorOfRefused: an initiator that gives up because somebody refused is not the one
// that did.
func TestInitiatorOfRefused(t *testing.T) {
	d, r, l := waiting(t)
	d.aboutToBeAccused(r.Initiator(0))
	abort := wire.Abort{Reason: string(types.ErrBusy), Culprits: []string{"op-03"}}
	body, err := abort.Marshal()
	require.NoError(t, err)
	d.core.HandleEnvelope(d.signedIn(l.ID(), r.Initiator(0), wire.KIND_ABORT, 1, r.ID, body))
	require.Equal(t, session.Ended, l.Phase())
	require.Empty(t, d.core.Results().Accusations)
}

// TestServedWith: a key that is made with somebody makes good what it refused before.
func TestServedWith(t *testing.T) {
	p := newPartner(t)
	p.aboutToBeAccused("op-01")
	p.aboutToBeAccused("op-03")
	p.settle()
	require.Equal(t, session.Lingering, p.live().Phase())
	require.NotContains(t, p.core.refusals, types.Operator("op-01"))
	require.Contains(t, p.core.refusals, types.Operator("op-03"))
	p.pass(refusalsFor)
	require.Empty(t, p.core.refusals)
}
