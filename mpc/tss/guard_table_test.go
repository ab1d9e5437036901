package tss_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// elsewhere are the rules that have tests of their own: they take more than one
// forged message.
func elsewhere() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"all body: no unknown field, none missing":          TestRoundIsComplete,
		"all broadcast flag: follows from the type":         TestWrongFlagHangs,
		"s3 all theta: sum is not 0":                        TestOppositeTheta,
		"dg1 EcdsaPub: the key, from every old member":      TestReshareOfAnotherKey,
		"dg1 Ssid: one for all, ours if we know it":         TestReshareSessionID,
		"dg* sender: of the committee that sends this type": TestReshareCommittees,
	}
}

// verdicts are the words of the table's last column, beside depth.
var verdicts = regexp.MustCompile(`\b(dies|panics|works|accepts|misnames|hangs)\b`)

// tableRow is a rule of doc.go's table.
type tableRow struct{ message, field, rule, closes string }

func (r tableRow) title() string { return r.message + " " + r.field + ": " + r.rule }

// guardTable reads the table of the guard's rules in doc.go.
func guardTable(t *testing.T) []tableRow {
	t.Helper()
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(doc), "//\tmessage  field")
	require.True(t, found)
	var rows []tableRow
	for _, line := range strings.Split(table, "\n")[1:] {
		line, inTable := strings.CutPrefix(line, "//\t")
		if !inTable {
			break
		}
		// Columns are counted in letters: Ñ has two bytes.
		cells := []rune(line + strings.Repeat(" ", 80))
		cell := func(from, to int) string { return strings.TrimSpace(string(cells[from:to])) }
		row := tableRow{cell(0, 9), cell(9, 31), cell(31, 70), cell(70, len(cells))}
		if row.message != "" && row.field != "" {
			rows = append(rows, row)
			continue
		}
		last := &rows[len(rows)-1]
		for _, c := range []struct {
			into *string
			more string
		}{{&last.message, row.message}, {&last.field, row.field}, {&last.rule, row.rule}, {&last.closes, row.closes}} {
			*c.into = strings.TrimSpace(*c.into + " " + c.more)
		}
	}
	return rows
}

// The table of the guard's rules and the attacks say the same: every rule is
// tried, and what the library does without it is what its attacks show.
func TestGuardTable(t *testing.T) {
	shown := make(map[string][]string)
	titles := make(map[string]bool)
	for _, a := range allAttacks() {
		require.False(t, titles[a.title()], "two attacks %q", a.title())
		titles[a.title()] = true
		shown[a.rule] = append(shown[a.rule], string(a.alone))
	}
	own := elsewhere()
	for _, row := range guardTable(t) {
		if _, ok := own[row.title()]; ok {
			delete(own, row.title())
			delete(shown, row.title())
			continue
		}
		attacks, ok := shown[row.title()]
		require.True(t, ok, "no attack on the rule %q", row.title())
		delete(shown, row.title())
		saying := verdicts.FindAllString(row.closes, -1)
		showing := slices.DeleteFunc(attacks, func(a string) bool { return a == string(refuses) || a == string(harmless) })
		if len(showing) == 0 {
			require.Contains(t, row.closes, "depth", row.title())
		}
		require.Subset(t, saying, showing, row.title())
		require.Subset(t, showing, saying, row.title())
	}
	require.Empty(t, shown, "attacks on rules that the table does not have")
	require.Empty(t, own, "tests of rules that the table does not have")
}
