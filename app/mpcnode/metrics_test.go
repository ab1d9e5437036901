package mpcnode

import (
	"context"
	"crypto/ed25519"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/memstore"
)

// gather reads all metrics by name.
func gather(t *testing.T, m *metrics) map[string]*dto.MetricFamily {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	require.NoError(t, r.Register(m))
	families, err := r.Gather()
	require.NoError(t, err)
	byName := make(map[string]*dto.MetricFamily)
	for _, f := range families {
		byName[f.GetName()] = f
	}
	return byName
}

func labels(m *dto.Metric) map[string]string {
	out := make(map[string]string)
	for _, l := range m.Label {
		out[l.GetName()] = l.GetValue()
	}
	return out
}

// happened are the counters or histograms of a family that counted something.
func happened(f *dto.MetricFamily) []*dto.Metric {
	return slices.DeleteFunc(slices.Clone(f.Metric), func(m *dto.Metric) bool {
		return m.Counter.GetValue() == 0 && m.Histogram.GetSampleCount() == 0
	})
}

// What alerts look for an event in is there before the first one, or increase() would not
// see that.
func TestAlertedCountersBegin(t *testing.T) {
	text, err := os.ReadFile("../ops/alerts.yml")
	require.NoError(t, err)
	got := gather(t, newMetrics("seq-1"))
	rules := regexp.MustCompile(`increase\((sequencer_mpc_\w+?)(?:_count)?\{(\w+)=~?"([^"]+)"\}\[`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, rules, 7)
	for _, rule := range rules {
		for _, value := range strings.Split(rule[3], "|") {
			require.True(t, slices.ContainsFunc(got[rule[1]].GetMetric(), func(m *dto.Metric) bool { return labels(m)[rule[2]] == value }),
				"%s: nothing has %s %s", rule[1], rule[2], value)
		}
	}
}

func TestMetricsServeWhatIsTold(t *testing.T) {
	m := newMetrics("seq-1")
	o := observer{engineMetrics{m}, newActivity()}
	pay, session := types.RequestID{Kind: types.KindSign, ID: "pay"}, types.SessionID{7}
	o.SessionOpened(pay, session)
	o.SessionEnded(mpc.SessionEnd{Request: pay, Session: session, Took: 2 * time.Second})
	o.SessionEnded(mpc.SessionEnd{Request: pay, Session: session, Reason: types.ErrStalled, Took: time.Second})
	presign := types.RequestID{Kind: types.KindPresign, ID: "key"}
	m.SessionEnded(mpc.SessionEnd{Request: pay, Presigned: true, Took: time.Hour})
	m.SessionEnded(mpc.SessionEnd{Request: presign, Presigned: true, Reason: types.ErrPresignDropped, Took: time.Hour})
	m.SessionEnded(mpc.SessionEnd{Request: presign, Presigned: true, Reason: types.ErrAborted, LeftFor: types.ErrPresignDropped, Took: time.Hour})
	m.SessionEnded(mpc.SessionEnd{Request: presign, Reason: types.ErrReleased, Took: time.Second})
	o.RoundDone(pay, session, 3, time.Second)
	events := o.activity.since(0).Events
	require.Len(t, events, 4)
	for _, e := range events {
		require.Equal(t, []string{"sign", "pay", session.String()}, []string{e.Kind, e.Request, e.Session}, e.What)
	}
	o.Dropped(types.ErrBusy)
	o.Reconciled(2, time.Millisecond)
	m.Dropped(p2p.In, p2p.DropQueueFull)
	m.Queued(p2p.Out, 5)
	m.Peers(3, 2)
	m.Bytes(p2p.Out, "round", 100)

	got := gather(t, m)
	require.NotContains(t, got, "sequencer_mpc_engine_up", "there is no engine")
	ended := happened(got["sequencer_mpc_sessions_ended_total"])
	require.Len(t, ended, 5)
	require.Equal(t, "aborted", labels(ended[0])["outcome"], "what somebody else says is no end of a session here")
	require.Equal(t, map[string]string{"chain_id": "seq-1", "kind": "sign", "outcome": "ok"}, labels(ended[3]))
	require.Equal(t, "stalled", labels(ended[4])["outcome"])
	presigned := happened(got["sequencer_mpc_presignatures_ended_total"])
	require.Len(t, presigned, 2, "one that was not made is none that was discarded")
	require.Equal(t, "ok", labels(presigned[0])["outcome"])
	require.Equal(t, string(types.ErrPresignDropped), labels(presigned[1])["outcome"])
	require.Equal(t, float64(2), presigned[1].GetCounter().GetValue(), "why it was left counts at those who hear it, too")
	require.Len(t, happened(got["sequencer_mpc_session_seconds"]), 2, "those that somebody waited for")
	dropped := happened(got["sequencer_mpc_dropped_total"])
	require.Len(t, dropped, 2)
	require.Equal(t, "engine", labels(dropped[0])["place"])
	require.Equal(t, float64(5), got["sequencer_mpc_channel_messages"].Metric[0].Gauge.GetValue())
	require.Equal(t, float64(2), got["sequencer_mpc_channel_operators"].Metric[0].Gauge.GetValue())
}

