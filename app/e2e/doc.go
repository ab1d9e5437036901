// Package e2e tests the whole on real processes: four validators of the real
// binary on loopback make a key and sign with it while nodes are killed, stopped
// and added. It holds tests only.
//
// The network runs on this machine's cores, so times depend on it; limits are
// many times what two cores need. What depends on machines least, the ratio of
// block intervals under load and idle, is checked.
package e2e
