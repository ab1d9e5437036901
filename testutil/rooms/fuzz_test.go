package rooms

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryFuzzTargetRuns: .ci/fuzz, which looks for them as text, finds every target that
// the parser finds in the tree, nested modules included, and the README names them.
func TestEveryFuzzTargetRuns(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	var want []string
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || path == filepath.Join(root, "build")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		require.NoError(t, err)
		for _, name := range fuzzTargets(t, path) {
			want = append(want, filepath.ToSlash(folder)+" "+name)
		}
		return nil
	}))
	require.Greater(t, len(want), 10, "the walk missed the tree")
	out, err := exec.CommandContext(t.Context(), filepath.Join(root, ".ci/fuzz"), "list").CombinedOutput()
	require.NoError(t, err, "%s", out)
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(t, want, got)

	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	for _, target := range want {
		_, name, _ := strings.Cut(target, " ")
		require.Contains(t, string(readme), "`"+name+"`")
	}
}

// fuzzTargets are the functions of a file that go test takes for fuzz targets.
func fuzzTargets(t *testing.T, path string) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Fuzz") || len(f.Type.Params.List) != 1 {
			continue
		}
		if star, ok := f.Type.Params.List[0].Type.(*ast.StarExpr); ok {
			if of, ok := star.X.(*ast.SelectorExpr); ok && of.Sel.Name == "F" {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}
