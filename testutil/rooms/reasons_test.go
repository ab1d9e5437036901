package rooms

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each typed reason says what it means where it is declared: whoever branches on it reads it
// there, or in the documentation of its package.
func TestReasonsSayWhatTheyMean(t *testing.T) {
	reasons := 0
	eachFile(t, func(t *testing.T, rel, path string) {
		if strings.HasSuffix(rel, "_test.go") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			constants, ok := d.(*ast.GenDecl)
			if !ok || constants.Tok != token.CONST {
				continue
			}
			for _, s := range constants.Specs {
				spec := s.(*ast.ValueSpec)
				if !isReason(spec.Type) || !spec.Names[0].IsExported() {
					continue
				}
				reasons++
				name := spec.Names[0].Name
				require.True(t, strings.HasPrefix(spec.Doc.Text(), name+": "), "%s: %s has no line that says what it means", rel, name)
			}
		}
	})
	require.Greater(t, reasons, 100)
}

// isReason reports whether a type is types.Reason.
func isReason(e ast.Expr) bool {
	if s, ok := e.(*ast.SelectorExpr); ok {
		e = s.Sel
	}
	name, ok := e.(*ast.Ident)
	return ok && name.Name == "Reason"
}
