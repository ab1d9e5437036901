package p2p

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// seenGossip remembers results by the hash of their bytes for gossipRepeat.
type seenGossip struct {
	passed *lru.Cache[types.Hash, time.Time]
}

func newSeenGossip(size int) *seenGossip {
	passed, err := lru.New[types.Hash, time.Time](size)
	if err != nil {
		panic(fmt.Sprintf("memory of %d results: %v", size, err)) // only for a size below 1
	}
	return &seenGossip{passed}
}

// recently says whether a result passed within gossipRepeat.
func (s *seenGossip) recently(h types.Hash, now time.Time) bool {
	at, ok := s.passed.Get(h)
	return ok && now.Sub(at) < gossipRepeat
}

// pass remembers that a result passed now.
func (s *seenGossip) pass(h types.Hash, now time.Time) { s.passed.Add(h, now) }

// judgeGossip checks a result and passes it on. The pool of results, and what
// goes on to other peers, is the sink's business.
func (r *Reactor) judgeGossip(a arrival, g *wire.Gossip, sink Sink) {
	bz, err := g.Marshal()
	if err != nil {
		r.fault(a.from, FaultShape, err)
		return
	}
	hash := types.Hash(sha256.Sum256(bz))
	if r.seen.recently(hash, r.opts.Now()) {
		r.dropIn(a.from, DropRepeat, nil)
		return
	}
	switch sum := g.Sum.(type) {
	case *wire.Gossip_Attestation:
		if !r.judgeAttestation(a.from, sum.Attestation) {
			return
		}
	case *wire.Gossip_Signature:
		if _, err := types.SignatureResultFromWire(sum.Signature); err != nil {
			r.fault(a.from, FaultShape, err)
			return
		}
	default:
		r.dropIn(a.from, DropUnknownMessage, errors.New("result of an unknown kind"))
		return
	}
	r.seen.pass(hash, r.opts.Now())
	sink.ReceiveGossip(g)
}

// judgeAttestation checks shape and signature.
func (r *Reactor) judgeAttestation(from *remote, w *wire.Attestation) bool {
	att, err := types.AttestationFromWire(w)
	if err != nil {
		r.fault(from, FaultShape, err)
		return false
	}
	key, ok := r.currentRoster().Key(att.Operator, att.IdentityVersion)
	if !ok {
		r.dropIn(from, DropUnknownSender, nil)
		return false
	}
	if err := att.Verify(r.opts.ChainID, key); err != nil {
		r.fault(from, FaultSignature, err)
		return false
	}
	return true
}
