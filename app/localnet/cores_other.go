//go:build !linux

package localnet

// pins says whether this system can keep processes to cores.
const pins = false

// FirstCores numbers n cores.
func FirstCores(n int) ([]int, error) {
	cores := make([]int, n)
	for i := range cores {
		cores[i] = i
	}
	return cores, nil
}

func checkCores([]int) error { return nil }

func startOn(_ []int, start func() error) error { return start() }
