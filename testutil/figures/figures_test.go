package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// TestDocumentsShowWhatWasMeasured fails where somebody typed a figure.
func TestDocumentsShowWhatWasMeasured(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		return string(text)
	}
	documents, err := render(read(measuredFile), read(readmeFile))
	require.NoError(t, err)
	require.NotEmpty(t, documents)
	for name, content := range documents {
		require.Equal(t, content, read(name), "%s: make bench && make bench-publish", name)
	}
}

// Each benchmark of the tree is among them.
func TestNothingIsMissing(t *testing.T) {
	measured, err := os.ReadFile(filepath.Join(root, measuredFile))
	require.NoError(t, err)
	declared := regexp.MustCompile(`(?m)^func (` + benchName + `\w*)\(`)
	found := 0
	for _, suite := range suites {
		files, err := filepath.Glob(filepath.Join(root, suite, "*_test.go"))
		require.NoError(t, err)
		for _, name := range files {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, m := range declared.FindAllSubmatch(text, -1) {
				require.Contains(t, string(measured), partPrefix+string(m[1])+"\n", "make bench BENCH=%s && make bench-publish", m[1])
				found++
			}
		}
	}
	require.Greater(t, found, 5)
}

func TestTables(t *testing.T) {
	all, err := parse("machine m\nbench a ours=1s base=2s\nbench b n=4\nbench c ours=10s base=3s\n")
	require.NoError(t, err)
	require.Equal(t, `| bench | ours | base |
|-------|------|------|
| a     | 1s   | 2s   |
| c     | 10s  | 3s   |

| bench | n |
|-------|---|
| b     | 4 |

Measured by `+"`make bench`"+` on m.
`, all.markdown())
	for name, text := range map[string]string{
		"no figures": "bench a\n", "a figure without a name": "bench a 3\n", "something else": "ok\n",
	} {
		_, err := parse(text)
		require.Error(t, err, name)
	}
}

func TestNoPlaceForFigures(t *testing.T) {
	for _, readme := range []string{"", begin, end} {
		_, err := render("machine m\n", readme)
		require.ErrorContains(t, err, "no place")
	}
}
