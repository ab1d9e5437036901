package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

const (
	// missingPrefix names a benchmark of which there are not all figures.
	missingPrefix = "missing "
	// wholeLine is the last one of a measurement in which nothing is missing. One that was
	// interrupted has neither.
	wholeLine = "whole"
	// benchName is how the names of benchmarks begin.
	benchName  = "TestBench"
	passPrefix = "--- PASS: "
)

// listBenches names all benchmarks of a suite.
func listBenches(ctx context.Context, suite string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "go", "test", "-list", "^"+benchName, suite).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("list the benchmarks of %s: %w: %s", suite, err, out)
	}
	return slices.DeleteFunc(strings.Fields(string(out)), func(word string) bool { return !strings.HasPrefix(word, benchName) }), nil
}

// passed is the name of the test that a line of go test -v says has passed; empty for any
// other line, and for parts of tests.
func passed(line string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(line, passPrefix), " ")
	if !strings.HasPrefix(line, passPrefix) {
		return ""
	}
	return name
}

// verdict is the end of a measurement: what is missing, or that nothing is. A pattern with
// a slash leaves out parts of benchmarks.
func verdict(missing []string, pattern string) string {
	if strings.Contains(pattern, "/") {
		missing = append(missing, "parts of benchmarks, by -run "+pattern)
	}
	if len(missing) == 0 {
		return wholeLine + "\n"
	}
	return missingPrefix + strings.Join(missing, "\n"+missingPrefix) + "\n"
}

// requireWhole refuses to publish a part of the figures: the documents would lose the
// others, or a bar that was not reached.
func requireWhole(measured string) error {
	var missing []string
	whole := false
	for line := range strings.Lines(measured) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, missingPrefix); ok {
			missing = append(missing, name)
		}
		whole = whole || line == wholeLine
	}
	switch {
	case len(missing) > 0:
		return fmt.Errorf("the measurement lacks %s, which did not run to its end or did not reach its bar; measure everything: make bench", strings.Join(missing, ", "))
	case !whole:
		return fmt.Errorf("the measurement was interrupted; measure everything: make bench")
	}
	return nil
}
