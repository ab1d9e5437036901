package page

import (
	"context"
	"net/http"
	"net/http/httptest"
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
		for _, header := range []string{"X-Forwarded-For", "Forwarded", "X-Forwarded-Host", "X-Real-IP"} {
			require.Equal(t, http.StatusForbidden, ask(host, header, "10.0.0.1"), header)
		}
	}
	for _, host := range []string{"evil.example:1317", "localhost.evil.example", "10.0.0.1:1317", "0.0.0.0:1317", "", "[::]:1317"} {
		require.Equal(t, http.StatusForbidden, ask(host, "", ""), host)
	}
}
