package mpc

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// questions are all that a loop may be asked.
func questions(e *Engine) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"probe":   func(ctx context.Context) error { _, err := e.Probe(ctx, ""); return err },
		"history": func(ctx context.Context) error { _, err := e.History(ctx, "id"); return err },
	}
}

func newAskedEngine(t *testing.T) *Engine {
	t.Helper()
	d := newDesk(t, 2)
	e, err := New(Options{ChainID: deskChain, Chain: d, Transport: d}, 1)
	require.NoError(t, err)
	return e
}

// A loop that does not come to it answers nobody; who asks waits as long as it wants.
func TestAskedEngineThatHangs(t *testing.T) {
	e := newAskedEngine(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, ask := range questions(e) {
		require.ErrorIs(t, ask(ctx), context.Canceled, name)
	}
}

// An engine that has ended says so, and so does one whose inbox is full: nobody waits.
func TestAskedEngineThatCannotAnswer(t *testing.T) {
	e := newAskedEngine(t)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	require.NoError(t, e.Run(stopped))
	patient, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for name, ask := range questions(e) {
		require.ErrorIs(t, ask(patient), ErrStopped, name)
	}

	e = newAskedEngine(t)
	for e.inbox.put(0, nothing) {
	}
	for name, ask := range questions(e) {
		require.ErrorIs(t, ask(patient), types.ErrBusy, name)
	}
}
