package mpcnode

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/p2p"
)

// linkedApp has only a link.
type linkedApp struct {
	App
	link *Link
}

func (a linkedApp) MPCLink() *Link { return a.link }
func (linkedApp) ChainID() string  { return "seq-1" }

// panickyStore panics with what must not be logged, where the engine cannot go on without.
type panickyStore struct{ mpc.Store }

func (panickyStore) Records() ([]types.Record, error) { panic("a secret") }

// logBuffer may be read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func testMember(out *logBuffer) *member {
	return &member{
		app: linkedApp{link: NewLink()}, metrics: newMetrics("seq-1"), activity: newActivity(),
		log: slog.New(slog.NewTextHandler(out, nil)), reactor: p2p.NewReactor(p2p.Options{ChainID: "seq-1"}), vault: &Vault{}, saves: noBackups(),
	}
}

// A panic in the engine's goroutine ends the engine, not the node.
func TestEngineThatPanics(t *testing.T) {
	var out logBuffer
	m := testMember(&out)
	engine, err := mpc.New(mpc.Options{ChainID: "seq-1", Chain: idleChain{}, Store: panickyStore{}, Transport: idleTransport{}}, 1)
	require.NoError(t, err)
	state := &engineState{engine: engine}
	m.metrics.watch(state, nil)
	m.app.MPCLink().attach(engine, engine.Wake)
	require.NoError(t, prometheus.DefaultRegisterer.Register(m.metrics))

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.runEngine(ctx, state) }()
	require.Eventually(t, func() bool { return state.failed() != "" }, 10*time.Second, time.Millisecond)
	up := gather(t, m.metrics)["sequencer_mpc_engine_up"]
	require.Len(t, up.Metric, 1)
	require.Zero(t, up.Metric[0].GetGauge().GetValue())
	require.Empty(t, m.app.MPCLink().Results().Attestations)
	select {
	case <-done:
		t.Fatal("the metrics must be served until the node ends")
	default:
	}

	cancel()
	require.NoError(t, <-done, "an error would stop the node")
	require.False(t, prometheus.DefaultRegisterer.Unregister(m.metrics), "runEngine did")
	require.Contains(t, out.String(), "goes on with the chain")
	require.NotContains(t, out.String()+state.failed(), "a secret")
}

// A socket that fails is told, and does not stop the node.
func TestSocketThatFails(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*testing.T, *socket)
		fails bool // while the node runs
		want  string
	}{
		{"no more connections", func(t *testing.T, s *socket) { require.NoError(t, s.listener.Close()) }, true, "MPC socket failed"},
		{"removed by somebody", func(t *testing.T, s *socket) { require.NoError(t, os.Remove(s.path)) }, false, ""},
		{"something else in its place", func(t *testing.T, s *socket) {
			require.NoError(t, os.Remove(s.path))
			require.NoError(t, os.MkdirAll(filepath.Join(s.path, "x"), 0o700))
		}, false, "MPC socket failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out logBuffer
			s, err := listenSocket(filepath.Join(t.TempDir(), "mpc.sock"), http.NotFoundHandler())
			require.NoError(t, err)
			c.spoil(t, s)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if !c.fails {
				cancel()
			}
			require.NoError(t, testMember(&out).runSocket(ctx, s))
			if c.want == "" {
				require.Empty(t, out.String())
				return
			}
			require.Contains(t, out.String(), c.want)
		})
	}
}

func TestSafely(t *testing.T) {
	var out logBuffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	plain := errors.New("plain")
	require.ErrorIs(t, safely(log, "x", func() error { return plain }), plain)
	require.NoError(t, safely(log, "x", func() error { return nil }))
	require.Empty(t, out.String())
	err := safely(log, "x", func() error { panic(errors.New("a secret")) })
	require.ErrorContains(t, err, "x panicked with a *errors.errorString")
	require.Contains(t, out.String(), "TestSafely", "the stack")
	require.NotContains(t, out.String()+err.Error(), "a secret")
}
