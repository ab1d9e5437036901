package mpcnode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
)

// ErrNotRunning says that nobody answers the socket.
var ErrNotRunning = errors.New("no node runs on this home, or its MPC is switched off")

// ErrOtherUser says that whoever asks may not: the socket, which a crash may have left, is
// another user's.
var ErrOtherUser = errors.New("a node answers nobody but the user that it runs as; ask again as that user, with sudo -u")

// maxReportBytes bounds an answer of the socket: thousands of records of a few
// hundred bytes.
const maxReportBytes = 16 << 20

// maxRefusalBytes bounds what is shown of why a node refuses: a line.
const maxRefusalBytes = 1 << 10

// Client asks a running node through its socket.
type Client struct{ path string }

// NewClient makes a client of the node whose socket is at path.
func NewClient(path string) *Client { return &Client{path} }

// Status asks what the engine is doing.
func (c *Client) Status(ctx context.Context) (StatusReport, error) {
	return ask[StatusReport](ctx, c, pathStatus)
}

// Keys asks for the records of this node.
func (c *Client) Keys(ctx context.Context) (KeysReport, error) {
	return ask[KeysReport](ctx, c, pathKeys)
}

// Sessions asks for the sessions in memory.
func (c *Client) Sessions(ctx context.Context) (SessionsReport, error) {
	return ask[SessionsReport](ctx, c, pathSessions)
}

// Activity asks for what sessions did after the event of this number.
func (c *Client) Activity(ctx context.Context, since uint64) (ActivityReport, error) {
	return ask[ActivityReport](ctx, c, fmt.Sprintf("%s?since=%d", pathActivity, since))
}

// ask gets one report. It is ErrNotRunning if there is no socket, or a crash left
// it, and ErrOtherUser if this user may not ask.
func ask[T any](ctx context.Context, c *Client, path string) (T, error) {
	var report T
	ctx, cancel := context.WithTimeout(ctx, socketTimeout)
	defer cancel()
	resp, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return report, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxReportBytes)).Decode(&report); err != nil {
		return report, fmt.Errorf("read the node's answer: %w", err)
	}
	return report, nil
}

// do asks; the caller closes the answer.
func (c *Client) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://node"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DialContext: c.dial, DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return nil, c.unanswered(err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		why, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusalBytes))
		return nil, fmt.Errorf("ask the node through %s: it answered %s: %s", c.path, resp.Status, bytes.TrimSpace(why))
	}
	return resp, nil
}

// unanswered says why nobody answered.
func (c *Client) unanswered(err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w (%s)", ErrNotRunning, c.path)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w (%s)", ErrOtherUser, c.path)
	}
	return fmt.Errorf("ask the node through %s: %w", c.path, err)
}

func (c *Client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var (
		conn net.Conn
		d    net.Dialer
	)
	err := shortPath(c.path, func(address string) (err error) {
		conn, err = d.DialContext(ctx, "unix", address)
		return err
	})
	return conn, err
}
