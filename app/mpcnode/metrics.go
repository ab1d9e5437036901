package mpcnode

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Names of all metrics begin with sequencer_mpc_.
const (
	metricsNamespace = "sequencer"
	metricsSubsystem = "mpc"
	// outcomeOK labels what ended well; everything else has its typed reason.
	outcomeOK = "ok"
	// placeEngine labels what the engine dropped.
	placeEngine = "engine"
)

// Buckets. An attempt takes from tens of milliseconds (a signature of two) to
// minutes (a keygen of 64), a round a fraction of that.
var (
	attemptBuckets = prometheus.ExponentialBuckets(0.05, 2, 14) // 50 ms to 7 min
	roundBuckets   = prometheus.ExponentialBuckets(0.005, 2, 15)
	blockBuckets   = []float64{1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100, 300, 600}
)

// metrics counts what engine and reactor tell, and adds at each scrape what the
// engine's last status says. It is the reactor's Metrics, a
// prometheus.Collector and, as engineMetrics, the engine's Observer.
type metrics struct {
	opened    *prometheus.CounterVec
	ended     *prometheus.CounterVec
	attempts  *prometheus.HistogramVec
	rounds    *prometheus.HistogramVec
	dropped   *prometheus.CounterVec
	waiting   *prometheus.GaugeVec
	bytes     *prometheus.CounterVec
	peers     prometheus.Gauge
	reachable prometheus.Gauge
	presigned *prometheus.CounterVec
	decided   *prometheus.HistogramVec
	lag       prometheus.Histogram
	reconcile prometheus.Histogram
	hooks     *prometheus.CounterVec
	unshared  *prometheus.CounterVec

	collectors []prometheus.Collector
	status     *statusCollector
	// open are the requests of the last view, by the height of their commit.
	// Only the engine's loop touches it.
	open map[types.RequestID]int64
}

var (
	_ mpc.Observer         = engineMetrics{}
	_ p2p.Metrics          = (*metrics)(nil)
	_ prometheus.Collector = (*metrics)(nil)
)

// newMetrics makes the metrics of a node of a chain.
func newMetrics(chainID string) *metrics {
	f := metricFactory{prometheus.Labels{"chain_id": chainID}}
	m := &metrics{
		opened:    f.counter("sessions_opened_total", "Sessions opened or joined.", "kind"),
		ended:     f.counter("sessions_ended_total", "Sessions ended, by outcome: ok or a reason.", "kind", "outcome"),
		attempts:  f.histogram("session_seconds", "Time from opening a session to its end.", attemptBuckets, "kind", "outcome"),
		rounds:    f.histogram("round_seconds", "Time of a round.", roundBuckets, "kind", "round"),
		dropped:   f.counter("dropped_total", "Messages dropped, by place (engine, in, out) and reason.", "place", "reason"),
		waiting:   f.gauge("channel_messages", "Messages that wait on the channel.", "direction"),
		bytes:     f.counter("channel_bytes_total", "Bytes of messages on the channel.", "direction", "type"),
		peers:     f.gauge("channel_peers", "Peers that have the MPC channel.").WithLabelValues(),
		reachable: f.gauge("channel_operators", "Participants that can be reached.").WithLabelValues(),
		presigned: f.counter("presignatures_ended_total", "Presignatures that were ready, and were used, outcome ok, or discarded, by reason: that of the signer that left, where one did.", "outcome"),
		decided: f.histogram("request_blocks", "Blocks from a request's commit to its decision, by outcome: ok or a reason.",
			blockBuckets, "kind", "outcome"),
		lag:       f.single("reconcile_lag_blocks", "Blocks seen at once by the engine; 1 is no lag.", blockBuckets),
		reconcile: f.single("reconcile_seconds", "Time to compare committed state with what runs.", roundBuckets),
		hooks:     f.counter("hooks_failed_total", "Calls of modules' hooks that failed and were rolled back, in blocks that this node executed within an hour of their time."),
		unshared:  f.counter("keys_not_reshared_total", "Times that the chain told that a key needs a reshare and gets none by itself, by reason, in blocks that this node executed within an hour of their time.", "reason"),
		status:    newStatusCollector(f),
		open:      make(map[types.RequestID]int64),
	}
	m.begin()
	m.collectors = []prometheus.Collector{
		m.opened, m.ended, m.attempts, m.rounds, m.dropped, m.waiting, m.bytes, m.peers, m.reachable,
		m.presigned, m.decided, m.lag, m.reconcile, m.hooks, m.unshared, m.status,
	}
	return m
}

// begin makes the counters that alerts look for an event in, as 0: one that began to exist
// with its first event would hide it from increase().
func (m *metrics) begin() {
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign, types.KindReshare, types.KindPresign} {
		for _, outcome := range []types.Reason{
			types.ErrIdentityShared, types.ErrStorage, types.ErrWriteRefused, types.ErrProtocolFault, types.ErrBroadcastDiffer,
		} {
			m.ended.WithLabelValues(kind.String(), string(outcome))
		}
		if kind != types.KindPresign {
			m.decided.WithLabelValues(kind.String(), outcomeOK)
			m.decided.WithLabelValues(kind.String(), string(types.ErrExpired))
		}
	}
	for _, reason := range []types.Reason{
		p2p.FaultShape, p2p.FaultSignature, p2p.FaultResult, p2p.FaultPeerID, p2p.FaultFlood, p2p.FaultPanic,
	} {
		m.dropped.WithLabelValues(string(p2p.In), string(reason))
	}
	m.dropped.WithLabelValues(placeEngine, string(types.ErrBadResult))
	m.dropped.WithLabelValues(placeEngine, string(types.ErrPanic))
	m.hooks.WithLabelValues()
	for _, reason := range append(mpcmodule.EndangeredReasons(), reasonUnknown) {
		m.unshared.WithLabelValues(string(reason))
	}
}

