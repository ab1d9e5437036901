package ops

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The runbook has a section for each alert, and for nothing else, with what it means, what
// to do and what not to do.
func TestRunbookKnowsEveryAlert(t *testing.T) {
	text := readFile(t, "RUNBOOK.md")
	_, text, found := strings.Cut(text, "\n## Alerts\n")
	require.True(t, found)
	text, _, found = strings.Cut(text, "\n## Reasons\n")
	require.True(t, found)
	sections := map[string]string{}
	for _, section := range strings.Split(text, "\n### ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		sections[title] = body
	}
	all := alerts(t)
	for _, a := range all {
		require.Regexp(t, `(?s)^\n\*\*Means:\*\* \w.+\n\n\*\*Do:\*\* \w.+\n\n\*\*Do not:\*\* \w.+$`, sections[a.Alert], a.Alert)
	}
	require.Len(t, sections, len(all), "sections of alerts that there are not")
}

// reasonsIn reads all constants of the type Reason out of a source file, by their words.
func reasonsIn(t *testing.T, path string) (all []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Type == nil {
			return true
		}
		for _, v := range spec.Values {
			if text, ok := v.(*ast.BasicLit); ok {
				word, err := strconv.Unquote(text.Value)
				require.NoError(t, err)
				all = append(all, word)
			}
		}
		return true
	})
	return all
}

// errorsIn reads the reasons of all errors that a source file registers.
func errorsIn(t *testing.T, path string) (all []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "register" {
			word, err := strconv.Unquote(call.Args[2].(*ast.BasicLit).Value)
			require.NoError(t, err)
			all = append(all, word)
		}
		return true
	})
	return all
}

// settlementSection has the reasons of x/settlement: some of its words are others' too.
const settlementSection = "x/settlement refuses"

// The runbook has a row for each reason that operators can meet, and for nothing else. A
// section says what not to do where its rows do not.
func TestRunbookKnowsEveryReason(t *testing.T) {
	_, text, found := strings.Cut(readFile(t, "RUNBOOK.md"), "\n## Reasons\n")
	require.True(t, found)
	ours, settlement := map[string]bool{}, map[string]bool{}
	for _, section := range strings.Split(text, "\n### ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		rows := ours
		if title == settlementSection {
			rows = settlement
		}
		require.Regexp(t, `Where the last column is empty: do not \w`, strings.ReplaceAll(body, "\n", " "), title)
		for _, row := range regexp.MustCompile("(?m)^\\| `.*$").FindAllString(body, -1) {
			cells := strings.Split(strings.Trim(row, "|"), "|")
			require.Len(t, cells, 4, row)
			for _, cell := range cells[:3] {
				require.NotEmpty(t, strings.TrimSpace(cell), row)
			}
			reason := strings.Trim(cells[0], " `")
			require.False(t, rows[reason], "%s is there twice", reason)
			rows[reason] = true
		}
	}
	known := append(reasonsIn(t, "../../mpc/types/reason.go"), reasonsIn(t, "../../p2p/drop.go")...)
	require.Greater(t, len(known), 80)
	hasRows(t, ours, known)
	known = errorsIn(t, "../../x/settlement/types/errors.go")
	require.Greater(t, len(known), 20)
	hasRows(t, settlement, known)
}

// hasRows requires a row for each reason, and none for another one.
func hasRows(t *testing.T, rows map[string]bool, known []string) {
	t.Helper()
	for _, reason := range known {
		require.True(t, rows[reason], "%s has no row", reason)
	}
	require.Len(t, rows, len(known), "rows of reasons that there are not")
}
