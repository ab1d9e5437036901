// Package memstore is an mpc.Store in memory. It outlives the engine that uses
// it, as a disk does, so that tests can crash and restart engines by the
// thousand, also where a crash leaves the real one half way.
package memstore
