package page

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whoever is not on this machine sees nothing, by whatever way the request comes.
func TestLocal(t *testing.T) {
	h := Local(Handler(func(context.Context) (any, error) { return 7, nil }))
	ask := func(host, header, value string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, statePath, nil)
		r.Host = host
		if header != "" {
			r.Header.Set(header, value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	for _, host := range []string{"localhost:1317", "localhost", "127.0.0.1:1317", "127.0.0.1", "[::1]:1317", "[::1]"} {
		require.Equal(t, http.StatusOK, ask(host, "", ""), host)
		require.Equal(t, http.StatusOK, ask(host, "Origin", "http://"+host), host)
		require.Equal(t, http.StatusForbidden, ask(host, "Origin", "https://evil.example"), host)
		require.Equal(t, http.StatusForbidden, ask(host, "Origin", "null"), host)
		for _, header := range []string{"X-Forwarded-For", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Real-IP", "Via"} {
			require.Equal(t, http.StatusForbidden, ask(host, header, "10.0.0.1"), header)
		}
	}
	for _, host := range []string{"evil.example:1317", "localhost.evil.example", "10.0.0.1:1317", "0.0.0.0:1317", "", "[::]:1317"} {
		require.Equal(t, http.StatusForbidden, ask(host, "", ""), host)
	}
}

// A proxy that is set up with the least, as nginx by proxy_pass alone, sends the name of
// this machine and no header, and speaks HTTP/1.0.
func TestLocalRefusesOldHTTP(t *testing.T) {
	server := httptest.NewServer(Local(Handler(func(context.Context) (any, error) { return 7, nil })))
	defer server.Close()
	for proto, want := range map[string]string{"HTTP/1.1": "HTTP/1.1 200 OK", "HTTP/1.0": "HTTP/1.0 403 Forbidden"} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		_, err = fmt.Fprintf(conn, "GET %s %s\r\nHost: %s\r\nConnection: close\r\n\r\n", statePath, proto, server.Listener.Addr())
		require.NoError(t, err)
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		status, _, _ := strings.Cut(string(answer), "\r\n")
		require.Equal(t, want, status)
	}
}
