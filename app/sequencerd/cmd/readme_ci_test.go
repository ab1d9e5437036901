package cmd

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The README says of every target of CI what it proves, by the make targets that it runs.
func TestReadmeSaysWhatCIProves(t *testing.T) {
	readme := readText(t, "README.md")
	entries, err := os.ReadDir(filepath.Join(repository, ".ci"))
	require.NoError(t, err)
	runs := regexp.MustCompile(`(?m)^\s*(?:exec )?(?:timeout \S+ )?(?:nice -n \d+ )?(make [a-z-]+)`)
	for _, e := range entries {
		if e.Name() == "promtool" {
			continue // fetches a tool for .ci/run
		}
		row := regexp.MustCompile("(?m)^\\| `\\.ci/" + e.Name() + "` \\| (.*) \\|$").FindStringSubmatch(readme)
		require.Len(t, row, 2, e.Name())
		for _, m := range runs.FindAllStringSubmatch(readText(t, ".ci/"+e.Name()), -1) {
			require.Contains(t, row[1], "`"+m[1]+"`", e.Name())
		}
	}
}

// What make test leaves out of the end-to-end tests because it takes minutes, make test-long
// runs: each by its name.
func TestLongTestsAreRun(t *testing.T) {
	pattern := regexp.MustCompile(`(?m)E2E_LONG=1 .* -run '([^']+)' \./app/e2e`).FindStringSubmatch(readText(t, "Makefile"))
	require.Len(t, pattern, 2)
	chosen := regexp.MustCompile(pattern[1])
	long := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\) \{\n\tlong\(t\)`)
	count := 0
	eachGoFile(t, func(path, text string) {
		if !strings.HasSuffix(filepath.Dir(path), "app/e2e") {
			return
		}
		for _, m := range long.FindAllStringSubmatch(text, -1) {
			require.True(t, chosen.MatchString(m[1]), "%s in %s is run by nobody", m[1], path)
			count++
		}
	})
	require.Equal(t, 11, count)
}
