package p2p

import "github.com/sequencer-mpc/sequencer/mpc/types"

// Way is the direction of a message.
type Way string

// The directions.
const (
	In  Way = "in"
	Out Way = "out"
)

// Metrics receives what an operator wants to see. Methods are called from many
// goroutines and must not block.
type Metrics interface {
	// Dropped counts one message; reason is one of the constants of this
	// package.
	Dropped(way Way, reason types.Reason)
	// Queued says how many messages wait now, over all peers.
	Queued(way Way, messages int)
	// Peers says how many peers have the channel, and how many operators are
	// reachable among them.
	Peers(peers, operators int)
	// Bytes counts an encoded message; kind is from a fixed list ("hello",
	// "gossip", "prepare", "round" and so on).
	Bytes(way Way, kind string, bytes int)
}

type nopMetrics struct{}

func (nopMetrics) Dropped(Way, types.Reason) {}
func (nopMetrics) Queued(Way, int)           {}
func (nopMetrics) Peers(int, int)            {}
func (nopMetrics) Bytes(Way, string, int)    {}
