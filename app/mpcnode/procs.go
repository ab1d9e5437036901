package mpcnode

import (
	"log/slog"
	"os"
	"runtime"
)

// cores is how many processor cores this process may use: its affinity and, on
// Linux, the CPU limit of its container count. It is read before makeRoom.
var cores = runtime.GOMAXPROCS(0)

// goroutinesPerStep is how many goroutines of tss-lib a worker's step is given
// room for. The longest steps of a signing start two for each peer: 30 with 16
// signers. Larger signings, and a step of keygens that starts 80 a peer for some
// milliseconds each, queue for these.
const goroutinesPerStep = 30

// gomaxprocs is the environment variable with which operators choose themselves.
const gomaxprocs = "GOMAXPROCS"

// room is how many goroutines may run at once on a node whose workers compute
// sessions: all that compute, and one a core beside them.
//
// Go's scheduler knows no priorities. GOMAXPROCS goroutines run at once, and one
// that wakes up waits for a place behind all that compute, up to 10 ms for each.
// With one place a core, consensus waited for them at every hand-over between
// goroutines, of which a vote takes several from node to node. With a place to
// spare it goes on at once, and which of them a core serves is the kernel's
// choice, which favours threads that slept over threads that compute.
// BenchmarkHandOver measures both. A place costs memory, below half a MB, and
// only if it is used.
func room(cores, workers int) int { return cores + workers*goroutinesPerStep }

// makeRoom raises GOMAXPROCS before sessions run, unless the operator chose it.
func makeRoom(log *slog.Logger, workers int) {
	n := room(cores, workers)
	if chosen := os.Getenv(gomaxprocs); chosen != "" {
		log.Info("the environment says how many goroutines run at once; few of them let MPC slow consensus",
			"variable", gomaxprocs, "value", chosen, "default", n)
		return
	}
	runtime.GOMAXPROCS(n)
}
