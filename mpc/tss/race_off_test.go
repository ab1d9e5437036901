//go:build !race

package tss_test

const raceEnabled = false
