package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

const ours = "sequencerd"

// ourChain finds what begins the addresses, coins and chain ids of our own chain: all
// words in seq but those of everyday language, the program, and the project, whose proto
// package and metrics are the same on every chain.
func ourChain(text string) string {
	for _, word := range regexp.MustCompile(`(?i)\bu?seq[a-z0-9_-]*`).FindAllString(text, -1) {
		if !regexp.MustCompile(`^(?i:sequen(ce[sd]?|tial(ly)?)|sequencerd?|sequencer_mpc_?|sequencer-mpc)$`).MatchString(word) {
			return word
		}
	}
	return ""
}

func TestOurChainIsFound(t *testing.T) {
	for text, want := range map[string]string{
		"seqvaloper1...,": "seqvaloper1", "--from seq1abc": "seq1abc", "0useq": "", "1 useq": "useq", "--chain-id seq-1": "seq-1",
		"seq-local-1": "seq-local-1", "SEQUENCERD_HOME": "SEQUENCERD_HOME", "Seqval": "Seqval", "a sequence of sequencers": "sequencers",
		"sequencerd mpc": "", "out of sequence": "", "hostvaloper1x": "", "consequence": "",
	} {
		require.Equal(t, want, ourChain(text), text)
	}
}

// The help of another chain's program names that, whatever its operators look at.
func TestHelpNamesTheProgram(t *testing.T) {
	before := types.Program
	t.Cleanup(func() { types.Program = before })
	types.Program = "hostd"
	named := 0
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		texts := []string{cmd.Use, cmd.Short, cmd.Long, cmd.Example}
		cmd.Flags().VisitAll(func(f *pflag.Flag) { texts = append(texts, f.Usage, f.DefValue) })
		for _, text := range texts {
			require.NotContains(t, text, ours, cmd.CommandPath())
			require.Empty(t, ourChain(text), cmd.CommandPath())
			named += strings.Count(text, "hostd")
		}
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look(Command(PayloadCommand(types.NewPayloadKinds())))
	look(WithIdentity(&cobra.Command{Use: "init"}))
	require.Greater(t, named, 20)
}

// All other texts, here and in mpcnode, with the name of our program go through
// types.ForProgram, and none names what belongs to our chain alone.
func TestTextsNameTheProgram(t *testing.T) {
	texts := 0
	for _, folder := range []string{".", ".."} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		require.NoError(t, err)
		for _, path := range files {
			if !strings.HasSuffix(path, "_test.go") {
				texts += checkTexts(t, path)
			}
		}
	}
	require.Greater(t, texts, 500)
}

// checkTexts checks and counts the texts in a file.
func checkTexts(t *testing.T, path string) (texts int) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var above []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil:
			above = above[:len(above)-1]
			return true
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			if n.Kind != token.STRING {
				break
			}
			texts++
			text, err := strconv.Unquote(n.Value)
			require.NoError(t, err)
			if strings.Contains(text, ours) && !passesProgram(above) {
				t.Errorf("%s: %s is shown to operators of other chains too: types.ForProgram", fset.Position(n.Pos()), n.Value)
			}
			if word := ourChain(text); word != "" {
				t.Errorf("%s: other chains have no %q", fset.Position(n.Pos()), word)
			}
		}
		above = append(above, n)
		return true
	})
	return texts
}

// passesProgram says whether what is below some nodes is made to name the program: by
// types.ForProgram, withRemedy, or, being help, by speakOfProgram.
func passesProgram(above []ast.Node) bool {
	for _, n := range above {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if n.Names[0].Name == "configTemplate" { // Template hands it over
				return true
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "Short" || key.Name == "Long" || key.Name == "Example") {
				return true
			}
		case *ast.CallExpr:
			switch f := n.Fun.(type) {
			case *ast.Ident:
				if f.Name == "withRemedy" {
					return true
				}
			case *ast.SelectorExpr:
				if flags, ok := f.X.(*ast.CallExpr); ok {
					if of, ok := flags.Fun.(*ast.SelectorExpr); ok && of.Sel.Name == "Flags" {
						return true
					}
				}
				if f.Sel.Name == "ForProgram" {
					return true
				}
			}
		}
	}
	return false
}

func TestWrongOperatorIsNamed(t *testing.T) {
	for _, args := range [][]string{
		{"mpc", "add-genesis-participant", "cosmosvaloper1xyz"}, {"mpc", "backup", "verify", "folder", "--participant", "cosmosvaloper1xyz"},
	} {
		_, err := run(t, fullNode(t), args...)
		require.ErrorContains(t, err, "(hostvaloper...)")
	}
}
