package fakeproto

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Ledger writes down what all parties of a network were made for, and what may
// never happen. It is safe for concurrent use.
type Ledger struct {
	mu sync.Mutex
	// digests are those that an operator worked on for a request.
	digests map[use]string
	// contexts are those that an operator made a party for: a second party would
	// use the same session key and, in a real protocol, the same transcript.
	contexts map[use]bool
	// preparams are the sets that a party was made with.
	preparams map[string]bool
	// epochs are those whose shares worked on a request.
	epochs map[string]map[uint64]bool
	broken []string
}

type use struct {
	operator types.Operator
	what     string
}

// NewLedger is empty.
func NewLedger() *Ledger {
	return &Ledger{digests: make(map[use]string), contexts: make(map[use]bool), preparams: make(map[string]bool), epochs: make(map[string]map[uint64]bool)}
}

// Broken lists what should never have happened.
func (l *Ledger) Broken() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.broken...)
}

// Epochs lists the epochs whose shares worked on a request, ascending.
func (l *Ledger) Epochs(request types.RequestID) []uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.epochs[request.String()]))
}

func (l *Ledger) note(cfg session.PartyConfig) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	request := use{cfg.Self, cfg.Request.ID.String()}
	signing := request
	if cfg.Request.Test { // its digest follows from the session whose shares it tests
		signing.what += " of " + cfg.Request.KeySession.String()
	}
	if digest, before := l.digests[signing]; before && digest != string(cfg.Request.Digest) {
		l.broken = append(l.broken, fmt.Sprintf("%s worked on two digests for %s", cfg.Self, cfg.Request.ID))
	}
	l.digests[signing] = string(cfg.Request.Digest)
	if l.epochs[request.what] == nil {
		l.epochs[request.what] = make(map[uint64]bool)
	}
	l.epochs[request.what][cfg.Request.Epoch] = true
	context := use{cfg.Self, cfg.Context.String()}
	if l.contexts[context] {
		l.broken = append(l.broken, fmt.Sprintf("%s made two parties for session %s", cfg.Self, cfg.Context.Short()))
	}
	l.contexts[context] = true
	if set := string(cfg.Preparams); set != "" {
		if l.preparams[set] {
			l.broken = append(l.broken, fmt.Sprintf("%s used pre-parameters twice", cfg.Self))
		}
		l.preparams[set] = true
	}
}
