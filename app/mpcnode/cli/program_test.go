package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

const ours = "sequencerd"

// The help of another chain's program names that, whatever its operators look at.
func TestHelpNamesTheProgram(t *testing.T) {
	before := types.Program
	t.Cleanup(func() { types.Program = before })
	types.Program = "hostd"
	named := 0
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		texts := []string{cmd.Short, cmd.Long, cmd.Example}
		cmd.Flags().VisitAll(func(f *pflag.Flag) { texts = append(texts, f.Usage) })
		for _, text := range texts {
			require.NotContains(t, text, ours, cmd.CommandPath())
			named += strings.Count(text, "hostd")
		}
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look(Command())
	look(WithIdentity(&cobra.Command{Use: "init"}))
	require.Greater(t, named, 20)
}

// All other texts with the name of our program go through types.ForProgram.
func TestTextsNameTheProgram(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		var above []ast.Node
		ast.Inspect(file, func(n ast.Node) bool {
			if n == nil {
				above = above[:len(above)-1]
				return true
			}
			if text, ok := n.(*ast.BasicLit); ok && strings.Contains(text.Value, ours) && !passesProgram(above) {
				t.Errorf("%s: %s is shown to operators of other chains too: types.ForProgram", fset.Position(text.Pos()), text.Value)
			}
			above = append(above, n)
			return true
		})
	}
}

// passesProgram says whether what is below some nodes is made to name the program: by
// types.ForProgram, withRemedy, or, being help, by speakOfProgram.
func passesProgram(above []ast.Node) bool {
	for _, n := range above {
		switch n := n.(type) {
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
