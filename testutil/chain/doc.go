// Package chain lets tests of x/mpc, and of what is built on it, run the real
// keeper on a real store without a chain around it. The validators hold real
// identity keys; only the staking module is a fake, whose validators a test sets
// at will. Every secret comes from a fixed seed: nothing of it belongs into a
// node.
package chain
