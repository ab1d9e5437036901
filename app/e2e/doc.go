// Package e2e tests the whole on real processes: four validators of the real
// binary on loopback make a key under a flood and sign with it while nodes are
// killed, stopped and added; others do so behind sentries, over libp2p, and with a
// dishonest one among them. It holds tests only. Those that take minutes each run
// when E2E_LONG is set (make test-long).
//
// TestNetwork measures. It runs alone, on two of this machine's cores (Linux);
// after it come the others, as many at a time as there are cores, on all cores. So
// times depend on the machine; limits are many times what two cores need. What
// depends on machines least, the ratio of block intervals under load and idle, is
// checked, and that those without work are near the pause between blocks. A node
// that ends in another way than its test meant fails the test.
//
// A dishonest node is this test binary as a sequencerd that may lie: as a
// proposer (liar), or as a member of a session (twofaced).
package e2e
