package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the module's README shows of the wiring stands so in this application, which
// compiles and runs.
func TestModuleReadmeShowsTheWiring(t *testing.T) {
	flat := func(text string) string { return regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(text, "") }
	var code strings.Builder
	for _, pattern := range []string{"*.go", "sequencerd/cmd/*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			code.WriteString("\n" + flat(string(text)))
		}
	}
	readme, err := os.ReadFile("../x/mpc/README.md")
	require.NoError(t, err)
	shown := 0
	for _, block := range regexp.MustCompile("(?ms)^```go\n(.*?)\n^```$").FindAllStringSubmatch(string(readme), -1) {
		if strings.Contains(block[1], "vault.") { // a module that asks, which this chain does not have
			continue
		}
		shown++
		for _, paragraph := range strings.Split(block[1], "\n\n") {
			require.Contains(t, code.String(), "\n"+flat(paragraph)+"\n")
		}
	}
	require.Equal(t, 4, shown)
	for _, name := range []string{"mpcnode.NewLink()", "app.link.Wake()", "MPCLink()", "MPCState()", "prepareCheckState"} {
		require.Contains(t, string(readme), name)
	}
}
