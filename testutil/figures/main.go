package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// suites are the packages with benchmarks, one after the other.
var suites = []string{"./mpc/tss", "./testutil/sim", "./app/e2e"}

// timeLimit of a suite, as the go command reads it.
const timeLimit = "120m"

func main() {
	log.SetFlags(0)
	only := flag.String("run", "TestBench", "which benchmarks, as go test reads it")
	out := flag.String("out", filepath.Join("build", "bench.txt"), "where the lines go")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch flag.Arg(0) {
	case "measure":
		err = measure(ctx, *only, *out)
	case "publish":
		err = publish(".", *out)
	default:
		err = fmt.Errorf("say measure or publish, not %q", flag.Arg(0))
	}
	if err != nil {
		log.Fatal(err)
	}
}

// measure runs all suites, whatever one of them says, and prints the tables.
func measure(ctx context.Context, only, out string) error {
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = fmt.Fprintln(file, machine())
	var missing []string
	for _, suite := range suites {
		benches, failed := listBenches(ctx, suite)
		if failed != nil {
			missing = append(missing, "all of "+suite)
		}
		done, failedToo := runSuite(ctx, suite, only, file)
		err = errors.Join(err, failed, failedToo)
		missing = append(missing, slices.DeleteFunc(benches, func(name string) bool { return slices.Contains(done, name) })...)
	}
	_, failed := fmt.Fprint(file, verdict(missing, only))
	err = errors.Join(err, failed)
	text, readErr := os.ReadFile(out)
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	tables, readErr := parse(string(text))
	fmt.Printf("\n%s\n", tables.markdown())
	return errors.Join(err, readErr, file.Close())
}

// runSuite shows what a suite prints, and keeps its lines of figures. It names the
// benchmarks that passed.
func runSuite(ctx context.Context, suite, only string, keep io.Writer) (done []string, err error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-count", "1", "-timeout", timeLimit, "-run", only, "-v", suite)
	cmd.Env = append(os.Environ(), "MPC_BENCH=1")
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		fmt.Println(lines.Text())
		if strings.HasPrefix(lines.Text(), linePrefix) {
			if _, err := fmt.Fprintln(keep, lines.Text()); err != nil {
				return done, err
			}
		}
		if name := passed(lines.Text()); name != "" {
			done = append(done, name)
		}
	}
	if err := errors.Join(lines.Err(), cmd.Wait()); err != nil {
		return done, fmt.Errorf("%s: %w", suite, err)
	}
	return done, nil
}

// machine says on what it was measured.
func machine() string {
	cpu := "unknown"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				cpu = strings.Join(strings.Fields(value), " ")
				break
			}
		}
	}
	return fmt.Sprintf("%s%s/%s, %d cores of %s, %s", machinePrefix, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpu, runtime.Version())
}
