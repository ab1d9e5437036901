package mpcnode

import (
	"sync"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// activitySize is how many events are remembered: those of 20 signing sessions
// (an opening, nine rounds, an end), 200 bytes each.
const activitySize = 256

// What happened in an ActivityEvent.
const (
	ActivityOpened = "opened"
	ActivityRound  = "round"
	ActivityEnded  = "ended"
)

// ActivityEvent is one thing that a session of this node did.
type ActivityEvent struct {
	// Number counts all events of this run of the node, from 1.
	Number uint64    `json:"number"`
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	Kind   string    `json:"kind"`
	// Request and Session say of which.
	Request string `json:"request"`
	Session string `json:"session"`
	// Round that was done; 0 otherwise.
	Round uint32 `json:"round,omitempty"`
	// Seconds that the round or session took.
	Seconds float64 `json:"seconds,omitempty"`
	// Reason of an end other than success.
	Reason string `json:"reason,omitempty"`
}

// ActivityReport lists the newest events, oldest first.
type ActivityReport struct {
	Events []ActivityEvent `json:"events"`
}

// activity remembers the newest events, for people who watch.
type activity struct {
	now func() time.Time

	mu     sync.Mutex
	number uint64
	events []ActivityEvent // a ring, once it is full
}

func newActivity() *activity { return &activity{now: time.Now} }

func (a *activity) add(e ActivityEvent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.number++
	e.Number, e.At = a.number, a.now()
	if len(a.events) < activitySize {
		a.events = append(a.events, e)
		return
	}
	a.events[(a.number-1)%activitySize] = e
}

// since lists the events after a number.
func (a *activity) since(number uint64) ActivityReport {
	a.mu.Lock()
	defer a.mu.Unlock()
	report := ActivityReport{Events: []ActivityEvent{}}
	for n := max(number, a.number-uint64(len(a.events))); n < a.number; n++ {
		report.Events = append(report.Events, a.events[n%activitySize])
	}
	return report
}

// observer tells metrics and activity what the engine does.
type observer struct {
	engineMetrics
	activity *activity
}

var _ mpc.Observer = observer{}

// SessionOpened implements mpc.Observer.
func (o observer) SessionOpened(request types.RequestID, session types.SessionID) {
	o.engineMetrics.SessionOpened(request, session)
	o.activity.add(eventOf(ActivityOpened, request, session))
}

// SessionEnded implements mpc.Observer.
func (o observer) SessionEnded(end mpc.SessionEnd) {
	o.engineMetrics.SessionEnded(end)
	e := eventOf(ActivityEnded, end.Request, end.Session)
	e.Seconds, e.Reason = end.Took.Seconds(), string(end.Reason)
	o.activity.add(e)
}

// RoundDone implements mpc.Observer.
func (o observer) RoundDone(request types.RequestID, session types.SessionID, round uint32, took time.Duration) {
	o.engineMetrics.RoundDone(request, session, round, took)
	e := eventOf(ActivityRound, request, session)
	e.Round, e.Seconds = round, took.Seconds()
	o.activity.add(e)
}

func eventOf(what string, request types.RequestID, session types.SessionID) ActivityEvent {
	return ActivityEvent{What: what, Kind: request.Kind.String(), Request: request.ID, Session: session.String()}
}
