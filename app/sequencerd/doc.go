// Command sequencerd runs a node of the sequencer chain, and is the tool of its
// operator.
package main
