package cmd

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// repository is the root of the project.
const repository = "../../.."

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	require.NoError(t, err)
	return string(text)
}

// blocks are the README's fenced blocks of a language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	var out []string
	for _, m := range regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$").FindAllStringSubmatch(readText(t, "README.md"), -1) {
		if m[1] == language {
			out = append(out, m[2])
		}
	}
	require.NotEmpty(t, out)
	return out
}

// Whoever imports the module copies the replace lines from the README.
func TestReadmeHasTheReplaceLines(t *testing.T) {
	const begin = "replace ("
	var shown string
	for _, b := range blocks(t, "") {
		if strings.HasPrefix(b, begin) {
			shown = b
		}
	}
	_, after, found := strings.Cut(readText(t, "go.mod"), begin)
	require.True(t, found)
	body, _, found := strings.Cut(after, "\n)")
	require.True(t, found)
	require.Equal(t, begin+body+"\n)\n", shown)
	require.NotContains(t, after, "replace ", "all of them are in one block")
}

// commands are what the README tells people to call, without the program's name.
func commands(t *testing.T) []string {
	t.Helper()
	heads := map[string]string{
		"sequencerd ": "", "build/sequencerd ": "", "seqd ": "", "ask ": "tx mpc ", "query ": "query mpc ", "await ": "query mpc ",
	}
	var out []string
	inner := regexp.MustCompile(`\$\(sequencerd ([^)]+)\)`)
	for _, b := range blocks(t, "sh") {
		for _, m := range inner.FindAllStringSubmatch(b, -1) {
			out = append(out, m[1])
		}
		for line := range strings.Lines(b) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
			for head, stands := range heads {
				if rest, ok := strings.CutPrefix(line, head); ok && !strings.Contains(rest, "$@") {
					out = append(out, stands+inner.ReplaceAllString(rest, "ANSWER"))
				}
			}
		}
	}
	for _, m := range regexp.MustCompile("`sequencerd ([^`]+)`").FindAllStringSubmatch(readText(t, "README.md"), -1) {
		out = append(out, m[1])
	}
	return out
}

// Every command and flag of the README is there.
func TestReadmeCommandsAreThere(t *testing.T) {
	all := commands(t)
	require.Greater(t, len(all), 10)
	root := NewRoot()
	for _, line := range all {
		words := strings.Fields(line)
		cmd, rest, err := root.Find(words)
		require.NoError(t, err, line)
		require.False(t, cmd.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-"), "%q is no command", line)
		require.True(t, cmd.HasParent(), "%q is no command", line)
		for _, word := range words {
			name, isFlag := strings.CutPrefix(word, "--")
			if !isFlag {
				continue
			}
			name, _, _ = strings.Cut(name, "=")
			var flag *pflag.Flag
			if flag = cmd.Flags().Lookup(name); flag == nil {
				flag = cmd.InheritedFlags().Lookup(name)
			}
			require.NotNil(t, flag, "%q has no flag --%s", line, name)
		}
	}
}

// The README names the oldest Go that go.mod takes.
func TestReadmeNamesTheGoVersion(t *testing.T) {
	m := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(readText(t, "go.mod"))
	require.Len(t, m, 2)
	require.Contains(t, readText(t, "README.md"), "need Go "+m[1]+" or newer")
}

// Every make target, file, folder and fuzz target of the README is there.
func TestReadmeNamesWhatIsThere(t *testing.T) {
	readme, makefile, tests := readText(t, "README.md"), readText(t, "Makefile"), fuzzTargets(t)
	found := func(pattern string) (names []string) {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(readme, -1) {
			names = append(names, m[1])
		}
		require.NotEmpty(t, names, pattern)
		return names
	}
	for _, target := range found("(?m)(?:^|`)make ([a-z-]+)") {
		require.Regexp(t, `(?m)^`+target+`:`, makefile)
	}
	for _, path := range append(found(`\]\(([^):]+)\)`), found("(?m)^\\| `([^`]+)`")...) {
		_, err := os.Stat(filepath.Join(repository, path))
		require.NoError(t, err)
	}
	for _, target := range found("`(Fuzz[A-Za-z]+)`") {
		require.Contains(t, tests, target)
	}
}

// fuzzTargets are all of the project.
func fuzzTargets(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	target := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	eachGoFile(t, func(path, text string) {
		for _, m := range target.FindAllStringSubmatch(text, -1) {
			out[m[1]] = true
		}
	})
	return out
}

// Each package says in its doc.go what it is for, as the README promises.
func TestPackagesHaveADoc(t *testing.T) {
	folders := map[string]bool{}
	eachGoFile(t, func(path, _ string) { folders[filepath.Dir(path)] = true })
	require.Greater(t, len(folders), 20)
	for dir := range folders {
		text, err := os.ReadFile(filepath.Join(dir, "doc.go"))
		require.NoError(t, err)
		require.Regexp(t, `(?m)\A(//.*\n)+package `, string(text), dir)
	}
}

func eachGoFile(t *testing.T, f func(path, text string)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "build" || d.Name() == "testdata" || d.Name() == ".git"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		text, err := os.ReadFile(path)
		f(path, string(text))
		return err
	}))
}
