package cmd

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// example is a chain that imports ours.
const example = repository + "/testutil/examplechain"

// maxDiffLines is what importing may take: some forty lines.
const maxDiffLines = 45

// importDiff is the diff that the README shows for it: the lines that were added and
// taken away, by the file that they are in.
func importDiff(t *testing.T) (added, removed map[string][]string) {
	t.Helper()
	added, removed = map[string][]string{}, map[string][]string{}
	diffs := blocks(t, "diff")
	require.Len(t, diffs, 1)
	var file string
	for line := range strings.Lines(diffs[0]) {
		line = strings.TrimSuffix(line, "\n")
		name, ok := strings.CutPrefix(line, "+++ ")
		switch {
		case ok:
			file = name
		case strings.HasPrefix(line, "+"):
			added[file] = append(added[file], line[1:])
		case strings.HasPrefix(line, "-"):
			removed[file] = append(removed[file], line[1:])
		default:
			t.Errorf("no line of a diff: %q", line)
		}
	}
	return added, removed
}

// What the README says that importing takes is what it took the example chain: each line
// stands there, in this order, what was replaced is gone, and nothing is left out that
// has to do with MPC.
func TestReadmeShowsWhatImportingTakes(t *testing.T) {
	added, removed := importDiff(t)
	var paths []string
	for _, pattern := range []string{"*.go", "app/*.go"} {
		found, err := filepath.Glob(filepath.Join(example, pattern))
		require.NoError(t, err)
		paths = append(paths, found...)
	}
	ours := regexp.MustCompile(`(?i)mpc|\blink\b|\bcli\.|PrepareCheckState|openapi\.`)
	count := 0
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "doc.go" {
			continue
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		name, err := filepath.Rel(example, path)
		require.NoError(t, err)
		lines := strings.Split(string(text), "\n")
		for _, line := range removed[name] {
			require.NotContains(t, lines, line, name)
		}
		rest := lines
		for _, line := range added[name] {
			at := slices.Index(rest, line)
			require.GreaterOrEqual(t, at, 0, "%s does not have, after the lines before it: %s", name, line)
			rest = rest[at+1:]
			count++
		}
		for _, line := range lines {
			if ours.MatchString(line) && !strings.Contains(line, `"github.com/sequencer-mpc/`) { // not an import
				require.Contains(t, added[name], line, "%s has a line that the README does not show", name)
			}
		}
		delete(added, name)
	}
	require.Empty(t, added, "files that are not there")
	require.Less(t, count, maxDiffLines)
	require.Greater(t, count, 20)
}

// It uses of ours what is meant for other chains, and nothing else.
func TestExampleImportsWhatIsMeantForIt(t *testing.T) {
	const module = "github.com/sequencer-mpc/sequencer/"
	meant := regexp.MustCompile(`^(x/mpc(/.*)?|mpc/types|app/mpcnode(/cli)?)$`)
	imports := 0
	require.NoError(t, filepath.WalkDir(example, func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range file.Imports {
			if name, ok := strings.CutPrefix(strings.Trim(imp.Path.Value, `"`), module); ok {
				require.Regexp(t, meant, name, path)
				imports++
			}
		}
		return nil
	}))
	require.Greater(t, imports, 5)
}

// The README says which versions importing takes: those of our go.mod, which the example has
// too, as it has the line that requires ours.
func TestReadmeSaysWhichVersionsImportingTakes(t *testing.T) {
	readme, ours, theirs := readText(t, "README.md"), readText(t, "go.mod"), readText(t, "testutil/examplechain/go.mod")
	takes := regexp.MustCompile(`Importing takes Go (\S+) or newer, Cosmos SDK (\S+) and CometBFT (\S+);`).FindStringSubmatch(readme)
	require.NotNil(t, takes)
	const requires = "github.com/sequencer-mpc/sequencer v0.0.0\n"
	require.Contains(t, blocks(t, ""), "require "+requires+"\nreplace github.com/sequencer-mpc/sequencer => ../sequencer\n")
	require.Contains(t, theirs, "\t"+requires)
	for _, mod := range []string{ours, theirs} {
		require.Contains(t, mod, "\ngo "+takes[1]+"\n")
		require.Contains(t, mod, "\tgithub.com/cosmos/cosmos-sdk "+takes[2]+"\n")
		require.Contains(t, mod, "\tgithub.com/cometbft/cometbft "+takes[3]+"\n")
	}
}

// The example copies the replace lines that the README gives, and adds where ours is.
func TestExampleHasTheReplaceLines(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(example, "go.mod"))
	require.NoError(t, err)
	shown := slices.IndexFunc(blocks(t, ""), func(b string) bool { return strings.HasPrefix(b, "replace (") })
	require.GreaterOrEqual(t, shown, 0)
	require.Contains(t, string(text), blocks(t, "")[shown])
	require.Equal(t, 2, strings.Count(string(text), "\nreplace "))
	require.Contains(t, string(text), "\nreplace github.com/sequencer-mpc/sequencer => ../..\n")
}
