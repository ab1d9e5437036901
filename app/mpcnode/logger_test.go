package mpcnode

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"
)

func TestLoggerHandsOverEverything(t *testing.T) {
	var out bytes.Buffer
	l := newLogger(log.NewLogger(&out, log.OutputJSONOption()), "mpc")
	l.With("a", 1).WithGroup("g").Warn("hello",
		"took", 1500*time.Millisecond, slog.Group("", "inline", true), slog.Group("sub", "x", "y"), slog.Attr{})
	var got map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	delete(got, "time")
	require.Equal(t, map[string]any{
		"level": "warn", "message": "hello", "module": "mpc", "a": float64(1),
		"g.took": "1.5s", "g.inline": true, "g.sub.x": "y",
	}, got)
}

func TestLoggerKeepsLevels(t *testing.T) {
	for level, want := range map[slog.Level]string{
		slog.LevelDebug: "debug", slog.LevelInfo: "info", slog.LevelWarn: "warn", slog.LevelError: "error",
	} {
		var out bytes.Buffer
		newLogger(log.NewLogger(&out, log.OutputJSONOption()), "m").Log(t.Context(), level, "x")
		require.Contains(t, out.String(), `"level":"`+want+`"`)
	}
}
