package page

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Path is where the page is; everything that belongs to it is below.
const Path = "/mpc/"

const statePath = Path + "state.json"

// fresh is how old what the page shows may be: however many look, the node is asked this
// often.
const fresh = time.Second

// askTimeout bounds one answer of the node.
const askTimeout = 5 * time.Second

//go:embed static
var static embed.FS

// Asker says how things stand, as what becomes JSON; the script of the page knows its
// fields. It is called by one goroutine at a time.
type Asker func(context.Context) (any, error)

// Handler serves the page below Path. It answers GET and HEAD only.
func Handler(ask Asker) http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	s := &state{ask: ask, now: time.Now}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+statePath, s.serve)
	mux.Handle("GET "+Path, http.StripPrefix(strings.TrimSuffix(Path, "/"), http.FileServerFS(files)))
	return guarded(mux)
}

// guarded forbids browsers to load, send or show anything that is not the page's own.
func guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

// state is the last answer of the node.
type state struct {
	ask Asker
	now func() time.Time

	mu   sync.Mutex
	at   time.Time
	json []byte
	err  error
}

func (s *state) serve(w http.ResponseWriter, r *http.Request) {
	text, err := s.read(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // an error is that of a caller who has gone
}

// read asks the node, or gives the answer of less than a second ago. Whoever asks
// first may go before the answer is there; others wait for it all the same.
func (s *state) read(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.at.IsZero() && s.now().Sub(s.at) < fresh {
		return s.json, s.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer cancel()
	s.json, s.err = nil, nil
	answer, err := s.ask(ctx)
	if err == nil {
		s.json, err = json.Marshal(answer)
	}
	if err != nil {
		s.err = fmt.Errorf("the node does not answer: %w", err)
	}
	s.at = s.now()
	return s.json, s.err
}
