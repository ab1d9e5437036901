package mpcnode

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/p2p"
)

// noPeers is a node alone.
type noPeers struct{}

func (noPeers) Peers() int                  { return 2 }
func (noPeers) Reachable() []types.Operator { return []types.Operator{"seqvaloper1x"} }
func (noPeers) Strangers() []p2p.Stranger   { return nil }

// idleChain has no requests; idleTransport has no peers.
type idleChain struct{}

func (idleChain) View(context.Context, []types.KeyID) (*mpc.View, error) {
	return &mpc.View{Height: 7, Roster: types.NewRoster(nil)}, nil
}

func (idleChain) Key(context.Context, types.KeyID) (types.Key, bool, error) {
	return types.Key{}, false, nil
}

func (idleChain) Unacknowledged(context.Context, types.Operator) ([]types.KeyID, error) {
	return nil, nil
}

func (idleChain) Proven(context.Context, types.Operator, types.Context) (bool, error) {
	return false, nil
}
func (idleChain) ReshareEnded(context.Context, string) (types.EndedReshare, bool, error) {
	return types.EndedReshare{}, false, nil
}

func (idleChain) Signature(context.Context, string) (types.SignatureResult, bool, error) {
	return types.SignatureResult{}, false, nil
}

type idleTransport struct{}

func (idleTransport) Send(types.Operator, *wire.Envelope) bool { return false }
func (idleTransport) Gossip(*wire.Gossip)                      {}
func (idleTransport) SetRoster(*types.Roster)                  {}
func (idleTransport) SetSelf(mpc.Self)                         {}

// noBackups are those of a node without a database.
func noBackups() *backups { return &backups{vault: &Vault{}} }

func idleEngine(t *testing.T) *engineState {
	t.Helper()
	e, err := mpc.New(mpc.Options{ChainID: "c", Chain: idleChain{}, Transport: idleTransport{}}, 1)
	require.NoError(t, err)
	return &engineState{engine: e}
}

// serveSocket runs a socket until the test ends.
func serveSocket(t *testing.T, path string, h http.Handler) {
	t.Helper()
	s, err := listenSocket(path, h)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
		_, err := os.Stat(path)
		require.ErrorIs(t, err, os.ErrNotExist, "the socket is removed")
	})
}

func TestSocketReports(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mpc.sock")
	state, acts := idleEngine(t), newActivity()
	acts.add(ActivityEvent{What: ActivityOpened, Kind: "keygen"})
	serveSocket(t, path, reporter{state, noPeers{}, acts, nil, noBackups()}.handler())

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".mpc-*"))
	require.NoError(t, err)
	require.Empty(t, left)

	c := NewClient(path)
	status, err := c.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, EngineRunning, status.Engine)
	require.Equal(t, 2, status.Peers)
	require.Equal(t, []string{"seqvaloper1x"}, status.Reachable)

	state.fail(errors.New("the disk is full"))
	status, err = c.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, "stopped: the disk is full", status.Engine)

	keys, err := c.Keys(t.Context())
	require.NoError(t, err)
	require.Empty(t, keys.Keys)
	sessions, err := c.Sessions(t.Context())
	require.NoError(t, err)
	require.Empty(t, sessions.Sessions)
	report, err := c.Activity(t.Context(), 0)
	require.NoError(t, err)
	require.Len(t, report.Events, 1)
	require.Equal(t, "keygen", report.Events[0].Kind)
}

func TestSocketOnlyReports(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mpc.sock")
	serveSocket(t, path, reporter{idleEngine(t), noPeers{}, newActivity(), nil, noBackups()}.handler())
	transport := &http.Transport{DialContext: NewClient(path).dial}
	defer transport.CloseIdleConnections()
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/status", http.StatusOK},
		{http.MethodPost, "/status", http.StatusMethodNotAllowed},
		{http.MethodPost, "/keys", http.StatusMethodNotAllowed},
		{http.MethodGet, "/sign", http.StatusNotFound},
		{http.MethodPost, "/sign", http.StatusNotFound},
		{http.MethodGet, "/backup", http.StatusMethodNotAllowed},
		{http.MethodPost, "/backup", http.StatusBadRequest},
		{http.MethodGet, "/activity?since=x", http.StatusBadRequest},
	} {
		req, err := http.NewRequest(c.method, "http://node"+c.path, nil)
		require.NoError(t, err)
		resp, err := (&http.Client{Transport: transport}).Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, c.want, resp.StatusCode, "%s %s", c.method, c.path)
	}
}

// A folder deeper than a socket address can be.
func TestSocketInADeepHome(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 120))
	require.NoError(t, os.Mkdir(dir, 0o700))
	path := filepath.Join(dir, "mpc.sock")
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		_, err := listenSocket(path, http.NotFoundHandler())
		require.ErrorContains(t, err, "shorter home")
		return
	}
	serveSocket(t, path, reporter{idleEngine(t), noPeers{}, newActivity(), nil, noBackups()}.handler())
	_, err := NewClient(path).Status(t.Context())
	require.NoError(t, err)
}

func TestSocketOfANodeThatDoesNotRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mpc.sock")
	_, err := NewClient(path).Status(t.Context())
	require.ErrorIs(t, err, ErrNotRunning)

	// A crash leaves the socket; the next start takes its place.
	s, err := listenSocket(path, http.NotFoundHandler())
	require.NoError(t, err)
	require.NoError(t, s.listener.Close())
	_, err = NewClient(path).Status(t.Context())
	require.ErrorIs(t, err, ErrNotRunning)
	serveSocket(t, path, reporter{idleEngine(t), noPeers{}, newActivity(), nil, noBackups()}.handler())
	_, err = NewClient(path).Status(t.Context())
	require.NoError(t, err)
}

// Another user than the node's hears whom to ask as, not that the node hangs.
func TestSocketOfAnotherUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mpc.sock")
	denied := &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", syscall.EACCES)}
	err := NewClient(path).unanswered(&url.Error{Op: "Get", URL: "http://node/status", Err: denied})
	require.ErrorIs(t, err, ErrOtherUser)
	require.ErrorContains(t, err, "sudo -u")
	require.NotErrorIs(t, err, ErrNotRunning)
	if os.Geteuid() == 0 {
		return // who may everything
	}
	serveSocket(t, path, http.NotFoundHandler())
	require.NoError(t, os.Chmod(path, 0))
	_, err = NewClient(path).Status(t.Context())
	require.ErrorIs(t, err, ErrOtherUser)
}

func TestActivityKeepsTheNewest(t *testing.T) {
	a := newActivity()
	a.now = func() time.Time { return time.Unix(5, 0) }
	require.Empty(t, a.since(0).Events)
	for i := range activitySize + 10 {
		a.add(ActivityEvent{Round: uint32(i)})
	}
	all := a.since(0).Events
	require.Len(t, all, activitySize)
	for i, e := range all {
		require.Equal(t, uint64(i+11), e.Number)
		require.Equal(t, uint32(i+10), e.Round)
	}
	last := a.since(activitySize + 9).Events
	require.Len(t, last, 1)
	require.Empty(t, a.since(activitySize+10).Events)
	require.Empty(t, a.since(1<<60).Events, "a caller that remembers an earlier run of the node")
}
