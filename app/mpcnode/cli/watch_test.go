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
	"github.com/sequencer-mpc/sequencer/mpc/types"
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
			{Number: 7, What: mpcnode.ActivityRound, Kind: "sign", Request: "pay", Session: "0123456789", Round: 3, Seconds: 0.25},
			{Number: 8, What: mpcnode.ActivityEnded, Kind: "keygen", Request: "new", Session: "fedcba9876", Seconds: 2, Reason: "stalled"},
		}},
	})
}

func TestWatchedScreen(t *testing.T) {
	v := &watched{}
	require.Len(t, v.look(t.Context(), atWork(t)), 2)
	require.Equal(t, uint64(8), v.seen)
	text := strings.Join(v.screen(100).fit(100), "\n")
	require.Contains(t, text, "height 70, op-0 (identity 1)")
	require.Regexp(t, `sign/pay +\[###\.{6}\] +op-2 +running +0 +01234567`, text)
	require.Contains(t, text, "sign/pay  round 3 done in 250ms")
	require.Contains(t, text, "keygen/new  ended: stalled, after 2s")
	require.Equal(t, "00:00:00.000  keygen/new fedcba98 ended: stalled, after 2s", eventText(v.events[1]))

	small := frame(v.screen(40), 40, 8)
	require.Equal(t, 7, strings.Count(small, "\r\n"))
	require.Contains(t, small, "height 70")
	require.Contains(t, small, "sign/pay")
	require.Contains(t, small, "ended: stalled")
	require.NotContains(t, small, "round 3", "the newest are shown")
	require.Equal(t, "ab", cut("a\x1b\n\u009b\u202ebc", 2))

	v.look(t.Context(), mpcnode.NewClient(filepath.Join(t.TempDir(), "mpc.sock")))
	require.Equal(t, []string{"no node runs here; waiting for it"}, v.screen(80).fit(24))
	require.Zero(t, v.seen, "another run counts anew")
}

// working is a node in the middle of its day.
func working() *watched {
	op := func(name string) string { return "seqvaloper1" + name + "kq2lz9t8v0x5c3n4m6w7yh8jf0dres" + name }
	at := time.Date(2026, 3, 4, 12, 34, 56, 789e6, time.UTC)
	return &watched{
		status: mpcnode.StatusReport{
			Engine: mpcnode.EngineRunning, Operator: op("a7xq"), IdentityVersion: 2, Height: 1_234_567, Peers: 6, Reachable: []string{op("b2pe"), op("c9rd")},
			OpenRequests: 3, ResultsWaiting: 1, Preparams: 3, PresignaturesReady: 4, PresignaturesParked: 12,
		},
		sessions: mpcnode.SessionsReport{Sessions: []mpcnode.SessionReport{
			{Session: "0123456789", Kind: "sign", Request: "settlement:tx-112-1", Phase: "running", Round: 4, Rounds: 9, Awaiting: []string{op("b2pe"), op("c9rd"), op("dk3w"), op("e0zz")}},
			{Session: "89abcdef01", Kind: "keygen", Request: "settlement:state-2", Attempt: 1, Phase: "preparing", Rounds: 4, Awaiting: []string{op("c9rd")}},
			{Session: "fedcba9876", Kind: "reshare", Request: "auto:treasury:7", Phase: "running", Round: 2, Rounds: 5, Busy: true},
		}},
		events: []mpcnode.ActivityEvent{
			{At: at, Number: 1, What: mpcnode.ActivityOpened, Kind: "keygen", Request: "settlement:state-2", Session: "89abcdef01"},
			{At: at.Add(time.Second), Number: 2, What: mpcnode.ActivityEnded, Kind: "sign", Request: "settlement:tx-111-1", Session: "44444444", Seconds: 0.412},
			{At: at.Add(2 * time.Second), Number: 3, What: mpcnode.ActivityEnded, Kind: "sign", Request: "settlement:tx-110-2", Session: "55555555", Seconds: 30.1, Reason: "stalled"},
			{At: at.Add(3 * time.Second), Number: 4, What: mpcnode.ActivityRound, Kind: "sign", Request: "settlement:tx-112-1", Session: "0123456789", Round: 3, Seconds: 0.25},
		},
	}
}

