package mpcnode

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
)

// InspectReport is what is known of a request or session: what the chain says, which
// outlives restarts, and what this node saw since it was started.
type InspectReport struct {
	ID string `json:"id"`
	// Outcomes are the chain's, of the requests with the id; none if it is a session's that
	// nobody here remembers.
	Outcomes []OutcomeReport `json:"outcomes"`
	// Sessions of this node, the oldest first.
	Sessions []TimelineReport `json:"sessions"`
	// Notes say why this node did not serve the request for a while.
	Notes []NoteReport `json:"notes"`
	// Strangers are this node's peers without the MPC channel, where somebody was waited
	// for in vain: who is behind one of them is not reached.
	Strangers []p2p.Stranger `json:"strangers,omitempty"`
	// Problem is why something of it could not be found out.
	Problem string `json:"problem,omitempty"`
	// Operator is this node's.
	Operator string `json:"operator,omitempty"`
}

// TimelineReport is what a session of this node did.
type TimelineReport struct {
	Session string `json:"session"`
	Context string `json:"context,omitempty"`
	Kind    string `json:"kind"`
	Request string `json:"request"`
	KeyID   string `json:"key_id"`
	Attempt uint32 `json:"attempt"`
	Leader  string `json:"leader"`
	// Presigned: what was computed ahead of the request was used.
	Presigned bool `json:"presigned,omitempty"`
	// Candidates are the members, and why they became signers or not; none before.
	Candidates []CandidateReport `json:"candidates,omitempty"`
	Steps      []StepReport      `json:"steps"`
	// Sent and received envelopes and bytes, resends included; Resent are envelopes.
	Sent          uint64 `json:"sent"`
	SentBytes     uint64 `json:"sent_bytes"`
	Received      uint64 `json:"received"`
	ReceivedBytes uint64 `json:"received_bytes"`
	Resent        int    `json:"resent"`
	// Opened and Ended are by this node's clock; no Ended: it runs.
	Opened time.Time  `json:"opened"`
	Ended  *time.Time `json:"ended,omitempty"`
	// Reason of its end, with what to do; empty: it did what it was for.
	Reason   string   `json:"reason,omitempty"`
	Remedy   string   `json:"remedy,omitempty"`
	Culprits []string `json:"culprits,omitempty"`
	// LeftBy left the session, for its own reason LeftFor.
	LeftBy  string `json:"left_by,omitempty"`
	LeftFor string `json:"left_for,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// CandidateReport is a member of a request when the signers were chosen.
type CandidateReport struct {
	Operator string `json:"operator"`
	Signer   bool   `json:"signer"`
	// Why is in words.
	Why string `json:"why"`
	// Suspicion is the leader's, if this node led: 0 is best.
	Suspicion int `json:"suspicion,omitempty"`
}

// StepReport is a phase of a session, or a round.
type StepReport struct {
	Phase  string `json:"phase"`
	Round  uint32 `json:"round,omitempty"`
	Rounds int    `json:"rounds,omitempty"`
	// Began is by this node's clock; the others are seconds.
	Began    time.Time    `json:"began"`
	Took     float64      `json:"took_seconds"`
	Computed float64      `json:"computed_seconds"`
	Waits    []WaitReport `json:"waits,omitempty"`
}

// WaitReport is how long a member was waited for.
type WaitReport struct {
	Operator string  `json:"operator"`
	Seconds  float64 `json:"seconds"`
}

// NoteReport is why this node did not serve a request for a while.
type NoteReport struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	Reason string    `json:"reason"`
	Remedy string    `json:"remedy"`
	Leader string    `json:"leader,omitempty"`
}

// historian remembers. mpc.Engine is one.
type historian interface {
	History(ctx context.Context, id string) (mpc.History, error)
	Status() mpc.Status
}

// inspector answers what became of something.
type inspector struct {
	chain  chainQueries
	engine historian
	peers  interface{ Strangers() []p2p.Stranger }
}

// engineAnswers is how long the engine's loop may take to answer: it is busy for
// milliseconds.
const engineAnswers = 2 * time.Second

// maxNameBytes of a request or session: sessions are 32 bytes in hex.
const maxNameBytes = 2 * len(types.Hash{})

// ServeHTTP answers with an InspectReport: ?id=ID.
func (x *inspector) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	id := req.FormValue("id")
	if id == "" || len(id) > max(types.MaxIDBytes, maxNameBytes) {
		http.Error(w, "give the id of a request or session", http.StatusBadRequest)
		return
	}
	writeJSON(w, x.inspect(req.Context(), id))
}

func (x *inspector) inspect(ctx context.Context, id string) InspectReport {
	r := InspectReport{ID: id, Outcomes: []OutcomeReport{}, Sessions: []TimelineReport{}, Notes: []NoteReport{}}
	r.Operator = string(x.engine.Status().Operator)
	asked, cancel := context.WithTimeout(ctx, engineAnswers)
	defer cancel()
	history, err := x.engine.History(asked, id)
	if err != nil {
		err = errors.New(types.ForProgram("the engine does not answer; what this node saw is not known: sequencerd mpc doctor"))
	}
	for i := range history.Sessions {
		r.Sessions = append(r.Sessions, timeline(&history.Sessions[i]))
	}
	for _, n := range history.Notes {
		r.Notes = append(r.Notes, NoteReport{n.At, n.What, string(n.Reason), n.Reason.Remedy(), string(n.Of)})
	}
	asks := id
	if len(history.Sessions) > 0 {
		asks = history.Sessions[0].Request.ID // it may be a session that was named
	}
	outcomes, failed := x.chain.outcomes(ctx, asks)
	r.Outcomes = append(r.Outcomes, outcomes...)
	if err = errors.Join(err, failed); err != nil {
		r.Problem = types.ForProgram(err.Error())
	}
	if r.inVain() {
		r.Strangers = x.peers.Strangers()
	}
	return r
}

// inVain: a request waits for somebody, or did until its end.
func (r *InspectReport) inVain() bool {
	return slices.ContainsFunc(r.Outcomes, func(o OutcomeReport) bool {
		return o.open() || o.Reason == string(types.ErrExpired)
	}) || slices.ContainsFunc(r.Sessions, func(t TimelineReport) bool { return t.Reason == string(types.ErrStalled) })
}

func timeline(s *mpc.SessionHistory) TimelineReport {
	t := TimelineReport{
		Session: s.ID.String(), Kind: s.Request.Kind.String(), Request: s.Request.ID, KeyID: string(s.KeyID), Attempt: s.Attempt,
		Leader: string(s.Leader), Presigned: s.Presigned, Sent: s.Traffic.Sent, SentBytes: s.Traffic.SentBytes,
		Received: s.Traffic.Received, ReceivedBytes: s.Traffic.ReceivedBytes, Resent: s.Resent, Opened: s.Opened,
		Reason: string(s.Reason), Remedy: s.Reason.Remedy(), LeftBy: string(s.Left), LeftFor: string(s.LeftFor), Detail: s.Detail,
	}
	if !s.Context.IsZero() {
		t.Context = s.Context.String()
	}
	if !s.Ended.IsZero() {
		t.Ended = &s.Ended
	}
	for _, op := range s.Culprits {
		t.Culprits = append(t.Culprits, string(op))
	}
	for _, c := range s.Candidates {
		t.Candidates = append(t.Candidates, CandidateReport{string(c.Operator), c.Signer, whyChosen(c), c.Suspicion})
	}
	for i := range s.Steps {
		t.Steps = append(t.Steps, step(&s.Steps[i]))
	}
	return t
}

func step(s *mpc.HistoryStep) StepReport {
	r := StepReport{
		Phase: s.Phase.String(), Round: s.Round, Rounds: s.Rounds, Began: s.Began, Took: s.Took.Seconds(), Computed: s.Computed.Seconds(),
	}
	for _, w := range s.Waits {
		r.Waits = append(r.Waits, WaitReport{string(w.Operator), w.Took.Seconds()})
	}
	return r
}

// whyChosen says in words why a member became a signer, or not.
func whyChosen(c session.Candidate) string {
	switch {
	case c.Leader:
		return "it leads"
	case c.Refused != "":
		return "it refused: " + string(c.Refused)
	case c.Shunned:
		return "the leader does without it: it kept an attempt from its end, or lied"
	case c.Ready == 0:
		return "it had not said that it is ready"
	case c.Signer:
		return "it was ready"
	case c.Suspicion > 0:
		return "it was ready, and others are less suspected"
	}
	return "it was ready, and enough others were before it"
}

// Inspect asks what is known of a request or session.
func (c *Client) Inspect(ctx context.Context, id string) (InspectReport, error) {
	return ask[InspectReport](ctx, c, pathInspect+"?"+urlQuery("id", id))
}
