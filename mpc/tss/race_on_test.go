//go:build race

package tss_test

// raceEnabled: the race detector makes big number arithmetic ten times slower.
const raceEnabled = true
