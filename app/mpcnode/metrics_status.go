package mpcnode

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// statusCollector serves what the engine's last status says at each scrape.
type statusCollector struct {
	engine atomic.Pointer[engineState]

	up, registered, height, catchingUp   *prometheus.Desc
	requests, results, preparams, queued *prometheus.Desc
	sessions, records, unknown, resent   *prometheus.Desc

	mu sync.Mutex
	// perSession is how often each live session had resent at the last scrape;
	// total counts on when sessions end.
	perSession map[types.SessionID]int
	total      int
}

func newStatusCollector(f metricFactory) *statusCollector {
	return &statusCollector{
		up:         f.desc("engine_up", "1 while the engine runs."),
		registered: f.desc("registered", "1 while an identity of this node is registered on chain."),
		height:     f.desc("height", "Height of the committed state that the engine works on."),
		catchingUp: f.desc("catching_up", "1 while the node is behind the chain; nothing is started then."),
		requests:   f.desc("requests_open", "Open requests on chain."),
		results:    f.desc("results_waiting", "Results that wait for a proposer."),
		preparams:  f.desc("preparams", "Unused sets of keygen pre-parameters."),
		queued:     f.desc("engine_queue", "Steps that wait for a worker, and inputs that wait for the loop.", "queue"),
		sessions:   f.desc("sessions", "Sessions in memory.", "kind", "phase"),
		records:    f.desc("records", "Records in the store.", "status"),
		unknown:    f.desc("keys_unknown", "Keys in the store that the chain does not know."),
		resent:     f.desc("resent_total", "Envelopes that were sent again."),
		perSession: make(map[types.SessionID]int),
	}
}

// Describe implements prometheus.Collector.
func (c *statusCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.up, c.registered, c.height, c.catchingUp, c.requests, c.results, c.preparams, c.queued,
		c.sessions, c.records, c.unknown, c.resent,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *statusCollector) Collect(ch chan<- prometheus.Metric) {
	state := c.engine.Load()
	if state == nil {
		return
	}
	s := state.engine.Status()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	steps, inputs := state.engine.Queued()
	gauge(c.queued, float64(steps), "steps")
	gauge(c.queued, float64(inputs), "inputs")
	gauge(c.up, oneIf(state.failed() == ""))
	gauge(c.registered, oneIf(s.Operator != ""))
	gauge(c.height, float64(s.Height))
	gauge(c.catchingUp, oneIf(s.CatchingUp))
	gauge(c.requests, float64(s.OpenRequests))
	gauge(c.results, float64(s.Results))
	gauge(c.preparams, float64(s.Preparams))
	gauge(c.unknown, float64(len(s.Unknown)))
	for label, n := range countSessions(s) {
		gauge(c.sessions, float64(n), label[0], label[1])
	}
	for status, n := range countRecords(s) {
		gauge(c.records, float64(n), status)
	}
	ch <- prometheus.MustNewConstMetric(c.resent, prometheus.CounterValue, float64(c.countResent(s)))
}

// countResent adds what was resent since the last scrape. What a session resent
// between the last scrape and its end is not seen; sessions linger, so that is
// little.
func (c *statusCollector) countResent(s mpc.Status) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := make(map[types.SessionID]int, len(s.Sessions))
	for _, session := range s.Sessions {
		now[session.ID] = session.Resent
		c.total += max(0, session.Resent-c.perSession[session.ID])
	}
	c.perSession = now
	return c.total
}

// countSessions counts sessions by kind and phase.
func countSessions(s mpc.Status) map[[2]string]int {
	n := make(map[[2]string]int)
	for _, session := range s.Sessions {
		n[[2]string{session.Request.Kind.String(), session.Phase.String()}]++
	}
	return n
}

// countRecords counts records by status.
func countRecords(s mpc.Status) map[string]int {
	n := make(map[string]int)
	for _, r := range s.Records {
		n[r.Status.String()]++
	}
	return n
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
