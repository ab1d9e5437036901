package mpcnode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// The paths of the socket's protocol, JSON over HTTP. They report, one backs up, one
// adds a line to the audit log; nothing that a socket is asked changes a share or signs.
const (
	pathStatus   = "/status"
	pathKeys     = "/keys"
	pathSessions = "/sessions"
	pathActivity = "/activity" // ?since=NUMBER
	pathBackup   = "/backup"
	pathAudit    = "/audit"
)

const (
	// socketTimeout bounds one request in both directions: reports are made
	// from memory.
	socketTimeout = 5 * time.Second
	// maxSocketPath is the shortest limit of the systems that Go runs on
	// (sun_path has 104 bytes on BSD and macOS, 108 on Linux, with a zero byte).
	maxSocketPath = 103
)

// reachability is what reports need of the reactor.
type reachability interface {
	Peers() int
	Reachable() []types.Operator
}

// reporter answers the socket.
type reporter struct {
	engine   *engineState
	peers    reachability
	activity *activity
	shares   *shareWatch
	backups  *backups
}

func (r reporter) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathStatus, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, r.status())
	})
	mux.HandleFunc("GET "+pathKeys, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, reportRunning(r.engine.engine.Status(), r.shares.found()))
	})
	mux.HandleFunc("GET "+pathSessions, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, reportSessions(r.engine.engine.Status().Sessions))
	})
	mux.HandleFunc("GET "+pathActivity, func(w http.ResponseWriter, req *http.Request) {
		since, err := strconv.ParseUint(req.FormValue("since"), 10, 64)
		if err != nil {
			http.Error(w, "since is not a number", http.StatusBadRequest)
			return
		}
		writeJSON(w, r.activity.since(since))
	})
	mux.Handle("POST "+pathBackup, r.backups)
	mux.HandleFunc("POST "+pathAudit, r.engine.recordOperation)
	return mux
}

func (r reporter) status() StatusReport {
	s := reportStatus(r.engine.engine.Status(), r.engine, r.shares.found())
	if s.HasIdentity && s.Operator == "" && !s.CatchingUp {
		s.RevokedBy = r.shares.revokedBy()
	}
	s.Peers, s.Reachable = r.peers.Peers(), texts(r.peers.Reachable())
	return s
}

func writeJSON(w http.ResponseWriter, report any) {
	w.Header().Set("Content-Type", "application/json")
	// An error here is that of a caller who has gone.
	_ = json.NewEncoder(w).Encode(report)
}

// socket serves reports to the user that runs the node.
type socket struct {
	path     string
	listener net.Listener
	server   *http.Server
}

// listenSocket puts a socket of mode 0600 at path, in place of one that a crash
// left. It is made in a folder that nobody else can enter and moved, so that it
// never has another mode.
func listenSocket(path string, handler http.Handler) (*socket, error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".mpc-")
	if err != nil {
		return nil, fmt.Errorf("make the MPC socket: %w", err)
	}
	defer os.RemoveAll(dir)
	made := filepath.Join(dir, "s")
	var listener *net.UnixListener
	err = shortPath(made, func(address string) error {
		listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: address, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make the MPC socket: %w", err)
	}
	listener.SetUnlinkOnClose(false) // it will not be where it was made
	if err = os.Chmod(made, 0o600); err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the MPC socket: %w", err), listener.Close())
	}
	return &socket{path, listener, &http.Server{
		Handler: handler, ReadTimeout: socketTimeout, WriteTimeout: socketTimeout,
	}}, nil
}

// shortPath calls f with a name of a socket that the system accepts: socket
// addresses are short, homes may be long. Linux reaches a folder through an open
// file of it.
func shortPath(path string, f func(address string) error) error {
	if len(path) <= maxSocketPath {
		return f(path)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	via := fmt.Sprintf("/proc/self/fd/%d", dir.Fd())
	if _, err := os.Stat(via); err != nil {
		return fmt.Errorf("the path %s has more than %d bytes, which this system does not allow for sockets; use a shorter home", path, maxSocketPath)
	}
	return f(filepath.Join(via, filepath.Base(path)))
}

// run serves until the context ends, then removes the socket.
func (s *socket) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.server.Close() })
	defer stop()
	err := s.server.Serve(s.listener)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	removed := os.Remove(s.path)
	if errors.Is(removed, os.ErrNotExist) {
		removed = nil // somebody tidied up
	}
	return errors.Join(err, removed)
}