// What matters is on screens of usual sizes and on small ones: how the node is, what is to be
// done about it, how far each session is and for whom it waits, and what happened last.
func TestWatchFrames(t *testing.T) {
	lost := working()
	lost.status.Problem, lost.status.Remedy = string(types.ErrDatabaseLost), types.ErrDatabaseLost.Remedy()
	lost.sessions.Sessions = nil
	for _, c := range []struct {
		name          string
		v             *watched
		width, height int
		shows         []string
	}{
		{"usual", working(), 80, 24, []string{
			"height 1234567, a7xq..a7xq (identity 2)", "engine running, 6 peers with the channel, 2 participants direct",
			"3 requests, 1 result, 3 pre-parameters, presigned 4 (12 parked)",
			"sign/settlement:tx-112-1   [###......]  b2pe..b2pe c9rd..c9rd +2  running", "(computing)",
			"12:34:59  sign/settlement:tx-112-1  round 3 done in 250ms",
		}},
		{"small", working(), 40, 12, []string{
			"height 1234567, a7xq..a7xq (identity 2)", "engine running", "sign/..-112-1  [###......]  b2pe..b2pe", "12:34:58  sign/..-110-2  ended: stalled,", "12:34:59  sign/..-112-1  round 3 done",
		}},
		{"usual, in trouble", lost, 80, 24, []string{"engine running; database_missing: " + types.ErrDatabaseLost.Remedy(), "12:34:59"}},
		{"small, in trouble", lost, 40, 12, []string{"engine running; database_missing:", "more lines: mpc status", "12:34:59"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			drawn := frame(c.v.screen(c.width), c.width, c.height)
			lines := strings.Split(strings.NewReplacer(home, "", eraseLine, "", eraseBelow, "").Replace(drawn), "\r\n")
			t.Logf("\n%s", strings.Join(lines, "|\n"))
			require.Less(t, len(lines), c.height+1)
			for _, line := range lines {
				require.LessOrEqual(t, len(line), c.width)
			}
			for _, want := range c.shows {
				require.Contains(t, strings.Join(lines, " "), want)
			}
		})
	}
}

// However much happened, the sessions are on the screen, and the newest events.
func TestWatchedScreenIsFull(t *testing.T) {
	v := &watched{}
	for i := range maxWatchedEvents {
		v.events = append(v.events, mpcnode.ActivityEvent{Number: uint64(i), What: mpcnode.ActivityRound, Kind: "sign", Request: fmt.Sprint("event-", i)})
	}
	sessions := func(n int) {
		v.sessions.Sessions = nil
		for i := range n {
			v.sessions.Sessions = append(v.sessions.Sessions, mpcnode.SessionReport{Kind: "sign", Request: fmt.Sprint("request-", i), Rounds: 9})
		}
	}
	sessions(3)
	lines := v.screen(80).fit(23)
	require.Len(t, lines, 23)
	text := strings.Join(lines, "\n")
	for i := range 3 {
		require.Contains(t, text, fmt.Sprint("request-", i))
	}
	require.Contains(t, lines[len(lines)-1], "event-99")
	require.Equal(t, 14, strings.Count(text, "event-"))

	sessions(40)
	lines = v.screen(80).fit(23)
	require.Len(t, lines, 23)
	text = strings.Join(lines, "\n")
	require.Contains(t, text, "request-7")
	require.Contains(t, text, "and 32 more")
	require.Contains(t, text, "event-99")
	require.Equal(t, 8, strings.Count(text, "event-"))
	v.events = nil
	lines = v.screen(80).fit(60)
	require.Contains(t, strings.Join(lines, "\n"), "request-39")
	for height := range 12 {
		require.LessOrEqual(t, len(v.screen(80).fit(height)), height)
	}
}

// What keeps a node from its part, beside a lost database, is in the line of its state.
func TestWatchedState(t *testing.T) {
	for want, s := range map[string]mpcnode.StatusReport{
		"catching_up: this clock is 60 s ahead": {CatchingUp: true, ClockAhead: 60},
		"catching up":                           {CatchingUp: true},
		"identity_outdated: the chain goes by":  {IdentityOutdated: 2},
		"withheld: 1 share; unknown to the chain: 2 keys": {
			Withheld: []mpcnode.WithheldShare{{KeyID: "key"}}, UnknownKeys: []string{"a", "b"},
		},
	} {
		require.Contains(t, (&watched{status: s}).state(), want)
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
	require.Contains(t, w.text.String(), "sign/pay 01234567 round 3 done in 250ms\n")
	require.NotContains(t, w.text.String(), "\x1b")
}