// hooksFailed counts those of a block.
func (m *metrics) hooksFailed(failed int) { m.hooks.WithLabelValues().Add(float64(failed)) }

// keyNotReshared counts one time that the chain told of a key.
func (m *metrics) keyNotReshared(reason types.Reason) {
	m.unshared.WithLabelValues(string(reason)).Inc()
}

// watch says whose status is served; before it there is none.
func (m *metrics) watch(s *engineState, w *shareWatch) {
	m.status.shares.Store(w)
	m.status.engine.Store(s)
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.collectors {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.collectors {
		c.Collect(ch)
	}
}

// SessionOpened implements mpc.Observer.
func (m *metrics) SessionOpened(request types.RequestID, _ types.SessionID) {
	m.opened.WithLabelValues(request.Kind.String()).Inc()
}

// SessionEnded implements mpc.Observer.
func (m *metrics) SessionEnded(end mpc.SessionEnd) {
	outcome := outcomeLabel(end.Reason)
	kind := end.Request.Kind.String()
	m.ended.WithLabelValues(kind, outcome).Inc()
	switch {
	case end.Presigned: // it may have waited for an hour
		if end.LeftFor != "" { // all signers but one hear why from that one
			outcome = outcomeLabel(end.LeftFor)
		}
		m.presigned.WithLabelValues(outcome).Inc()
	case end.Request.Kind != types.KindPresign: // one that was not made is no presignature, and nobody waited for it
		m.attempts.WithLabelValues(kind, outcome).Observe(end.Took.Seconds())
	}
	m.status.ended.Add(uint64(end.Resent))
}

// RoundDone implements mpc.Observer.
func (m *metrics) RoundDone(request types.RequestID, _ types.SessionID, round uint32, took time.Duration) {
	m.rounds.WithLabelValues(request.Kind.String(), strconv.FormatUint(uint64(round), 10)).Observe(took.Seconds())
}

// Reconciled implements mpc.Observer.
func (m *metrics) Reconciled(blocks int64, took time.Duration) {
	m.lag.Observe(float64(blocks))
	m.reconcile.Observe(took.Seconds())
}

// observeView measures how many blocks requests took to be decided, and how. One that is
// not open and not decided either is at work still, such as a reshare whose shares are
// tested; one that the chain does not know, or decided before it saw it here, went with a
// rollback. One that came and went between two views is not counted: to find those, the
// engine would read all blocks that it left out because it was too busy. It is called on the
// engine's loop.
func (m *metrics) observeView(v *mpc.View, ended outcomes) {
	open := make(map[types.RequestID]int64, len(v.Requests))
	for i := range v.Requests {
		open[v.Requests[i].ID] = v.Requests[i].Height
	}
	for id, height := range m.open {
		if _, still := open[id]; still {
			continue
		}
		o, known := ended(id)
		switch {
		case !known:
		case o.Height == 0:
			open[id] = height
		case o.Height >= height:
			m.decided.WithLabelValues(id.Kind.String(), outcomeLabel(o.Reason)).Observe(float64(o.Height - height))
		}
	}
	m.open = open
}

// outcomeLabel is the typed reason of a failure.
func outcomeLabel(reason types.Reason) string {
	if reason == "" {
		return outcomeOK
	}
	return string(reason)
}

// engineMetrics is what the engine sees of metrics: both interfaces have a
// method Dropped.
type engineMetrics struct{ *metrics }

// Dropped implements mpc.Observer.
func (m engineMetrics) Dropped(reason types.Reason) {
	m.dropped.WithLabelValues(placeEngine, string(reason)).Inc()
}

// Dropped implements p2p.Metrics.
func (m *metrics) Dropped(way p2p.Way, reason types.Reason) {
	m.dropped.WithLabelValues(string(way), string(reason)).Inc()
}

// Queued implements p2p.Metrics.
func (m *metrics) Queued(way p2p.Way, messages int) {
	m.waiting.WithLabelValues(string(way)).Set(float64(messages))
}

// Peers implements p2p.Metrics.
func (m *metrics) Peers(peers, operators int) {
	m.peers.Set(float64(peers))
	m.reachable.Set(float64(operators))
}

// Bytes implements p2p.Metrics.
func (m *metrics) Bytes(way p2p.Way, kind string, bytes int) {
	m.bytes.WithLabelValues(string(way), kind).Add(float64(bytes))
}

// metricFactory makes metrics with the labels that all of them have.
type metricFactory struct{ labels prometheus.Labels }

func (f metricFactory) opts(name, help string) prometheus.Opts {
	return prometheus.Opts{
		Namespace: metricsNamespace, Subsystem: metricsSubsystem, Name: name, Help: help, ConstLabels: f.labels,
	}
}

func (f metricFactory) counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts(f.opts(name, help)), labels)
}

func (f metricFactory) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts(f.opts(name, help)), labels)
}

func (f metricFactory) histogramOpts(name, help string, buckets []float64) prometheus.HistogramOpts {
	o := f.opts(name, help)
	return prometheus.HistogramOpts{
		Namespace: o.Namespace, Subsystem: o.Subsystem, Name: name, Help: help, ConstLabels: f.labels, Buckets: buckets,
	}
}

func (f metricFactory) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(f.histogramOpts(name, help, buckets), labels)
}

func (f metricFactory) single(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(f.histogramOpts(name, help, buckets))
}

func (f metricFactory) desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(metricsNamespace, metricsSubsystem, name), help, labels, f.labels)
}
