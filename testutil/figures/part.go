package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// partPrefix begins the line that names the benchmark whose figures follow.
const partPrefix = "part "

// What go test -v says of tests.
const (
	runPrefix  = "=== RUN   "
	passPrefix = "--- PASS: "
)

// origin is what figures were measured on, and of which code.
type origin struct{ machine, commit string }

// lines are how an origin begins a file.
func (o origin) lines() string {
	return machinePrefix + o.machine + "\n" + commitPrefix + o.commit + "\n"
}

// parts keeps the figures of each benchmark in a file of a folder.
type parts struct {
	dir  string
	from origin
	// figures of the benchmark that runs.
	running string
	figures []string
	// kept are the benchmarks that passed.
	kept []string
}

func (p *parts) file(bench string) string { return filepath.Join(p.dir, bench+".txt") }

// read takes a line that go test -v prints.
func (p *parts) read(line string) error {
	if name, ok := ofTest(line, runPrefix); ok {
		p.running, p.figures = name, nil
		return p.forget(name)
	}
	if strings.HasPrefix(line, linePrefix) && p.running != "" {
		p.figures = append(p.figures, line)
	}
	if name, ok := ofTest(line, passPrefix); ok && name == p.running && len(p.figures) > 0 {
		return p.keep()
	}
	return nil
}

// ofTest is the whole test, and no part of one, that a line tells something of.
func ofTest(line, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(line, prefix)
	name, _, _ := strings.Cut(rest, " ")
	return name, ok && !strings.Contains(name, "/")
}

// keep writes what the running benchmark measured.
func (p *parts) keep() error {
	text := p.from.lines() + partPrefix + p.running + "\n" + strings.Join(p.figures, "\n") + "\n"
	p.kept = append(p.kept, p.running)
	return os.WriteFile(p.file(p.running), []byte(text), 0o644)
}

// forgetKept drops what passed: nobody knows which code it was.
func (p *parts) forgetKept() (err error) {
	for _, bench := range p.kept {
		err = errors.Join(err, p.forget(bench))
	}
	return err
}

// forget drops what a benchmark measured before: it may fail now.
func (p *parts) forget(bench string) error {
	if err := os.Remove(p.file(bench)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// collect is what benchmarks measured, one after the other, and which did not. All of it is of
// one machine. Where one was measured again it may be of another commit, which is named before
// it.
func collect(dir string, benches []string) (string, []string, error) {
	var text strings.Builder
	var missing []string
	var from origin
	for _, bench := range benches {
		raw, err := os.ReadFile((&parts{dir: dir}).file(bench))
		if errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, bench)
			continue
		}
		if err != nil {
			return "", nil, err
		}
		of, figures, err := cutOrigin(string(raw))
		switch {
		case err != nil:
			return "", nil, fmt.Errorf("the file of %s %w; measure it again", bench, err)
		case from.machine == "":
			text.WriteString(of.lines())
		case from.machine != of.machine:
			return "", nil, fmt.Errorf("%s was measured on another machine than those before it: %q, and not %q; measure everything on one", bench, of.machine, from.machine)
		case from.commit != of.commit:
			text.WriteString(commitPrefix + of.commit + "\n")
		}
		from = of
		text.WriteString(figures)
	}
	return text.String(), missing, nil
}

// cutOrigin parts the file of a benchmark.
func cutOrigin(text string) (of origin, figures string, err error) {
	machine, rest, _ := strings.Cut(text, "\n")
	commit, figures, _ := strings.Cut(rest, "\n")
	var isMachine, isCommit bool
	of.machine, isMachine = strings.CutPrefix(machine, machinePrefix)
	of.commit, isCommit = strings.CutPrefix(commit, commitPrefix)
	if !isMachine || !isCommit || !strings.HasPrefix(figures, partPrefix) {
		return origin{}, "", errors.New("does not begin with a machine, a commit and a part")
	}
	return of, figures, nil
}
