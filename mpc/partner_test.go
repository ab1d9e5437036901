package mpc

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
)

// partner is op-01, who makes a key together with a desk that computes: a session without
// an engine, of which the test decides when it computes and when its words arrive.
type partner struct {
	*desk
	request types.Request
	s       *session.Session
	jobs    []func() // of both
	own     []func() // its steps
	idle    bool     // it does not compute
	mails   []func() // to op-01
	said    []*wire.Envelope
	once    map[*wire.Envelope]bool // all that it ever said
	late    time.Duration           // by how much later than the one before it says each thing
	last    time.Time               // when it did
	before  func(*wire.Envelope)    // is called before op-00 gets something
}

// newPartner begins a keygen of two that op-01 leads.
func newPartner(t *testing.T) *partner {
	p := &partner{desk: newDesk(t, 4), once: make(map[*wire.Envelope]bool)}
	p.request = p.desk.request(types.KindKeygen)
	p.request.ExpiryHeight = 1000
	p.request.Members = p.request.Members[:2]
	for i := 0; p.request.Initiator(0) != "op-01"; i++ {
		p.request.ID.ID = fmt.Sprintf("two-%d", i)
		p.request.KeyID = types.KeyID(p.request.ID.ID)
	}
	p.view.Requests = []types.Request{p.request}
	p.start(func(o *Options) { o.Transport = p })
	p.core.exec = p
	protocol, err := fakeproto.Protocols{}.Protocol(types.KindKeygen, p.request.Algorithm)
	require.NoError(t, err)
	p.s, err = session.Open(session.Config{
		ChainID: deskChain, Request: p.request, Self: "op-01", Identity: p.keys["op-01"], Protocol: protocol, Host: (*partnerHost)(p),
		Rand: rand.NewChaCha8([32]byte{2}), Timing: session.DefaultTiming(),
	}, p.now)
	require.NoError(t, err)
	p.last = p.now
	p.s.Announce(p.now)
	return p
}

// Send implements Transport for op-00.
func (p *partner) Send(_ types.Operator, e *wire.Envelope) bool {
	p.mails = append(p.mails, func() { p.s.HandleEnvelope(p.verified(e), p.now) })
	return true
}

// Submit implements Executor for op-00.
func (p *partner) Submit(_ *types.Request, run func() (session.Step, error), done func(session.Step, error)) {
	p.jobs = append(p.jobs, func() { done(run()) })
}

func (p *partner) verified(e *wire.Envelope) types.Verified {
	v, err := types.VerifyEnvelope(e, deskChain, p.public(types.Operator(e.Header.From)))
	require.NoError(p.t, err)
	return v
}

// settle lets everything happen that needs no time to pass.
func (p *partner) settle() {
	for len(p.jobs)+len(p.mails) > 0 || len(p.own) > 0 && !p.idle {
		run := slices.Concat(p.jobs, p.mails)
		p.jobs, p.mails = nil, nil
		if !p.idle {
			run, p.own = append(run, p.own...), nil
		}
		for _, f := range run {
			f()
		}
	}
}

// pass lets time pass. What op-01 says late it says one thing at a time.
func (p *partner) pass(d time.Duration) {
	const tick = 250 * time.Millisecond
	for end := p.now.Add(d); p.now.Before(end); {
		p.now = p.now.Add(tick)
		if len(p.said) > 0 && p.now.Sub(p.last) >= p.late {
			p.last = p.now
			p.say()
		}
		p.core.Tick()
		p.s.Tick(p.now)
		p.settle()
	}
}

// say delivers what op-01 said first and did not deliver, with all that belongs to it.
func (p *partner) say() {
	first := p.said[0].Header
	rest := p.said[:0]
	for _, e := range p.said {
		if h := e.Header; h.Kind == first.Kind && h.Round == first.Round {
			p.core.HandleEnvelope(p.verified(e))
		} else {
			rest = append(rest, e)
		}
	}
	p.said = rest
}

// partnerHost is the Host of op-01's session.
type partnerHost partner

func (p *partnerHost) Send(_ types.Operator, e *wire.Envelope) bool {
	if p.before != nil {
		p.before(e)
	}
	switch k := e.Header.Kind; {
	case p.late > 0 && (k == wire.KIND_ROUND || k == wire.KIND_CONFIRM):
		if !p.once[e] {
			p.once[e] = true
			p.said = append(p.said, e)
		}
	case p.late > 0 && k > wire.KIND_ROUND: // it helps nobody
	default:
		p.core.HandleEnvelope((*partner)(p).verified(e))
	}
	return true
}

func (p *partnerHost) Submit(s *session.Session, run func() (session.Step, error)) {
	p.own = append(p.own, func() {
		step, err := run()
		s.HandleStep(step, err, p.now)
	})
}

func (p *partnerHost) Begin(*session.Session) (session.Material, error) {
	return session.Material{Preparams: []byte("pre-parameters of op-01")}, nil
}

