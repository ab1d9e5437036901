package fakeproto

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
	// split are presignatures of which signers were told different digests.
	split map[types.Context]bool
	// epochs are those whose shares worked on a request.
	epochs map[string]map[uint64]bool
	// uses of shares and of pre-parameters.
	uses   []Use
	broken []string
}

// Use is a party that was made of a share, or of pre-parameters, or of both.
type Use struct {
	Operator         types.Operator
	Session          types.Context
	Share, Preparams bool
}

type use struct {
	operator types.Operator
	what     string
}

// presignature begins what names one in digests.
const presignature = "presignature "

// NewLedger is empty.
func NewLedger() *Ledger {
	return &Ledger{
		digests: make(map[use]string), contexts: make(map[use]bool), preparams: make(map[string]bool),
		split: make(map[types.Context]bool), epochs: make(map[string]map[uint64]bool),
	}
}

// Broken lists what should never have happened.
func (l *Ledger) Broken() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.broken...)
}

// Uses lists what parties were made of.
func (l *Ledger) Uses() []Use {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.uses)
}

// Split counts the presignatures of which signers were told different digests.
func (l *Ledger) Split() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.split)
}

// Fixed counts the presignatures that an operator was told a digest for.
func (l *Ledger) Fixed(op types.Operator) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for u := range l.digests {
		if u.operator == op && strings.HasPrefix(u.what, presignature) {
			n++
		}
	}
	return n
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
	l.noteDigest(cfg.Self, &cfg.Request)
	context := use{cfg.Self, cfg.Context.String()}
	if l.contexts[context] {
		l.broken = append(l.broken, fmt.Sprintf("%s made two parties for session %s", cfg.Self, cfg.Context.Short()))
	}
	l.contexts[context] = true
	l.uses = append(l.uses, Use{cfg.Self, cfg.Context, len(cfg.Share) > 0, len(cfg.Preparams) > 0})
	if set := string(cfg.Preparams); set != "" {
		if l.preparams[set] {
			l.broken = append(l.broken, fmt.Sprintf("%s used pre-parameters twice", cfg.Self))
		}
		l.preparams[set] = true
	}
}

// fix notes what a presignature is used for.
func (l *Ledger) fix(cfg session.PartyConfig, r *types.Request) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noteDigest(cfg.Self, r)
	nonce := use{cfg.Self, presignature + cfg.Context.String()}
	if _, before := l.digests[nonce]; before {
		l.broken = append(l.broken, fmt.Sprintf("%s used presignature %s twice", cfg.Self, cfg.Context.Short()))
	}
	l.digests[nonce] = string(r.Digest)
	// What all signers of one nonce sign must be the same.
	nonce.operator = ""
	if digest, before := l.digests[nonce]; before && digest != string(r.Digest) {
		l.split[cfg.Context] = true
	}
	l.digests[nonce] = string(r.Digest)
}

// noteDigest: a request has one digest for ever.
func (l *Ledger) noteDigest(op types.Operator, r *types.Request) {
	request := use{op, r.ID.String()}
	signing := request
	if r.Test { // its digest follows from the session whose shares it tests, and the seed
		signing.what += fmt.Sprintf(" of %s with %x", r.KeySession, r.TestSeed)
	}
	if digest, before := l.digests[signing]; before && digest != string(r.Digest) {
		l.broken = append(l.broken, fmt.Sprintf("%s worked on two digests for %s", op, r.ID))
	}
	l.digests[signing] = string(r.Digest)
	if l.epochs[request.what] == nil {
		l.epochs[request.what] = make(map[uint64]bool)
	}
	l.epochs[request.what][r.Epoch] = true
}

// computed notes that somebody went beyond the round in which presignature are told
// what they are for: all must have been told the same.
func (l *Ledger) computed(cfg session.PartyConfig) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.split[cfg.Context] { // never: see the echo of a Consume
		l.broken = append(l.broken, fmt.Sprintf("%s computed with presignature %s for one of two digests", cfg.Self, cfg.Context.Short()))
	}
}
