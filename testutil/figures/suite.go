package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// suites are the packages with benchmarks, one after the other.
var suites = []string{"./mpc/tss", "./testutil/sim", "./app/e2e"}

// timeLimit of a suite, as the go command reads it.
const timeLimit = "120m"

// benchName is how the names of benchmarks begin.
const benchName = "TestBench"

// listBenches names all benchmarks of a suite.
func listBenches(ctx context.Context, suite string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "go", "test", "-list", "^"+benchName, suite).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("list the benchmarks of %s: %w: %s", suite, err, out)
	}
	return slices.DeleteFunc(strings.Fields(string(out)), func(word string) bool { return !strings.HasPrefix(word, benchName) }), nil
}

// listAll names the benchmarks of all suites.
func listAll(ctx context.Context) (all []string, err error) {
	for _, suite := range suites {
		benches, err := listBenches(ctx, suite)
		if err != nil {
			return nil, err
		}
		all = append(all, benches...)
	}
	return all, nil
}

// runSuite shows what a suite prints, and keeps what it measured. Nothing is kept of
// parts of benchmarks, which a pattern with a slash chooses.
func runSuite(ctx context.Context, suite, only string, keep *parts) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-count", "1", "-timeout", timeLimit, "-run", only, "-v", suite)
	cmd.Env = append(os.Environ(), "MPC_BENCH=1")
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		fmt.Println(lines.Text())
		if strings.Contains(only, "/") {
			continue
		}
		if err := keep.read(lines.Text()); err != nil {
			return errors.Join(err, cmd.Cancel(), cmd.Wait())
		}
	}
	if err := errors.Join(lines.Err(), cmd.Wait()); err != nil {
		return fmt.Errorf("%s: %w", suite, err)
	}
	return nil
}
