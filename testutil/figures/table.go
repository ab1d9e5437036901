package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	linePrefix    = "bench "
	machinePrefix = "machine "
	commitPrefix  = "commit "
	// dirty ends the name of a commit where files differ from it.
	dirty = "-dirty"
)

// tables are lines of figures, those with the same columns together, in the order in
// which they first came.
type tables struct {
	machine string
	// commits are those of which it was measured.
	commits []commitParts
	list    []table
}

// commitParts are benchmarks of one commit.
type commitParts struct {
	commit string
	parts  []string
}

type table struct {
	columns []string
	rows    [][]string
}

// parse reads lines as the benchmarks print them.
func parse(text string) (tables, error) {
	var all tables
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, machinePrefix); ok {
			all.machine = name
			continue
		}
		if name, ok := strings.CutPrefix(line, commitPrefix); ok {
			all.commits = append(all.commits, commitParts{commit: name})
			continue
		}
		if name, ok := strings.CutPrefix(line, partPrefix); ok {
			if last := len(all.commits) - 1; last >= 0 {
				all.commits[last].parts = append(all.commits[last].parts, name)
			}
			continue
		}
		figures, ok := strings.CutPrefix(line, linePrefix)
		if !ok {
			return tables{}, fmt.Errorf("line %q is neither of figures nor of what they are of", line)
		}
		if err := all.add(strings.Fields(figures)); err != nil {
			return tables{}, err
		}
	}
	return all, nil
}

func (all *tables) add(fields []string) error {
	if len(fields) < 2 {
		return fmt.Errorf("line of figures %q names no figure", fields)
	}
	columns, row := []string{"bench"}, fields[:1:1]
	for _, f := range fields[1:] {
		column, figure, ok := strings.Cut(f, "=")
		if !ok {
			return fmt.Errorf("figure %q of %s is not of the form name=value", f, fields[0])
		}
		columns, row = append(columns, column), append(row, figure)
	}
	i := slices.IndexFunc(all.list, func(t table) bool { return slices.Equal(t.columns, columns) })
	if i < 0 {
		all.list = append(all.list, table{columns: columns})
		i = len(all.list) - 1
	}
	all.list[i].rows = append(all.list[i].rows, row)
	return nil
}

// markdown is all tables and their origin. Columns are as wide as their widest cell, so
// that they can be read as text too.
func (all *tables) markdown() string {
	var b strings.Builder
	for _, t := range all.list {
		width := make([]int, len(t.columns))
		for _, row := range append([][]string{t.columns}, t.rows...) {
			for i, cell := range row {
				width[i] = max(width[i], len(cell))
			}
		}
		line := func(row []string) {
			for i, cell := range row {
				fmt.Fprintf(&b, "| %-*s ", width[i], cell)
			}
			b.WriteString("|\n")
		}
		line(t.columns)
		for _, w := range width {
			fmt.Fprintf(&b, "|%s", strings.Repeat("-", w+2))
		}
		b.WriteString("|\n")
		for _, row := range t.rows {
			line(row)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "Measured by `make bench` on %s", all.machine)
	b.WriteString(all.ofCommits() + ".\n")
	return b.String()
}

// ofCommits names the commit of most benchmarks, and those that are of another one.
func (all *tables) ofCommits() string {
	byCommit := make(map[string][]string)
	most := ""
	for _, c := range all.commits {
		byCommit[c.commit] = append(byCommit[c.commit], c.parts...)
		if len(byCommit[c.commit]) > len(byCommit[most]) {
			most = c.commit
		}
	}
	if most == "" {
		return ""
	}
	text := ", of commit " + most
	for _, commit := range slices.Sorted(maps.Keys(byCommit)) {
		if commit != most {
			text += fmt.Sprintf(", but %s of %s", strings.Join(byCommit[commit], ", "), commit)
		}
	}
	return text
}
