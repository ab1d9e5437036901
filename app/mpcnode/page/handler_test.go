package page

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func get(t *testing.T, h http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w
}

func TestHandler(t *testing.T) {
	h := Handler(func(context.Context) (any, error) { return map[string]int{"height": 7}, nil })
	for path, kind := range map[string]string{
		Path: "text/html", Path + "page.js": "text/javascript", Path + "page.css": "text/css", statePath: "application/json",
	} {
		w := get(t, h, http.MethodGet, path)
		require.Equal(t, http.StatusOK, w.Code, path)
		require.Contains(t, w.Header().Get("Content-Type"), kind)
		require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
		require.Equal(t, http.StatusMethodNotAllowed, get(t, h, http.MethodPost, path).Code, "it only reads")
	}
	require.JSONEq(t, `{"height":7}`, get(t, h, http.MethodGet, statePath).Body.String())
	require.Equal(t, http.StatusNotFound, get(t, h, http.MethodGet, Path+"other").Code)
}

// Nothing is loaded from elsewhere, and nothing that a policy without 'unsafe-inline'
// would forbid is in the page.
func TestNoAssetsFromElsewhere(t *testing.T) {
	h := Handler(func(context.Context) (any, error) { return nil, nil })
	elsewhere := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9]|<script>|<style|\son[a-z]+=|style=`)
	for _, path := range []string{Path, Path + "page.css"} {
		require.NotRegexp(t, elsewhere, get(t, h, http.MethodGet, path).Body.String(), path)
	}
	require.NotRegexp(t, `https?:|innerHTML|insertAdjacentHTML|eval\(`, get(t, h, http.MethodGet, Path+"page.js").Body.String())
}

// However many look, the node is asked once a second; and what it could not say it is
// asked again.
func TestStateIsShared(t *testing.T) {
	now, asked, fail := time.Unix(100, 0), 0, errors.New("it is starting")
	s := &state{now: func() time.Time { return now }, ask: func(context.Context) (any, error) {
		asked++
		return asked, fail
	}}
	h := http.HandlerFunc(s.serve)
	for range 3 {
		w := get(t, h, http.MethodGet, statePath)
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Contains(t, w.Body.String(), "it is starting")
	}
	require.Equal(t, 1, asked)
	now, fail = now.Add(fresh), nil
	for range 3 {
		body, err := io.ReadAll(get(t, h, http.MethodGet, statePath).Result().Body)
		require.NoError(t, err)
		require.Equal(t, "2", string(body))
	}
	require.Equal(t, 2, asked)
}
