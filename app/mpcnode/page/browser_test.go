package page_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/app/mpcnode/page"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// sample is what a node could say. Names that are markup must not become any.
func sample() mpcnode.PageReport {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return mpcnode.PageReport{
		ChainID: "seq-1", At: at, KeysLeftOut: true,
		Status: mpcnode.StatusReport{
			Engine: mpcnode.EngineRunning, Operator: "seqvaloper1self", Height: 4711, OpenRequests: 2, Sessions: 1, Peers: 3, Preparams: 2,
			PresignaturesReady: 4, PresignaturesParked: 12, Problem: "database_missing", Remedy: "restore it", IdentityOutdated: 2, ClockAhead: 61.4,
			Withheld:    []mpcnode.WithheldShare{{KeyID: "kept", Epoch: 3, Why: "other_key", Remedy: "look at the chain"}},
			UnknownKeys: []string{"stray-1", "stray-2"},
		},
		Keys: []mpcnode.PageKey{
			{ID: "treasury", Status: "READY", Epoch: 2, Threshold: 2, Participants: 5, Missing: []string{}, Revoked: []string{}, Losses: 2, Address: "0x6FcDAAC159E6fE03b42E0000731b57506fcFd75d"},
			{ID: "edge", Status: "READY", Threshold: 2, Participants: 4, Missing: []string{"seqvaloper1lost"}, Revoked: []string{"seqvaloper1lost"}},
			{ID: "gone", Status: "READY", Threshold: 2, Participants: 4, Missing: []string{"a"}, Revoked: []string{"seqvaloper1left"}, Losses: -1},
			{ID: "<img src=x onerror=alert(1)>", Status: "ERROR", Reason: "expired", Threshold: 1, Participants: 3, Missing: []string{}, Revoked: []string{}, Losses: 1},
		},
		Sessions: []mpcnode.SessionReport{{
			Request: "payment-1", KeyID: "treasury", Kind: "sign", Phase: "running", Round: 4, Rounds: 9, Awaiting: []string{"seqvaloper1slow"}, Opened: at.Add(-5 * time.Second),
		}},
		Participants: []mpcnode.PageParticipant{
			{Operator: "seqvaloper1self", Self: true, Registered: true, Version: 1}, {Operator: "seqvaloper1slow", Direct: true, Registered: true, Version: 3},
			{Operator: "seqvaloper1left"},
		},
		Refusals: []mpcnode.PageRefusal{{
			Request: "payout-9", KeyID: "treasury", Status: "ERROR",
			RefusalReport: mpcnode.RefusalReport{Operator: "seqvaloper1self", Reason: string(types.ErrPolicy), Remedy: types.ErrPolicy.Remedy()},
		}},
		Faults: []mpcnode.PageFault{{Height: 4700, Participant: "seqvaloper1slow", Reason: "stalled", Request: "payment-0", Accuser: "seqvaloper1self"}},
	}
}

// stretched is a report with words as long as they may be.
func stretched(r mpcnode.PageReport) mpcnode.PageReport {
	word := strings.Repeat("k", types.MaxIDBytes)
	r.ChainID = word[:50]
	r.Status.Operator, r.Status.UnknownKeys = word, []string{word}
	r.Keys = append(r.Keys, mpcnode.PageKey{ID: word, Status: "ERROR", Reason: word, Threshold: 1, Participants: 3, Missing: []string{word}, Revoked: []string{word}, Losses: 1})
	r.Participants = append(r.Participants, mpcnode.PageParticipant{Operator: word})
	r.Sessions[0].Request, r.Sessions[0].Awaiting = word, []string{word, word}
	r.Faults[0].Participant, r.Faults[0].Request = word, word
	return r
}

// findChromium skips where there is none, unless BROWSER_REQUIRED says that there must be.
func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("BROWSER_REQUIRED") != "" {
		t.Fatal("there is no chromium, and this run must look at the page with one")
	}
	t.Skip("there is no chromium; .ci/deep looks at the page with one")
	return ""
}

// phonePath is where asPhone has it.
const phonePath = "/phone"

// asPhone is the page on a screen as narrow as a phone's: a window of a browser may not be
// made so narrow, and a frame may, which the page itself forbids. It says how wide the page
// wants to be.
func asPhone(h http.Handler) http.Handler {
	const width, height = 390, 1800
	frame := fmt.Sprintf(`<!doctype html><body style="margin:0"><iframe src="%s" width=%d height=%d style="border:0"></iframe><p id="said"></p><script>
setInterval(() => {
  const page = document.querySelector("iframe").contentDocument.documentElement;
  if (page.querySelectorAll("#keys td").length > 1) said.textContent = page.scrollWidth + " of " + page.clientWidth + " pixels";
}, 50);
</script>`, page.Path, width, height)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == phonePath {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, frame)
			return
		}
		h.ServeHTTP(framed{w}, r)
	})
}

// framed lets what is answered stand in a frame.
type framed struct{ http.ResponseWriter }

func (f framed) WriteHeader(code int) {
	f.Header().Del("Content-Security-Policy")
	f.ResponseWriter.WriteHeader(code)
}

// TestInBrowser lets Chromium show the page, wide and as a phone does. It leaves pictures
// in PAGE_SCREENSHOTS if that names a folder.
func TestInBrowser(t *testing.T) {
	chromium := findChromium(t)
	serve := func(wrap func(http.Handler) http.Handler, report mpcnode.PageReport) string {
		s := httptest.NewServer(wrap(page.Local(page.Handler(func(context.Context) (any, error) { return report, nil }))))
		t.Cleanup(s.Close)
		return s.URL
	}
	wide := serve(func(h http.Handler) http.Handler { return h }, sample()) + page.Path
	dir := os.Getenv("PAGE_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	run := func(args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		args = append([]string{
			"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
			"--user-data-dir=" + t.TempDir(), "--virtual-time-budget=3000",
		}, args...)
		out, err := exec.CommandContext(ctx, chromium, args...).Output()
		require.NoError(t, err)
		return string(out)
	}
	dom := run("--dump-dom", wide)
	for _, want := range []string{
		"seq-1", "4711", "database_missing: restore it", "identity_outdated: the chain goes by version 2", "catching_up: the clock of this node is 61 s ahead",
		"kept: a share of epoch 3 is kept though the chain has no use for it: other_key. look at the chain", "stray-1, stray-2", "0x6FcDAAC159E6fE03b42E0000731b57506fcFd75d", "5 of 5", "3 of 4", "missing: seqvaloper1lost", "2 of 4", "no identity: seqvaloper1left",
		"payout-9", "policy_refused", types.ErrPolicy.Remedy(), "the next loss ends it", "cannot sign", "4 of 9", "seqvaloper1slow", "5 s", "this node", "directly", "by relay", "4700", "not all keys are shown",
		"&lt;img src=x onerror=alert(1)&gt;",
	} {
		require.Contains(t, dom, want)
	}
	require.NotContains(t, dom, "<img")
	require.Contains(t, run("--dump-dom", serve(asPhone, stretched(sample()))+phonePath), "390 of 390 pixels", "on a phone nothing is beside the screen")
	for name, look := range map[string]struct{ size, url string }{
		"wide": {"1280,1000", wide}, "phone": {"390,1800", serve(asPhone, sample()) + phonePath},
	} {
		file := filepath.Join(dir, "mpc-"+name+".png")
		run("--screenshot="+file, "--window-size="+look.size, look.url)
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Positive(t, info.Size())
	}
}
