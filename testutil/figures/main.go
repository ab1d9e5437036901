package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
)

func main() {
	log.SetFlags(0)
	only := flag.String("run", "TestBench", "which benchmarks, as go test reads it")
	out := flag.String("out", filepath.Join("build", "bench"), "the folder of what was measured, a file for each benchmark")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch flag.Arg(0) {
	case "measure":
		err = measure(ctx, *only, *out)
	case "publish":
		err = publishAll(ctx, ".", *out)
	default:
		err = fmt.Errorf("say measure or publish, not %q", flag.Arg(0))
	}
	if err != nil {
		log.Fatal(err)
	}
}

// measure runs all suites, whatever one of them says, and prints the tables of all that
// there are figures of.
func measure(ctx context.Context, only, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	var err error
	for _, suite := range suites {
		err = errors.Join(err, measureSuite(ctx, suite, only, out))
	}
	benches, failed := listAll(ctx)
	if failed != nil {
		return errors.Join(err, failed)
	}
	text, missing, failed := collect(out, benches)
	if failed != nil {
		return errors.Join(err, failed)
	}
	all, failed := parse(text)
	if failed != nil {
		return errors.Join(err, failed)
	}
	fmt.Printf("\n%s\n", all.markdown())
	if len(missing) > 0 {
		fmt.Printf("There are no figures of %s yet.\n", strings.Join(missing, ", "))
	}
	return err
}

// measureSuite runs one suite, which the go command builds from the files as they are then:
// where they are of another commit afterwards, nobody knows what was measured.
func measureSuite(ctx context.Context, suite, only, out string) error {
	before, err := commit(ctx)
	if err != nil {
		return err
	}
	keep := &parts{dir: out, from: origin{machine: machine(), commit: before}}
	failed := runSuite(ctx, suite, only, keep)
	after, err := commit(ctx)
	if err == nil && after != before {
		err = fmt.Errorf("%s: files changed while it was measured (%s, and then %s); leave them, and measure it again", suite, before, after)
	}
	if err != nil {
		err = errors.Join(err, keep.forgetKept())
	}
	return errors.Join(failed, err)
}

// machine says on what it was measured. Benchmarks have their databases and audit logs in
// the folder for temporary files.
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
	return fmt.Sprintf("%s/%s, %d cores of %s, files on %s, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpu, disk(os.TempDir()), runtime.Version())
}

// commit is the code that is measured, as git calls it.
func commit(ctx context.Context) (string, error) {
	name, err := exec.CommandContext(ctx, "git", "describe", "--always", "--tags").Output()
	if err != nil {
		return "", fmt.Errorf("ask git which commit is measured: %w; run this in a clone of the repository", err)
	}
	// A file that was not added is compiled as well.
	changed, err := exec.CommandContext(ctx, "git", "status", "--porcelain").Output()
	if err != nil {
		return "", fmt.Errorf("ask git what was changed: %w", err)
	}
	if len(changed) > 0 {
		return strings.TrimSpace(string(name)) + dirty, nil
	}
	return strings.TrimSpace(string(name)), nil
}
