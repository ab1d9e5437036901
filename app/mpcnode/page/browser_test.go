package page

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sample is what a node could say. Names that are markup must not become any.
const sample = `{
  "chain_id": "seq-1", "at": "2026-01-02T03:04:05Z", "keys_left_out": true,
  "status": {"engine": "running", "operator": "seqvaloper1self", "height": 4711, "open_requests": 2, "sessions": 1, "peers": 3,
    "preparams": 2, "presignatures_ready": 4, "presignatures_parked": 12, "problem": "identity_outdated", "remedy": "register again"},
  "keys": [
    {"id": "treasury", "status": "READY", "epoch": 2, "threshold": 2, "participants": 5, "missing": [], "losses": 2, "address": "0x6FcDAAC159E6fE03b42E0000731b57506fcFd75d"},
    {"id": "edge", "status": "READY", "epoch": 0, "threshold": 2, "participants": 4, "missing": ["seqvaloper1lost"], "losses": 0},
    {"id": "gone", "status": "READY", "epoch": 0, "threshold": 2, "participants": 4, "missing": ["a", "b"], "losses": -1},
    {"id": "<img src=x onerror=alert(1)>", "status": "ERROR", "reason": "expired", "epoch": 0, "threshold": 1, "participants": 3, "missing": [], "losses": 1}
  ],
  "sessions": [{"request": "payment-1", "key_id": "treasury", "kind": "sign", "phase": "running", "round": 4, "rounds": 9, "awaiting": ["seqvaloper1slow"], "opened": "2026-01-02T03:04:00Z"}],
  "participants": [
    {"operator": "seqvaloper1self", "self": true, "registered": true, "version": 1},
    {"operator": "seqvaloper1slow", "direct": true, "registered": true, "version": 3},
    {"operator": "seqvaloper1left", "registered": false}
  ],
  "faults": [{"height": 4700, "participant": "seqvaloper1slow", "reason": "stalled", "proof": false, "request": "payment-0", "accuser": "seqvaloper1self"}]
}`

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

// TestInBrowser lets Chromium show the page, wide and as a phone does. It leaves pictures
// in PAGE_SCREENSHOTS if that names a folder.
func TestInBrowser(t *testing.T) {
	chromium := findChromium(t)
	s := httptest.NewServer(Handler(func(context.Context) (any, error) { return json.RawMessage(sample), nil }))
	defer s.Close()
	dir := os.Getenv("PAGE_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	run := func(args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		args = append([]string{
			"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=" + t.TempDir(), "--virtual-time-budget=3000",
		}, append(args, s.URL+Path)...)
		out, err := exec.CommandContext(ctx, chromium, args...).Output()
		require.NoError(t, err)
		return string(out)
	}
	dom := run("--dump-dom")
	for _, want := range []string{
		"seq-1", "4711", "identity_outdated: register again", "0x6FcDAAC159E6fE03b42E0000731b57506fcFd75d", "5 of 5", "missing: seqvaloper1lost",
		"the next loss ends it", "cannot sign", "4 of 9", "seqvaloper1slow", "5 s", "this node", "directly", "by relay", "4700", "not all keys are shown",
		"&lt;img src=x onerror=alert(1)&gt;",
	} {
		require.Contains(t, dom, want)
	}
	require.NotContains(t, dom, "<img")
	for name, size := range map[string]string{"wide": "1280,1000", "phone": "390,1800"} {
		file := filepath.Join(dir, "mpc-"+name+".png")
		run("--screenshot="+file, "--window-size="+size)
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Positive(t, info.Size())
	}
}
