package mpcnode

import (
	"context"
	"log/slog"
	"time"

	"cosmossdk.io/log/v2"
)

// newLogger writes what the engine and the reactor log into the node's log,
// under the name of a module.
func newLogger(to log.Logger, module string) *slog.Logger {
	return slog.New(logHandler{to: to.With(log.ModuleKey, module)})
}

// logHandler is a slog.Handler on the SDK's logger, which filters by level.
type logHandler struct {
	to     log.Logger
	prefix string // of open groups, with dots
}

// Enabled implements slog.Handler.
func (logHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (h logHandler) Handle(_ context.Context, r slog.Record) error {
	keyVals := make([]any, 0, 2*r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		keyVals = h.add(keyVals, a)
		return true
	})
	switch {
	case r.Level >= slog.LevelError:
		h.to.Error(r.Message, keyVals...)
	case r.Level >= slog.LevelWarn:
		h.to.Warn(r.Message, keyVals...)
	case r.Level >= slog.LevelInfo:
		h.to.Info(r.Message, keyVals...)
	default:
		h.to.Debug(r.Message, keyVals...)
	}
	return nil
}

// add flattens an attribute; slog's rules drop empty ones and inline groups
// without a name.
func (h logHandler) add(keyVals []any, a slog.Attr) []any {
	v := a.Value.Resolve()
	if a.Equal(slog.Attr{}) {
		return keyVals
	}
	switch v.Kind() {
	case slog.KindGroup:
	case slog.KindDuration: // the SDK's logger would write a number without a unit
		return append(keyVals, h.prefix+a.Key, v.Duration().Round(time.Millisecond).String())
	default:
		return append(keyVals, h.prefix+a.Key, v.Any())
	}
	inner := h
	if a.Key != "" {
		inner.prefix += a.Key + "."
	}
	for _, member := range v.Group() {
		keyVals = inner.add(keyVals, member)
	}
	return keyVals
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var keyVals []any
	for _, a := range attrs {
		keyVals = h.add(keyVals, a)
	}
	return logHandler{to: h.to.With(keyVals...), prefix: h.prefix}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return logHandler{to: h.to, prefix: h.prefix + name + "."}
}
