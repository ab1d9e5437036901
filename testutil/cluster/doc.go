// Package cluster runs whole engines with their loops, workers and goleveldb databases
// in one process, on a chain of the caller's and a network without delay. It is for
// measurements: what it takes is what a node takes, without consensus. With a fake protocol
// it shows the race detector the loops and workers of several engines.
package cluster
