package types

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// reasons reads all constants of the type out of the source, by their words.
func reasons(t *testing.T) []Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	require.NoError(t, err)
	var all []Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != "Reason" {
			return true
		}
		for _, v := range spec.Values {
			word, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			require.NoError(t, err)
			all = append(all, Reason(word))
		}
		return true
	})
	return all
}

// Every reason says what to do, and has a row in the specification: of an error
// with its code, or of a node.
func TestEveryReasonIsExplained(t *testing.T) {
	readme, err := os.ReadFile("../../x/mpc/README.md")
	require.NoError(t, err)
	all := reasons(t)
	require.Len(t, all, len(remedies))
	seen := make(map[Reason]bool, len(all))
	for _, r := range all {
		require.False(t, seen[r], "%s is there twice", r)
		seen[r] = true
		require.NotEmpty(t, r.Remedy(), r)
		require.Regexp(t, fmt.Sprintf("(?m)^\\| (\\d+ \\| )?`%s` \\|", r), string(readme))
	}
}

// What a remedy names must be possible.
func TestRemedies(t *testing.T) {
	require.NotContains(t, ErrShareMissing.Remedy(), "backup", "there is none of a single share")
	require.NotContains(t, ErrKeyFailed.Remedy(), "wait")
	require.Contains(t, ErrKeyFailed.Remedy(), "new id")
	require.NotContains(t, ErrBadID.Remedy(), "- :", "accounts are refused with it")
	require.Contains(t, ErrBadID.Remedy(), "a colon has its place in ids of modules only")
	require.Contains(t, ErrTooFewSigners.Remedy(), "identity rotate")
	require.NotContains(t, ErrTooFewParticipants.Remedy(), "fewer", "asking for fewer is asking for less than t+1")
}
