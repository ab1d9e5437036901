package localnet

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// maxCores is how many cores a unix.CPUSet names.
const maxCores = 1024

// FirstCores are the first of those that this process may use, at most n.
func FirstCores(n int) ([]int, error) {
	usable, err := usableCores()
	if err != nil {
		return nil, err
	}
	return usable[:min(n, len(usable))], nil
}

func usableCores() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("ask for the cores that this process may use: %w", err)
	}
	var cores []int
	for core := range maxCores {
		if set.IsSet(core) {
			cores = append(cores, core)
		}
	}
	return cores, nil
}

// checkCores refuses cores that this process may not use. The kernel would take
// those that are left.
func checkCores(cores []int) error {
	if len(cores) == 0 {
		return nil
	}
	usable, err := usableCores()
	if err != nil {
		return err
	}
	for _, core := range cores {
		if !slices.Contains(usable, core) {
			return fmt.Errorf("core %d is none of those that this process may use: %v", core, usable)
		}
	}
	return nil
}

// startOn calls start with the calling thread on these cores only; a process that
// start starts stays on them. The caller is locked to its thread and never unlocks
// it, so that no other goroutine would run there if the cores that the thread had
// before could not be given back.
func startOn(cores []int, start func() error) error {
	var before, only unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("ask for the cores of this thread: %w", err)
	}
	for _, core := range cores {
		only.Set(core)
	}
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		return fmt.Errorf("keep to cores %v: %w", cores, err)
	}
	defer func() { _ = unix.SchedSetaffinity(0, &before) }()
	return start()
}

// pins says whether this system can keep processes to cores.
const pins = true
