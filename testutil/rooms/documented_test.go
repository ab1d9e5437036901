package rooms

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestInterfacesAreDocumented: an exported interface says of each of its methods what it
// means. The linter asks for the documentation of everything else that is exported.
func TestInterfacesAreDocumented(t *testing.T) {
	methods := 0
	eachFile(t, func(t *testing.T, rel, path string) {
		if strings.HasSuffix(rel, "_test.go") || strings.HasSuffix(rel, ".pb.go") {
			return
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || !spec.Name.IsExported() {
				return true
			}
			declared, ok := spec.Type.(*ast.InterfaceType)
			if !ok {
				return true
			}
			for _, m := range declared.Methods.List {
				if len(m.Names) == 0 {
					continue // another interface, which is documented where it is declared
				}
				methods++
				if m.Doc == nil {
					t.Errorf("%s:%d: %s.%s is not documented", rel, files.Position(m.Pos()).Line, spec.Name, m.Names[0])
				}
			}
			return true
		})
	})
	require.Greater(t, methods, 50)
}

// TestProtoIsDocumented: what .proto files declare is documented, for it is what the
// generated code and the OpenAPI document say of it.
func TestProtoIsDocumented(t *testing.T) {
	declared := regexp.MustCompile(`^ *(message|enum|service|rpc) (\w+)`)
	found := 0
	require.NoError(t, filepath.WalkDir("../../proto", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".proto" {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { require.NoError(t, file.Close()) }()
		before := ""
		for lines := bufio.NewScanner(file); lines.Scan(); before = lines.Text() {
			if m := declared.FindStringSubmatch(lines.Text()); m != nil {
				found++
				if !strings.HasPrefix(strings.TrimSpace(before), "//") {
					t.Errorf("%s: %s %s is not documented", path, m[1], m[2])
				}
			}
		}
		return nil
	}))
	require.Greater(t, found, 80)
}
