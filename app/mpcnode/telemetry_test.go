package mpcnode

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	otellog "go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/log/embedded"
	"go.opentelemetry.io/otel/log/global"
	lognoop "go.opentelemetry.io/otel/log/noop"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/server"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	"github.com/cosmos/cosmos-sdk/telemetry"
)

// logPipeline is OpenTelemetry's, and keeps what it is told.
type logPipeline struct {
	embedded.Logger
	mu   sync.Mutex
	said []string
}

func (p *logPipeline) Enabled(context.Context, otellog.EnabledParameters) bool { return true }
func (p *logPipeline) Emit(_ context.Context, r otellog.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, r.Body().AsString())
}

// logProvider hands out one pipeline.
type logProvider struct {
	embedded.LoggerProvider
	to *logPipeline
}

func (p logProvider) Logger(string, ...otellog.LoggerOption) otellog.Logger { return p.to }

// What a node logs goes to OpenTelemetry as well if that takes logs, as with the
// SDK's start.
func TestLogsGoToOpenTelemetry(t *testing.T) {
	var out bytes.Buffer
	plain := log.NewLogger(&out)
	global.SetLoggerProvider(lognoop.NewLoggerProvider())
	require.Equal(t, plain, withOpenTelemetry(plain), "nobody takes logs")

	pipeline := &logPipeline{}
	global.SetLoggerProvider(logProvider{to: pipeline})
	t.Cleanup(func() { global.SetLoggerProvider(lognoop.NewLoggerProvider()) })
	withOpenTelemetry(plain).Info("hello")
	require.Contains(t, out.String(), "hello")
	require.Equal(t, []string{"hello"}, pipeline.said)
}

func TestStartTelemetryTellsVersions(t *testing.T) {
	svrCtx := server.NewDefaultContext()
	cfg := *serverconfig.DefaultConfig()
	cfg.Telemetry.Enabled = true
	cfg.Telemetry.ServiceName = "test"
	m, stop, err := startTelemetry(svrCtx, cfg, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = telemetry.New(telemetry.Config{}) }) // off again
	got, err := m.Gather(telemetry.FormatText)
	require.NoError(t, err)
	require.Contains(t, string(got.Metrics), "server.info")
	require.NoError(t, stop())
}
