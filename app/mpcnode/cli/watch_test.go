package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// page is a socket that answers what a test says.
func page(t *testing.T, answers map[string]any) *mpcnode.Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mpc.sock")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := json.NewEncoder(w).Encode(answers[req.URL.Path]); err != nil {
			t.Errorf("answer: %v", err)
		}
	}), ReadTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
	return mpcnode.NewClient(path)
}

func atWork(t *testing.T) *mpcnode.Client {
	return page(t, map[string]any{
		"/status": mpcnode.StatusReport{Engine: mpcnode.EngineRunning, Operator: "op-0", IdentityVersion: 1, Height: 70, Peers: 3},
		"/sessions": mpcnode.SessionsReport{Sessions: []mpcnode.SessionReport{
			{Session: "0123456789", Kind: "sign", Request: "pay", Phase: "running", Round: 4, Rounds: 9, Awaiting: []string{"op-2"}},
		}},
		"/activity": mpcnode.ActivityReport{Events: []mpcnode.ActivityEvent{
			{Number: 7, What: mpcnode.ActivityRound, Kind: "sign", Round: 3, Seconds: 0.25}, {Number: 8, What: mpcnode.ActivityEnded, Kind: "keygen", Seconds: 2, Reason: "stalled"},
		}},
	})
}

func TestWatchedScreen(t *testing.T) {
	v := &watched{}
	require.Len(t, v.look(t.Context(), atWork(t)), 2)
	require.Equal(t, uint64(8), v.seen)
	text := strings.Join(v.lines(24), "\n")
	require.Contains(t, text, "height 70  op-0, identity version 1")
	require.Regexp(t, `sign/pay +0 +01234567 +\[###\.{6}\] +running +op-2`, text)
	require.Contains(t, text, "sign round 3 done in 250ms")
	require.Contains(t, text, "keygen ended after 2s: stalled")

	small := frame(v.lines(8), 20, 9)
	require.Equal(t, 8, strings.Count(small, "\r\n"))
	require.Contains(t, small, "height 70")
	require.Contains(t, small, "sign/pay")
	require.Contains(t, small, cut(eventText(v.events[1]), 20))
	require.NotContains(t, small, cut(eventText(v.events[0]), 20), "the newest are shown")
	require.NotContains(t, small, "identity version", "it is beyond the width")
	require.Equal(t, "ab", cut("a\x1b\nbc", 2))

	v.look(t.Context(), mpcnode.NewClient(filepath.Join(t.TempDir(), "mpc.sock")))
	require.Equal(t, []string{"no node runs here; waiting for it"}, v.lines(24))
	require.Zero(t, v.seen, "another run counts anew")
}

// However many sessions there are, the newest of what happened is on the screen, and no
// frame has more lines than that.
func TestWatchedScreenIsFull(t *testing.T) {
	for _, height := range []int{1, 5, 9, 24, 60} {
		v := &watched{status: mpcnode.StatusReport{Height: 70}}
		for i := range 40 {
			v.sessions.Sessions = append(v.sessions.Sessions, mpcnode.SessionReport{Kind: "sign", Request: fmt.Sprint("pay-", i), Rounds: 9})
			v.events = append(v.events, mpcnode.ActivityEvent{What: mpcnode.ActivityRound, Kind: "sign", Round: uint32(i)})
		}
		screen := frame(v.lines(height-1), 100, height)
		require.LessOrEqual(t, strings.Count(screen, "\r\n"), max(height-1, 1))
		if height >= 9 {
			require.Contains(t, screen, "more sessions")
			require.Contains(t, screen, "sign round 39 done")
		}
		if height == 24 {
			require.Equal(t, 6, strings.Count(screen, "done in"))
			require.Contains(t, screen, "sign/pay-9 ")
			require.Contains(t, screen, "and 30 more")
		}
	}
}

// written is a writer that tells when it was written to.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
	some chan struct{}
	once sync.Once
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if bytes.Contains(p, []byte("stalled")) {
		w.once.Do(func() { close(w.some) })
	}
	return w.text.Write(p)
}

// Where there is no terminal, each thing is a line; the end of the context ends it well.
func TestWatchLines(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := &written{some: make(chan struct{})}
	client, done := atWork(t), make(chan error, 1)
	go func() { done <- watchLines(ctx, client, w) }()
	<-w.some
	cancel()
	require.NoError(t, <-done)
	require.Contains(t, w.text.String(), "engine running, 3 peers")
	require.Contains(t, w.text.String(), "sign round 3 done in 250ms\n")
	require.NotContains(t, w.text.String(), "\x1b")
}
