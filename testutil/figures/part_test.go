package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hear lets parts read what go test says.
func hear(t *testing.T, p *parts, said string) {
	t.Helper()
	for line := range strings.Lines(said) {
		require.NoError(t, p.read(strings.TrimSuffix(line, "\n")))
	}
}

// What a benchmark measured is kept when it passed, and only then.
func TestPartsAreOfWhatPassed(t *testing.T) {
	const begun = "=== RUN   TestBenchA\n=== RUN   TestBenchA/3\nbench a-3 ours=1s\n    --- PASS: TestBenchA/3 (1.00s)\n"
	for name, c := range map[string]struct {
		said string
		kept bool
	}{
		"passed":                {begun + "bench a-5 ours=2s\n--- PASS: TestBenchA (2.00s)\n", true},
		"failed":                {begun + "--- FAIL: TestBenchA (2.00s)\n", false},
		"interrupted":           {begun, false},
		"skipped":               {"=== RUN   TestBenchA\n--- SKIP: TestBenchA (0.00s)\n", false},
		"without a figure":      {"=== RUN   TestBenchA\n--- PASS: TestBenchA (0.00s)\n", false},
		"another one's":         {begun + "=== RUN   TestOther\n--- PASS: TestOther (0.00s)\n", false},
		"no line of go test's":  {begun + "  --- PASS: TestBenchA (2.00s)\n", false},
		"a figure before a run": {"bench a ours=1s\n--- PASS: TestBenchA (2.00s)\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := parts{dir: t.TempDir(), from: origin{"m", "c"}}
			before := "=== RUN   TestBenchA\nbench a-3 ours=9s\n--- PASS: TestBenchA (2.00s)\n"
			hear(t, &p, before)
			p.running = ""
			hear(t, &p, c.said)
			text, missing, err := collect(p.dir, []string{"TestBenchA"})
			require.NoError(t, err)
			switch {
			case c.kept:
				require.Equal(t, "machine m\ncommit c\npart TestBenchA\nbench a-3 ours=1s\nbench a-5 ours=2s\n", text)
			case strings.HasPrefix(c.said, "bench"): // it did not run: what it measured before stands
				require.Contains(t, text, "ours=9s")
			default:
				require.Equal(t, []string{"TestBenchA"}, missing)
				require.Empty(t, text)
			}
		})
	}
}

// Each is a measurement that has figures, and is not published.
func TestOnlyAWholeMeasurementIsPublished(t *testing.T) {
	const readme = begin + end
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, readmeFile), []byte(readme), 0o600))
	for _, name := range []string{measuredFile, docFile} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
	}
	benches := []string{"TestBenchA", "TestBenchB"}
	p := parts{dir: t.TempDir(), from: origin{"m", "c"}}
	hear(t, &p, "=== RUN   TestBenchA\nbench a ours=1s base=2s\n--- PASS: TestBenchA (1.00s)\n")
	refused := func(want string) {
		t.Helper()
		require.ErrorContains(t, publish(root, p.dir, benches), want)
		text, err := os.ReadFile(filepath.Join(root, readmeFile))
		require.NoError(t, err)
		require.Equal(t, readme, string(text), "nothing was written")
	}
	refused("lacks TestBenchB")
	measureB := func(from origin) {
		t.Helper()
		p.from = from
		hear(t, &p, "=== RUN   TestBenchB\nbench b ours=3s base=4s\n--- PASS: TestBenchB (1.00s)\n")
	}
	measureB(origin{"other", "c"})
	refused("another machine")
	measureB(origin{"m", "other" + dirty})
	refused("TestBenchB was measured with changes that no commit has (other-dirty)")
	measureB(origin{"m", "other"})
	require.NoError(t, publish(root, p.dir, benches))
	text, err := os.ReadFile(filepath.Join(root, readmeFile))
	require.NoError(t, err)
	require.Contains(t, string(text), "| a     | 1s   | 2s   |\n| b     | 3s   | 4s   |")
	documents, err := os.ReadFile(filepath.Join(root, measuredFile))
	require.NoError(t, err)
	require.Contains(t, string(documents), "machine m\ncommit c\npart TestBenchA\nbench a")
	require.Contains(t, string(documents), "commit other\npart TestBenchB\nbench b")
	require.Contains(t, string(text), "of commit c, but TestBenchB of other.")
}

// What cannot be checked out cannot be measured again.
func TestUncommittedCodeIsNotPublished(t *testing.T) {
	p := parts{dir: t.TempDir(), from: origin{"m", "c" + dirty}}
	hear(t, &p, "=== RUN   TestBenchA\nbench a ours=1s base=2s\n--- PASS: TestBenchA (1.00s)\n")
	require.ErrorContains(t, publish(t.TempDir(), p.dir, []string{"TestBenchA"}), "no commit has (c-dirty)")
}

// The go command names them, not this program.
func TestListBenches(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"go.mod":    "module suite\n",
		"x_test.go": "package suite\n\nimport \"testing\"\n\nfunc TestBenchB(*testing.T) {}\nfunc TestOther(*testing.T) {}\nfunc TestBench(*testing.T) {}\n",
	} {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
	benches, err := listBenches(t.Context(), ".")
	require.NoError(t, err)
	require.Equal(t, []string{"TestBenchB", "TestBench"}, benches)
	_, err = listBenches(t.Context(), "./none")
	require.ErrorContains(t, err, "./none")
}