func (p *partnerHost) Consume(*session.Session, uint32, string, []byte) (*types.Request, types.Reason) {
	return nil, types.ErrPresignLost
}

func (p *partnerHost) Finish(*session.Session, *session.Result) error { return nil }

func (p *partnerHost) End(*session.Session, session.End) {}

// live is the one session of op-00.
func (p *partner) live() *live {
	p.t.Helper()
	all := p.core.ordered()
	require.Len(p.t, all, 1)
	return all[0]
}

// TestOnlyWhoIsSilentIsAccused: who says for too long that it computes may compute for
// somebody else: it is suspected and not accused. Who says each thing late, and nothing
// meanwhile, is both.
func TestOnlyWhoIsSilentIsAccused(t *testing.T) {
	stall := session.DefaultTiming().Stall
	t.Run("computes", func(t *testing.T) {
		p := newPartner(t)
		p.idle = true
		p.settle()
		require.Equal(t, session.Running, p.live().Phase())
		p.pass(stall + stall/2)
		require.Zero(t, p.core.suspicion("op-01"))
		p.pass(stall / 2)
		require.Empty(t, p.live().DrawnOutBy())
		require.Equal(t, []types.Operator{"op-01"}, p.live().Disbelieved())
		require.Contains(t, p.core.suspects, types.Operator("op-01"))
		require.Contains(t, p.core.caught, types.Operator("op-01"), "no earlier request excuses it")
		require.Contains(t, p.core.spoilers[p.request.ID], types.Operator("op-01"))
		require.Positive(t, p.core.suspicion("op-01"))
		require.Equal(t, []types.Operator{"op-01"}, p.live().heldUpBy)
		require.False(t, p.live().givesWay(), "another keygen would only wait for the same member")
		p.pass(10 * stall)
		require.Empty(t, p.core.Results().Accusations)
		p.idle = false
		p.settle()
		require.Equal(t, session.Lingering, p.live().Phase())
	})
	t.Run("is silent until late", func(t *testing.T) {
		p := newPartner(t)
		p.late = stall - time.Second
		p.settle()
		p.pass(4 * stall)
		require.Empty(t, p.ends)
		require.Equal(t, session.Running, p.live().Phase())
		require.Empty(t, p.core.Results().Accusations)
		p.pass(2 * stall)
		require.Equal(t, []types.Operator{"op-01"}, p.live().DrawnOutBy())
		said := p.core.Results().Accusations
		require.Len(t, said, 1)
		require.Equal(t, types.Operator("op-01"), said[0].Accused)
		require.Equal(t, types.ErrStalled, said[0].Reason)
	})
}

// TestAhead: a member has an earlier request to serve as long as this node runs a session
// of it with that one, though its own part of it is done; who draws one out is excused by
// none.
func TestAhead(t *testing.T) {
	later := types.Request{ID: types.RequestID{Kind: types.KindSign, ID: "later"}, Height: 11}
	earlier := types.Request{ID: types.RequestID{Kind: types.KindSign, ID: "earlier"}, Height: 9}
	p := newPartner(t)
	p.core.Tick()
	require.False(t, p.core.ahead(&later, "op-01"), "nothing runs yet")
	p.idle = true
	p.settle()
	for _, phase := range []session.Phase{session.Running, session.Lingering} {
		require.Equal(t, phase, p.live().Phase())
		p.core.Tick()
		require.True(t, p.core.ahead(&later, "op-01"), phase)
		require.False(t, p.core.ahead(&earlier, "op-01"), phase)
		require.False(t, p.core.ahead(&later, "op-77"), phase)
		p.idle = false
		p.settle()
	}
	p.core.caught["op-01"] = p.now.Add(time.Minute)
	p.core.Tick()
	require.False(t, p.core.ahead(&later, "op-01"))
	delete(p.core.caught, "op-01")
	p.live().Stop(types.ErrAlreadyDecided)
	p.core.Tick()
	require.False(t, p.core.ahead(&later, "op-01"), "the request is decided")
}

// TestWhyItLeft: who leaves because somebody lied is in doubt like all others of the
// session; who leaves for another reason has to say for whom.
func TestWhyItLeft(t *testing.T) {
	for _, tt := range []struct {
		reason types.Reason
		doubt  bool
	}{{types.ErrProtocolFault, true}, {types.ErrBroadcastDiffer, true}, {types.ErrStalled, false}, {types.ErrInterrupted, false}} {
		p := newPartner(t)
		p.idle = true
		p.settle()
		p.core.blame(p.live(), session.End{Reason: types.ErrAborted, Left: "op-01", LeftFor: tt.reason}, p.now)
		require.Equal(t, tt.doubt, p.core.doubts["op-01"].count == 1, tt.reason)
		require.Equal(t, tt.doubt, len(p.core.spoilers[p.request.ID]) == 1, tt.reason)
		require.Equal(t, !tt.doubt, p.core.left["op-01"].until.After(p.now), tt.reason)
		require.Equal(t, 1, p.core.suspicion("op-01"))
		require.Empty(t, p.core.Results().Accusations)
	}
}
