package session

import (
	"crypto/ecdh"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Phase is where a session stands.
type Phase uint8

// The phases, in order.
const (
	// Preparing: the initiator collects Readys.
	Preparing Phase = iota + 1
	// Waiting: said Ready, waits for the Start.
	Waiting
	// Running: the rounds.
	Running
	// Parked: a presignature is ready, and waits for a request.
	Parked
	// Lingering: has its result, still tells the others what they may lack.
	Lingering
	// Ended: out of service.
	Ended
)

// String is the name that logs and commands show.
func (p Phase) String() string {
	switch p {
	case Preparing:
		return "preparing"
	case Waiting:
		return "waiting"
	case Running:
		return "running"
	case Parked:
		return "parked"
	case Lingering:
		return "lingering"
	}
	return "ended"
}

// Session is one run of a protocol for one attempt at a request, seen from one
// member. It is a state machine: it is driven by HandleEnvelope, HandleStep
// and Tick, all on one goroutine, and acts through its Host.
type Session struct {
	cfg       Config
	id        types.SessionID
	initiator types.Operator
	phase     Phase
	opened    time.Time
	ephemeral *ecdh.PrivateKey
	prepare   types.Verified

	// Before the Start: what the members said (initiator), or what we said.
	readys   map[types.Operator]types.Verified
	order    []types.Operator // of arrival
	deals    map[types.Operator]bool
	refusals map[types.Operator]types.Reason
	// restarted is when a member was sent the Start anew.
	restarted map[types.Operator]time.Time
	outdated  map[types.Operator]bool // see onOutdated
	ready     types.Verified

	// From the Start on.
	context  types.Context
	start    types.Verified
	signers  []types.Operator
	dealers  []types.Operator
	links    map[types.Operator]*link
	rounds   []Round
	party    owned
	task     *task // queued or running
	round    uint32
	since    time.Time // of the round; before the Start, since when it waits
	held     time.Time // is when all of a round was here that is for this node
	inbox    inbox
	progress time.Time
	courier  courier
	// asked is when Missing was last said, asking how often.
	asked  time.Time
	asking uint32
	// charged is when the last tick was, worked for how long this node computed.
	charged time.Time
	worked  time.Duration
	// aborted is what was said on leaving early, by the name that it is said under.
	aborted map[types.Hash]*wire.Envelope
	peers   map[types.Operator]*peer

	// candidates and traffic are for people.
	candidates []Candidate
	traffic    *Traffic

	parking  parking
	sequence uint64
	outbox   outbox
	result   bool
	lastSaid time.Time // Working
	said     uint32
}

// peer is what this session knows of another signer.
type peer struct {
	// started: it has sent something under the session's context.
	started bool
	// holds is the last round of which it has everything that is for it.
	holds uint32
	// passed is the last round of which it has everybody's Confirm.
	passed uint32
	// working is when it last said so, in wall time, and how often.
	working  time.Time
	workings uint32
	// count is the last one that a Working carried.
	count uint32
	// fed is when something new of it came, of the round that this node is in.
	fed time.Time
	// noticed: it said that it parked. parked: it has its part of the presignature still.
	// answered is when it was last told that so has this node, doubted for how long in all it
	// did not answer.
	noticed, parked bool
	answered        time.Time
	doubted         time.Duration
	// probed is when it was asked whether it has, or, while asking, when it is to be asked;
	// question names the Parked by which it was.
	probed   time.Time
	asking   bool
	question types.Hash
	account
}

// ID names the session before its Start and its record in the store.
func (s *Session) ID() types.SessionID { return s.id }

// Context is the session's real name; zero before the Start.
func (s *Session) Context() types.Context { return s.context }

// Request is what the session is for.
func (s *Session) Request() *types.Request { return &s.cfg.Request }

// Deals says whether this node deals its share anew in a reshare.
func (s *Session) Deals() bool { return slices.Contains(s.dealers, s.cfg.Self) }

// Attempt is the attempt at the request.
func (s *Session) Attempt() uint32 { return s.cfg.Attempt }

// Start is the one that this node took, or that released it; nil before it. Who
// still forwards another one shows that there are two.
func (s *Session) Start() *wire.Envelope { return s.start.Envelope() }

// Phase is where it stands.
func (s *Session) Phase() Phase { return s.phase }

// Round is the round that it collects, counted from 1; 0 before the first, one
// more than there are after the last.
func (s *Session) Round() uint32 { return s.round }

// Rounds is how many rounds there are; 0 before the Start.
func (s *Session) Rounds() int { return len(s.rounds) }

// Signers are the members that its Start names; nil before it.
func (s *Session) Signers() []types.Operator { return slices.Clone(s.signers) }

// Initiator opened it.
func (s *Session) Initiator() types.Operator { return s.initiator }

// Opened is when it was opened here.
func (s *Session) Opened() time.Time { return s.opened }

// Resent counts envelopes that went out again.
func (s *Session) Resent() int { return s.outbox.resent }

// LastProgress is when it last came nearer to its end.
func (s *Session) LastProgress() time.Time { return s.progress }

// HandleEnvelope takes a verified envelope that was routed here by session id
// or context.
func (s *Session) HandleEnvelope(v types.Verified, now time.Time) {
	if s.phase == Ended {
		return
	}
	h := v.Header()
	member, ok := s.cfg.Request.Member(v.From())
	if !ok || v.From() == s.cfg.Self || v.Request() != s.cfg.Request.ID {
		return
	}
	s.received(v.Envelope())
	if member.IdentityVersion != h.IdentityVersion {
		s.onOutdated(v, now)
		return
	}
	switch h.Kind {
	case wire.KIND_READY:
		s.onReady(v, now)
	case wire.KIND_REFUSE:
		s.onRefuse(v, now)
	case wire.KIND_START:
		s.onStart(v, now)
	case wire.KIND_ROUND:
		s.onRound(v, now)
	case wire.KIND_CONFIRM:
		s.onConfirm(v, now)
	case wire.KIND_WORKING:
		s.onWorking(v, now)
	case wire.KIND_MISSING:
		s.onMissing(v, now)
	case wire.KIND_FORWARD:
		s.onForward(v, now)
	case wire.KIND_DISPUTE:
		s.onDispute(v, now)
	case wire.KIND_ABORT:
		s.onAbort(v)
	case wire.KIND_PARKED:
		s.onParked(v, now)
	}
}

// Tick sends what is due and watches the clock.
func (s *Session) Tick(now time.Time) {
	switch s.phase {
	case Preparing:
		s.tickPreparing(now)
	case Waiting:
		if now.Sub(s.since) >= s.cfg.Request.StartTimeout {
			s.end(End{Reason: types.ErrStartTimeout, Culprits: []types.Operator{s.initiator}})
		}
	case Running:
		s.tickRunning(now)
	case Parked:
		s.tickParked(now)
	}
	if s.phase != Ended {
		s.outbox.flush(now)
	}
}

// Reconnected makes everything for a member due that just came back.
func (s *Session) Reconnected(op types.Operator, now time.Time) { s.outbox.hurry(op, now) }

// Convict ends a session in which somebody was proved to have told two members
// different things.
func (s *Session) Convict(e types.Evidence) {
	if s.phase == Ended || !s.Concerns(e) {
		return
	}
	s.end(End{
		Reason: types.ErrBroadcastDiffer, Culprits: []types.Operator{e.Culprit()}, Evidence: &e,
		Err: fmt.Errorf("another member has proof that %s sent two different %s", e.Culprit(), e.What()),
	})
}

// Concerns says whether evidence is of this session: the culprit has something to say in it.
// Others can sign under its name what they like.
func (s *Session) Concerns(e types.Evidence) bool {
	if e.OfStarts() {
		return e.Context() == s.id && e.Culprit() == s.initiator
	}
	return e.Context() == s.context && slices.Contains(s.signers, e.Culprit())
}

// Stop ends the session from outside: the chain decided, the request expired,
// an earlier one needs the memory.
func (s *Session) Stop(reason types.Reason) {
	if s.phase == Ended {
		return
	}
	s.end(End{Reason: reason})
}

func (s *Session) end(e End) {
	if s.phase == Ended {
		return
	}
	s.reportDelays()
	if s.result {
		e = End{} // what it was for is done; whatever came later is no failure
	}
	// It is over even if what it says to the others panics.
	defer s.cfg.Host.End(s, e)
	defer s.release()
	defer func() { s.phase = Ended }()
	s.abort(e)
}

func (s *Session) fail(reason types.Reason, err error) {
	var fault *Fault
	if errors.As(err, &fault) {
		s.end(End{Reason: reason, Culprits: slices.Clone(fault.Culprits), Among: fault.Among, Err: err})
		return
	}
	s.end(End{Reason: reason, Err: err})
}

// reasonOr is the reason that the Host gave, or another if it gave none.
func reasonOr(err error, otherwise types.Reason) types.Reason {
	if reason := types.ReasonOf(err); reason != "" {
		return reason
	}
	return otherwise
}

// envelope signs the next envelope of this session.
func (s *Session) envelope(h wire.Header, body []byte) *wire.Envelope {
	h = s.complete(h)
	s.sequence = h.Sequence
	return types.SignEnvelope(&h, body, s.cfg.Identity)
}

// complete fills in what the headers of this session have in common, and the
// next sequence number.
func (s *Session) complete(h wire.Header) wire.Header {
	member, _ := s.cfg.Request.Member(s.cfg.Self)
	h.ChainId = s.cfg.ChainID
	h.From, h.IdentityVersion = string(s.cfg.Self), member.IdentityVersion
	h.RequestKind, h.RequestId = uint32(s.cfg.Request.ID.Kind), s.cfg.Request.ID.ID
	h.Sequence = s.sequence + 1
	return h
}

func (s *Session) others() []types.Operator {
	return slices.DeleteFunc(slices.Clone(s.signers), func(op types.Operator) bool { return op == s.cfg.Self })
}