// TestMetricsOfRequests: how long a request took is told by how it ended; what went with
// a rollback took no time.
func TestMetricsOfRequests(t *testing.T) {
	m := newMetrics("seq-1")
	chain := make(map[string]types.Outcome)
	see := func(height int64, open ...string) {
		v := &mpc.View{Height: height}
		for _, id := range open {
			v.Requests = append(v.Requests, types.Request{ID: types.RequestID{Kind: types.KindSign, ID: id}, Height: 8})
		}
		m.observeView(v, func(id types.RequestID) (types.Outcome, bool) {
			o, known := chain[id.ID]
			return o, known
		})
	}
	see(10, "signed", "also signed", "failed", "tested", "gone", "old")
	chain["signed"], chain["also signed"] = types.Outcome{Height: 12}, types.Outcome{Height: 13}
	chain["failed"] = types.Outcome{Height: 13, Reason: types.ErrExpired}
	chain["tested"] = types.Outcome{}       // neither open nor decided
	chain["old"] = types.Outcome{Height: 5} // decided below the height of its commit
	see(14)                                 // the decisions are some blocks old
	see(15)
	require.Len(t, m.open, 1)
	chain["tested"] = types.Outcome{Height: 16}
	see(16)
	see(17)
	require.Empty(t, m.open)

	got := happened(gather(t, m)["sequencer_mpc_request_blocks"])
	require.Len(t, got, 2)
	for i, want := range []struct {
		outcome string
		count   uint64
		sum     float64
	}{{"expired", 1, 5}, {"ok", 3, 4 + 5 + 8}} {
		require.Equal(t, map[string]string{"chain_id": "seq-1", "kind": "sign", "outcome": want.outcome}, labels(got[i]))
		require.Equal(t, want.count, got[i].Histogram.GetSampleCount())
		require.Equal(t, want.sum, got[i].Histogram.GetSampleSum(), want.outcome)
	}
}

func TestMetricsServeTheEnginesStatus(t *testing.T) {
	m := newMetrics("seq-1")
	m.watch(idleEngine(t), nil)
	got := gather(t, m)
	require.Equal(t, float64(1), got["sequencer_mpc_engine_up"].Metric[0].Gauge.GetValue())
	require.Equal(t, float64(0), got["sequencer_mpc_registered"].Metric[0].Gauge.GetValue())
	require.Equal(t, float64(1), got["sequencer_mpc_catching_up"].Metric[0].Gauge.GetValue(), "it has not looked yet")
	require.Contains(t, got, "sequencer_mpc_preparams")
	// What there is none of is 0, and does not vanish from the screen.
	require.Len(t, got["sequencer_mpc_records"].GetMetric(), 3)
	sessions := got["sequencer_mpc_sessions"].GetMetric()
	require.Len(t, sessions, 4*4+1)
	for _, m := range sessions {
		require.Zero(t, m.Gauge.GetValue())
		require.NotEqual(t, "ended", labels(m)["phase"])
	}
}

// rotatedChain has a newer identity of the one validator than its node.
type rotatedChain struct {
	idleChain
	own ed25519.PublicKey
}

func (c rotatedChain) View(context.Context, []types.KeyID) (*mpc.View, error) {
	return &mpc.View{Height: 7, Roster: types.NewRoster(map[types.Operator][]types.Identity{"op": {
		{Version: 1, Key: c.own}, {Version: 2, Key: []byte("another")},
	}})}, nil
}

// A node whose identity was replaced on chain shows it wherever people look.
func TestOutdatedIdentityIsShown(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	engine, err := mpc.New(mpc.Options{
		ChainID: "seq-1", Identities: []ed25519.PrivateKey{private}, Chain: rotatedChain{own: public}, Store: memstore.New(),
		Transport: idleTransport{}, Protocols: fakeproto.Protocols{},
	}, 1)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	require.Eventually(t, func() bool { return engine.Status().Height == 7 }, time.Minute, 10*time.Millisecond)
	m := newMetrics("seq-1")
	state := &engineState{engine: engine}
	m.watch(state, nil)
	require.Equal(t, float64(1), gather(t, m)["sequencer_mpc_identity_outdated"].Metric[0].Gauge.GetValue())
	require.Equal(t, uint32(2), reportStatus(engine.Status(), state, nil).IdentityOutdated)
	cancel()
	require.NoError(t, <-ended)
}

// TestResentTotal: nothing that was sent again is counted twice, lost or taken
// back, whichever is heard first, the end of a session or the status after it.
func TestResentTotal(t *testing.T) {
	m := newMetrics("seq-1")
	m.watch(idleEngine(t), nil)
	steps := []struct {
		name   string
		ended  int    // sent again by a session that ends now
		status uint64 // of the newest status
		want   uint64
	}{
		{"a session runs", 0, 3, 3},
		{"and sends again", 0, 7, 7},
		{"it ends; the status still shows it", 9, 7, 9},
		{"the next status", 0, 9, 9},
		{"another one runs", 0, 14, 14},
		{"a third, too short for any status", 4, 14, 14},
		{"all of them in the status", 0, 18, 18},
		{"the second ends; the engine stops without another status", 6, 18, 19},
	}
	var last uint64
	for _, s := range steps {
		if s.ended > 0 {
			observer{engineMetrics{m}, newActivity()}.SessionEnded(mpc.SessionEnd{Request: types.RequestID{Kind: types.KindSign}, Resent: s.ended})
		}
		got := m.status.resentTotal(mpc.Status{Resent: s.status})
		require.Equal(t, s.want, got, s.name)
		require.GreaterOrEqual(t, got, last)
		last = got
	}
	served := gather(t, m)["sequencer_mpc_resent_total"].Metric[0].Counter
	require.Equal(t, float64(last), served.GetValue())
}
