package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/client/flags"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/mpc/types"
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
func blocks(t *testing.T, language string) []string { return blocksOf(t, "README.md", language) }

// blocksOf are those of a document.
func blocksOf(t *testing.T, document, language string) []string {
	t.Helper()
	var out []string
	for _, m := range regexp.MustCompile("(?ms)^ *```([a-z]*)\n(.*?)^ *```$").FindAllStringSubmatch(readText(t, document), -1) {
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

// answer is what a command in $( ) gives, or a file that is read there.
const answer = "ANSWER"

// operatorsDocuments tell people what to call.
var operatorsDocuments = []string{"README.md", "app/ops/README.md", "app/ops/RUNBOOK.md", "x/settlement/README.md", "x/mpc/README.md"}

// commands are what a document tells people to call, without the program's name.
func commands(t *testing.T, document string) []string {
	t.Helper()
	heads := map[string]string{
		"sequencerd ": "", "build/sequencerd ": "", "sudo -u sequencer sequencerd ": "", "seqd ": "", "ask ": "tx mpc ", "query ": "query mpc ", "await ": "query mpc ",
	}
	var out []string
	inner := regexp.MustCompile(`\$\((?:sequencerd|seqd) ([^)]+)\)`)
	for _, b := range blocksOf(t, document, "sh") {
		for _, m := range inner.FindAllStringSubmatch(b, -1) {
			out = append(out, m[1])
		}
		for line := range strings.Lines(b) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
			for head, stands := range heads {
				if rest, ok := strings.CutPrefix(line, head); ok && !strings.Contains(rest, "$@") {
					out = append(out, stands+inner.ReplaceAllString(rest, answer))
				}
			}
		}
	}
	for _, m := range regexp.MustCompile("`sequencerd ([^`]+)`").FindAllStringSubmatch(readText(t, document), -1) {
		out = append(out, m[1])
	}
	return out
}

// wordsOf splits a command as a shell does, up to a pipe or a file: what stands in
// quotes is one word. Placeholders become what they stand for.
func wordsOf(line string) []string {
	line = regexp.MustCompile(`"[^"]*"|'[^']*'`).ReplaceAllString(line, answer)
	line, _, _ = strings.Cut(line, " | ")
	line, _, _ = strings.Cut(line, " > ")
	line = regexp.MustCompile(`seqvaloper1\.\.\.|\bOPERATOR\b`).ReplaceAllString(line, operator)
	line = regexp.MustCompile(`--height N\b`).ReplaceAllString(line, "--height 1")
	return strings.Fields(line)
}

// commandTree is what a person calls: the root, with the flag that running it adds.
func commandTree() *cobra.Command {
	root := NewRoot()
	root.PersistentFlags().String(flags.FlagHome, app.DefaultHome, "")
	return root
}

// checkCommand fails where there is no such command, or it does not take these flags
// with these values. whole says that nothing but the command stands there.
func checkCommand(t *testing.T, root *cobra.Command, line string, whole bool) {
	t.Helper()
	cmd, rest, err := root.Find(wordsOf(line))
	require.NoError(t, err, line)
	require.False(t, cmd.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-"), "%q is no command", line)
	require.True(t, cmd.HasParent(), "%q is no command", line)
	err = cmd.ParseFlags(rest)
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	require.NoError(t, err, line)
	if whole && cmd.Flags().NArg() > 0 {
		require.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()), line)
	}
}

// Every command and flag of the documents is there, and takes the value that it has.
func TestReadmeCommandsAreThere(t *testing.T) {
	root := commandTree()
	for _, document := range operatorsDocuments {
		all := commands(t, document)
		require.NotEmpty(t, all, document)
		for _, line := range all {
			t.Run(line, func(t *testing.T) { checkCommand(t, root, line, true) })
		}
	}
}

// So are those of help texts, and of what errors tell people to do.
func TestCommandsOfTextsAreThere(t *testing.T) {
	root := commandTree()
	examples, said := helpTexts(t, root)
	for _, text := range remedies(t) {
		said = append(said, commandsIn(text)...)
	}
	require.Greater(t, len(examples), 10)
	require.Greater(t, len(said), 50)
	for _, line := range examples {
		t.Run(line, func(t *testing.T) { checkCommand(t, root, line, true) })
	}
	for _, line := range said {
		t.Run(line, func(t *testing.T) { checkCommand(t, root, line, false) })
	}
}

// Nobody is told to type a reshare that names no participants: it gives the key to all bonded
// validators.
func TestReshareNamesItsParticipants(t *testing.T) {
	examples, said := helpTexts(t, commandTree())
	all := append(examples, said...)
	for _, document := range operatorsDocuments {
		all = append(all, commands(t, document)...)
	}
	for _, text := range remedies(t) {
		all = append(all, commandsIn(text)...)
		require.NotContains(t, text, "tx mpc reshare", "what is lost comes back by a refresh")
	}
	reshares, refreshes := 0, 0
	for _, line := range all {
		words := wordsOf(line)
		switch {
		case len(words) > 3 && (strings.HasPrefix(line, "tx mpc reshare ") || strings.HasPrefix(line, "tx mpc reshare-proposal ")):
			require.Contains(t, line, "--participants")
			reshares++
		case strings.HasPrefix(line, "tx mpc refresh"):
			refreshes++
		}
	}
	require.Greater(t, reshares, 2)
	require.Greater(t, refreshes, 5)
}

// helpTexts are the commands in the help of all commands of ours: those of examples, and
// those that are spoken of.
func helpTexts(t *testing.T, root *cobra.Command) (examples, said []string) {
	t.Helper()
	said = commandsIn(root.Long)
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		examples, said = append(examples, commandsIn(cmd.Example)...), append(said, commandsIn(cmd.Long)...)
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	for _, path := range [][]string{{"init"}, {"start"}, {"localnet"}, {"mpc"}, {"query", "mpc"}, {"tx", "mpc"}, {"settlement"}, {"query", "settlement"}, {"tx", "settlement"}} {
		cmd, _, err := root.Find(path)
		require.NoError(t, err)
		look(cmd)
	}
	return examples, said
}

// commandsIn finds the commands in a text, without the program's name: each up to the end
// of the sentence, of the line or of the column, whatever of it may be prose. A line that
// ends in a backslash goes on.
func commandsIn(text string) (found []string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for _, m := range regexp.MustCompile(`\bsequencerd\s+([^\n;()]+)`).FindAllStringSubmatch(text, -1) {
		line, _, _ := strings.Cut(m[1], "sequencerd ")
		line, _, _ = strings.Cut(line, "    ")
		line = regexp.MustCompile(`[.,:"]+(\s|$)`).ReplaceAllString(line, " ")
		found = append(found, strings.TrimSpace(line))
	}
	return found
}

// remedies are what is said of every reason.
func remedies(t *testing.T) (texts []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`Reason = "(\w+)"`).FindAllStringSubmatch(readText(t, "mpc/types/reason.go"), -1) {
		texts = append(texts, types.Reason(m[1]).Remedy())
	}
	require.Greater(t, len(texts), 50)
	return texts
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
		path, _, _ = strings.Cut(path, "#")
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
