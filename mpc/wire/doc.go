// Package wire is what goes over the MPC channel: the generated messages of
// proto/sequencer/mpc/wire, and their way into and out of the one message type
// that CometBFT knows of the channel. It is a leaf.
package wire
