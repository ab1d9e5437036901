package p2p

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Options configure a reactor. Only ChainID is required.
type Options struct {
	// ChainID is in everything that is signed.
	ChainID string
	// RoundLimits bounds the body of a round message, sealing included, by its
	// type, in bytes. A type that is not in it is dropped. Empty: every type,
	// up to MaxRoundBody.
	RoundLimits map[string]int
	// Open says whether a request is open in committed state: what belongs to no
	// open request is relayed sparingly. It is called from several goroutines and
	// must not block. nil: all are.
	Open func(types.RequestID) bool
	// Workers verify signatures, that many at a time. 0: half the processors,
	// from 1 to 4, so that a flood leaves the other half to consensus.
	Workers int
	// SendQueue is how many messages wait inside CometBFT for one peer. 0:
	// DefaultSendQueue; more than MaxSendQueue: MaxSendQueue.
	SendQueue int
	// Logger is silent if nil.
	Logger *slog.Logger
	// Metrics may be nil.
	Metrics Metrics
	// Now is the clock of budgets; nil is time.Now.
	Now func() time.Time
}

// withDefaults fills in what is missing and copies the map.
func (o Options) withDefaults() Options {
	o.RoundLimits = maps.Clone(o.RoundLimits)
	if o.Workers <= 0 {
		o.Workers = min(max(runtime.GOMAXPROCS(0)/2, 1), maxWorkers)
	}
	if o.SendQueue <= 0 {
		o.SendQueue = DefaultSendQueue
	}
	o.SendQueue = min(o.SendQueue, MaxSendQueue)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = nopMetrics{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Self is this node's identity, as the chain registered it.
type Self struct {
	Operator        types.Operator
	IdentityVersion uint32
	// PeerID is the id under which peers see this node: that of the node key,
	// in the form of the switch (hex at CometBFT, base58 at libp2p).
	PeerID string
	// Key signs the hello, once. The reactor does not keep it.
	Key ed25519.PrivateKey
}

func (s Self) validate() error {
	switch {
	case s.Operator == "" || len(s.Operator) > types.MaxOperatorBytes:
		return fmt.Errorf("operator has %d bytes, not 1 to %d", len(s.Operator), types.MaxOperatorBytes)
	case s.PeerID == "" || len(s.PeerID) > maxPeerIDBytes:
		return fmt.Errorf("peer id has %d bytes, not 1 to %d", len(s.PeerID), maxPeerIDBytes)
	case len(s.Key) != ed25519.PrivateKeySize:
		return errors.New("identity key is not an ed25519 private key")
	}
	return nil
}
