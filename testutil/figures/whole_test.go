package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each is a measurement that has figures, and is not published.
func TestOnlyAWholeMeasurementIsPublished(t *testing.T) {
	const readme = begin + end
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, readmeFile), []byte(readme), 0o600))
	for _, name := range []string{measuredFile, docFile} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
	}
	from := filepath.Join(root, "bench.txt")
	publishes := func(verdict string) error {
		require.NoError(t, os.WriteFile(from, []byte("machine m\nbench a ours=1s base=2s\n"+verdict), 0o600))
		return publish(root, from)
	}
	for verdict, want := range map[string]string{
		verdict([]string{"TestBenchA", "TestBenchB"}, benchName):                   "TestBenchA, TestBenchB",
		verdict(nil, "TestBench$/sign"):                                            "parts of benchmarks, by -run TestBench$/sign",
		verdict([]string{"all of ./app/e2e"}, benchName) + verdict(nil, benchName): "./app/e2e",
		"": "interrupted",
	} {
		require.ErrorContains(t, publishes(verdict), want)
		text, err := os.ReadFile(filepath.Join(root, readmeFile))
		require.NoError(t, err)
		require.Equal(t, readme, string(text), "nothing was written")
	}
	require.NoError(t, publishes(verdict(nil, benchName)))
	text, err := os.ReadFile(filepath.Join(root, readmeFile))
	require.NoError(t, err)
	require.Contains(t, string(text), "| a     | 1s   | 2s   |")
}

// What go test says decides, and nothing that looks like it.
func TestPassed(t *testing.T) {
	for line, want := range map[string]string{
		"--- PASS: TestBench (12.00s)": "TestBench", "    --- PASS: TestBench/sign (1.00s)": "", "--- FAIL: TestBench (1.00s)": "",
		"--- SKIP: TestBench (0.00s)": "", "=== RUN   TestBench": "", "bench a ours=1s": "",
	} {
		require.Equal(t, want, passed(line), line)
	}
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
