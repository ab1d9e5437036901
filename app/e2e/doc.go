// Package e2e tests the whole on real processes: four validators of the real
// binary on loopback make a key and sign with it while nodes are killed, stopped
// and added; others do so behind sentries, under a flood, and over libp2p. It
// holds tests only.
//
// The network of TestNetwork runs on two of this machine's cores (Linux), others
// on all, so times depend on the machine; limits are many times what two cores
// need. What depends on machines least, the ratio of block intervals under load
// and idle, is checked, and that those without work are near the pause between
// blocks. A node that ends in another way than its test meant fails the test.
package e2e
