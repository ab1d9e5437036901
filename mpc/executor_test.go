package mpc

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

func signAt(height int64, id string) *types.Request {
	return &types.Request{ID: types.RequestID{Kind: types.KindSign, ID: id}, Height: height}
}

// onLoop runs workers whose answers come through a channel, as through the
// engine's loop. stop ends the workers and waits for them.
func onLoop(t *testing.T, count int) (w *workers, loop chan func(), run, stop func()) {
	loop = make(chan func(), 64)
	w = newWorkers(func(f func()) { loop <- f })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	run = func() {
		go func() {
			defer close(ended)
			w.work(ctx, count)
		}()
	}
	return w, loop, run, func() { cancel(); <-ended }
}

// TestWorkersOrder: lower height first, then lower id, then first come.
func TestWorkersOrder(t *testing.T) {
	defer VerifyNoLeaks(t)
	w, loop, run, stop := onLoop(t, 1)
	var ran []string
	for _, j := range []struct {
		height int64
		id     string
		name   string
	}{
		{9, "a", "9a"}, {7, "b", "7b first"}, {7, "c", "7c"}, {7, "b", "7b second"}, {10, "a", "10a"}, {7, "a", "7a"},
	} {
		w.Submit(signAt(j.height, j.id), func() (session.Step, error) {
			ran = append(ran, j.name)
			return session.Step{}, nil
		}, func(session.Step, error) {})
	}
	require.Equal(t, 6, w.queued())
	run()
	for range 6 {
		(<-loop)()
	}
	stop()
	require.Equal(t, []string{"7a", "7b first", "7b second", "7c", "9a", "10a"}, ran)
	require.Zero(t, w.queued())
}

// TestStepAnswers: result, error and panic come back, the panic without its
// value.
func TestStepAnswers(t *testing.T) {
	defer VerifyNoLeaks(t)
	broken := errors.New("broken")
	tests := []struct {
		name string
		run  func() (session.Step, error)
		err  string
	}{
		{"step", func() (session.Step, error) { return session.Step{Out: []session.Outbound{{Type: "k1"}}}, nil }, ""},
		{"error", func() (session.Step, error) { return session.Step{}, broken }, "broken"},
		{"panic", func() (session.Step, error) { panic("my share is 42") }, "own_failure: the party panicked (string)"},
		{"nil map", func() (session.Step, error) { var m map[int]int; m[1] = 1; return session.Step{}, nil }, "the party panicked (runtime."},
	}
	w, loop, run, stop := onLoop(t, 2)
	run()
	defer stop()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answered := false
			w.Submit(signAt(1, "a"), tt.run, func(step session.Step, err error) {
				answered = true
				if tt.err == "" {
					require.NoError(t, err)
					require.Len(t, step.Out, 1)
					return
				}
				require.ErrorContains(t, err, tt.err)
				require.NotContains(t, err.Error(), "42")
				require.Empty(t, step)
			})
			(<-loop)()
			require.True(t, answered)
		})
	}
}

// TestWorkersEnd: a running step is waited for, a waiting one is not begun, and
// nobody is left behind.
func TestWorkersEnd(t *testing.T) {
	defer VerifyNoLeaks(t)
	w, loop, run, stop := onLoop(t, 3)
	begun, finish := make(chan struct{}), make(chan struct{})
	for range 3 {
		w.Submit(signAt(1, "a"), func() (session.Step, error) {
			begun <- struct{}{}
			<-finish
			return session.Step{}, nil
		}, func(session.Step, error) {})
	}
	w.Submit(signAt(2, "b"), func() (session.Step, error) {
		t.Error("a step began after the end")
		return session.Step{}, nil
	}, func(session.Step, error) {})
	run()
	for range 3 {
		<-begun
	}
	stopped := make(chan struct{})
	go func() {
		stop()
		close(stopped)
	}()
	require.Eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.closed
	}, 20*time.Second, time.Millisecond)
	select {
	case <-stopped:
		t.Fatal("the workers did not wait for their steps")
	default:
	}
	close(finish)
	<-stopped
	require.Len(t, loop, 3)
	require.Zero(t, w.queued(), "nothing holds on to what waited")
}
