package p2p

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
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
// goes on to other peers, is the sink's business. One that the sink finds false is
// remembered as seen all the same: whoever repeats it is not worth another look.
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
	w, err := decodeWord(g, r.opts.ChainID)
	switch {
	case errors.Is(err, errUnknownResult):
		r.dropIn(a.from, DropUnknownMessage, err)
		return
	case err != nil:
		r.fault(a.from, FaultShape, err)
		return
	case w.verify != nil && !r.judgeWord(a.from, w):
		return
	}
	r.seen.pass(hash, r.opts.Now())
	if err := sink.ReceiveGossip(a.from.id, g); err != nil {
		r.fault(a.from, FaultResult, err)
	}
}

// errUnknownResult: this version has no use for it.
var errUnknownResult = errors.New("result of an unknown kind")

// word is what a result says, and whose word it is: who attests or accuses, or
// who signed what proves it guilty.
type word struct {
	of types.OperatorVersion
	// signed: it shows what was signed, and counts whether the identity was revoked or
	// not; a word that is given does not.
	signed bool
	// verify checks the signatures against the identity key; nil: it proves itself
	// to those who know the request.
	verify func(chainID string, identity []byte) error
}

// decodeWord checks the shape of a result.
func decodeWord(g *wire.Gossip, chainID string) (word, error) {
	switch sum := g.Sum.(type) {
	case *wire.Gossip_Attestation:
		a, err := types.AttestationFromWire(sum.Attestation)
		return word{of: types.OperatorVersion{Operator: a.Operator, Version: a.IdentityVersion}, verify: a.Verify}, err
	case *wire.Gossip_Signature:
		_, err := types.SignatureResultFromWire(sum.Signature)
		return word{}, err
	case *wire.Gossip_Evidence:
		e, err := types.EvidenceFromWire(sum.Evidence, chainID)
		if err != nil {
			return word{}, err
		}
		return word{of: types.OperatorVersion{Operator: e.Culprit(), Version: e.IdentityVersion()}, signed: true, verify: e.Verify}, nil
	case *wire.Gossip_Accusation:
		a, err := types.AccusationFromWire(sum.Accusation)
		return word{of: types.OperatorVersion{Operator: a.Operator, Version: a.IdentityVersion}, verify: a.Verify}, err
	}
	return word{}, errUnknownResult
}

// judgeWord checks identity and signature. Whether anybody wants to hear it is the
// sink's business.
func (r *Reactor) judgeWord(from *remote, w word) bool {
	roster := r.currentRoster()
	key, ok := roster.Key(w.of.Operator, w.of.Version)
	if w.signed { // long ago, maybe
		key, ok = roster.KeySince(w.of.Operator, w.of.Version, math.MinInt64)
	}
	if !ok {
		r.dropIn(from, DropUnknownSender, nil)
		return false
	}
	if err := w.verify(r.opts.ChainID, key); err != nil {
		r.fault(from, FaultSignature, err)
		return false
	}
	return true
}
