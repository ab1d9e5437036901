package mpcnode

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// statusCollector serves what the engine's last status says at each scrape.
type statusCollector struct {
	engine atomic.Pointer[engineState]
	shares atomic.Pointer[shareWatch]
	// ended counts what sessions that are over sent again, told at their end.
	ended atomic.Uint64

	up, registered, height, catchingUp   *prometheus.Desc
	requests, results, preparams, queued *prometheus.Desc
	sessions, records, unknown, resent   *prometheus.Desc
	withheld, warnings                   *prometheus.Desc
	lost, missing, endangered            *prometheus.Desc
	outdated, clockAhead, auditFailing   *prometheus.Desc
	presignatures, primes                *prometheus.Desc
}

func newStatusCollector(f metricFactory) *statusCollector {
	return &statusCollector{
		up:            f.desc("engine_up", "1 while the engine runs."),
		registered:    f.desc("registered", "1 while an identity of this node is registered on chain."),
		outdated:      f.desc("identity_outdated", "1 while the chain goes by an identity whose key this node does not have; it takes no part in new requests then."),
		height:        f.desc("height", "Height of the committed state that the engine works on."),
		catchingUp:    f.desc("catching_up", "1 while the node is behind the chain; nothing is started then."),
		clockAhead:    f.desc("clock_ahead_seconds", "How far this node's clock seems ahead of the chain's, if that is why it takes itself to be behind."),
		requests:      f.desc("requests_open", "Open requests on chain."),
		results:       f.desc("results_waiting", "Results that wait for a proposer."),
		preparams:     f.desc("preparams", "Unused sets of keygen pre-parameters."),
		primes:        f.desc("preparams_primes", "Safe primes of the next set of pre-parameters: found, and needed for it; 0 of 0 while none is looked for.", "state"),
		queued:        f.desc("engine_queue", "Steps that wait for a worker, and inputs that wait for the loop.", "queue"),
		sessions:      f.desc("sessions", "Sessions in memory.", "kind", "phase"),
		records:       f.desc("records", "Records in the store.", "status"),
		unknown:       f.desc("keys_unknown", "Keys in the store that the chain does not know."),
		withheld:      f.desc("records_withheld", "Shares that are kept though the chain has no use for them now.", "why"),
		warnings:      f.desc("warnings", types.ForProgram("What was found to be wrong since the start: sequencerd mpc status.")),
		lost:          f.desc("database_missing", "1 on a node that takes no part because its database, its identity or both are gone or damaged."),
		auditFailing:  f.desc("audit_failing", "1 while the audit log cannot be written or brought to disk."),
		missing:       f.desc("shares_missing", "Keys on chain of which this node should have a share and has none that fits.", "share"),
		endangered:    f.desc("keys_endangered", "READY keys of this participant of which some participants have no share or revoked their identity, so that t+1 can sign or fewer."),
		presignatures: f.desc("presignatures", "Presignatures in memory: ready for requests that this node leads, of which as many are wanted at most; parked here whoever owns them; being made.", "state"),
		resent:        f.desc("resent_total", "Envelopes that were sent again."),
	}
}

// Describe implements prometheus.Collector.
func (c *statusCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.up, c.registered, c.height, c.catchingUp, c.requests, c.results, c.preparams, c.primes, c.queued,
		c.sessions, c.records, c.unknown, c.withheld, c.warnings, c.resent, c.lost, c.missing, c.endangered, c.outdated, c.clockAhead, c.auditFailing, c.presignatures,
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
	gauge(c.outdated, oneIf(s.IdentityOutdated != 0))
	gauge(c.height, float64(s.Height))
	gauge(c.catchingUp, oneIf(s.CatchingUp))
	gauge(c.clockAhead, s.ClockAhead.Seconds())
	gauge(c.requests, float64(s.OpenRequests))
	gauge(c.results, float64(s.Results))
	gauge(c.preparams, float64(s.Preparams))
	search := state.refill.progress()
	gauge(c.primes, float64(search.Found), "found")
	gauge(c.primes, float64(search.Needed), "needed")
	gauge(c.unknown, float64(len(s.Unknown)))
	gauge(c.warnings, float64(len(state.warned())))
	for why, n := range countWithheld(s.Withheld) {
		gauge(c.withheld, float64(n), string(why))
	}
	gauge(c.lost, oneIf(state.problem() != nil))
	gauge(c.auditFailing, oneIf(state.auditProblem() != ""))
	gauge(c.endangered, float64(c.shares.Load().endangered()))
	for what, n := range countMissing(c.shares.Load().found()) {
		gauge(c.missing, float64(n), what)
	}
	for state, n := range countPresignatures(s.Presignatures) {
		gauge(c.presignatures, float64(n), state)
	}
	gauge(c.presignatures, float64(c.shares.Load().presignsWanted()), "wanted")
	for label, n := range countSessions(s) {
		gauge(c.sessions, float64(n), label[0], label[1])
	}
	for status, n := range countRecords(s) {
		gauge(c.records, float64(n), status)
	}
	ch <- prometheus.MustNewConstMetric(c.resent, prometheus.CounterValue, float64(c.resentTotal(s)))
}

// resentTotal is the truth as far as it is known: the status counts live sessions
// too but is half a second old, and none is made of an engine's last moments; of
// ended sessions everything is known at once. Neither ever goes back or says too
// much, so the greater one counts.
func (c *statusCollector) resentTotal(s mpc.Status) uint64 { return max(s.Resent, c.ended.Load()) }

// countSessions counts sessions by kind and phase, those that there are none of too.
func countSessions(s mpc.Status) map[[2]string]int {
	n := make(map[[2]string]int)
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign, types.KindReshare, types.KindPresign} {
		for phase := session.Preparing; phase < session.Ended; phase++ {
			if phase != session.Parked || kind == types.KindPresign { // nothing else waits so
				n[[2]string{kind.String(), phase.String()}] = 0
			}
		}
	}
	for _, running := range s.Sessions {
		n[[2]string{running.Request.Kind.String(), running.Phase.String()}]++
	}
	return n
}

// countPresignatures counts those of all keys.
func countPresignatures(all []mpc.PresignStatus) map[string]int {
	n := map[string]int{"ready": 0, "parked": 0, "building": 0}
	for _, s := range all {
		n["ready"] += s.Ready
		n["parked"] += s.Parked
		n["building"] += s.Building
	}
	return n
}

// countMissing counts shares by how they are missing, those that are not too.
func countMissing(all []MissingShare) map[string]int {
	n := map[string]int{ShareMissing: 0, ShareBehind: 0}
	for _, m := range all {
		n[m.What]++
	}
	return n
}

// countWithheld counts shares by why they are kept, reasons that there are none for too.
func countWithheld(all []mpc.Withheld) map[mpc.Withholding]int {
	n := map[mpc.Withholding]int{
		mpc.WithheldForeign: 0, mpc.WithheldUnasked: 0, mpc.WithheldUncommitted: 0, mpc.WithheldPrevious: 0,
		mpc.WithheldEarlier: 0, mpc.WithheldNext: 0,
	}
	for _, w := range all {
		n[w.Why]++
	}
	return n
}

// countRecords counts records by status, those that there are none of too.
func countRecords(s mpc.Status) map[string]int {
	n := map[string]int{types.StatusPending.String(): 0, types.StatusReady.String(): 0, types.StatusError.String(): 0}
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
