package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
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

// TestNothingIsMissing: the documents have figures of each benchmark of the tree.
func TestNothingIsMissing(t *testing.T) {
	measured, err := os.ReadFile(filepath.Join(root, measuredFile))
	require.NoError(t, err)
	parts := strings.Split(string(measured), "\n")
	declared := regexp.MustCompile(`(?m)^func (` + benchName + `\w*)\(`)
	found := 0
	require.NoError(t, filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range declared.FindAllSubmatch(text, -1) {
			found++
			require.True(t, slices.Contains(parts, partPrefix+string(m[1])), "%s: no figures of %s: make bench BENCH=%[2]s && make bench-publish", name, m[1])
		}
		return nil
	}))
	require.Greater(t, found, 10, "benchmarks of the tree")
}

func TestTables(t *testing.T) {
	all, err := parse("machine m\ncommit c\npart A\nbench a ours=1s base=2s\nbench b n=4\nbench c ours=10s base=3s\n")
	require.NoError(t, err)
	require.Equal(t, `| bench | ours | base |
|-------|------|------|
| a     | 1s   | 2s   |
| c     | 10s  | 3s   |

| bench | n |
|-------|---|
| b     | 4 |

Measured by `+"`make bench`"+` on m, of commit c.
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
