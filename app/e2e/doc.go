// Package e2e tests the whole on real processes: four validators of the real
// binary on loopback make a key and sign with it while nodes are killed, stopped
// and added; three others do so behind sentries, and
// three under a flood. It holds tests only.
//
// The network of TestNetwork runs on two of this machine's cores (Linux), others
// on all, so times depend on the machine; limits are many times what two cores
// need. What depends on machines least, the ratio of block intervals under load
// and idle, is checked.
package e2e
