package mpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// attest puts this node's word on a staged share into the pool. ed25519 is
// deterministic: after a restart the same attestation comes out.
func (c *Core) attest(r types.Record) {
	request, open := c.requests[r.Request]
	if !open || !c.answers(r, request) {
		return
	}
	key, ok := c.identity(request)
	if !ok {
		return
	}
	a := c.attestationOf(r)
	if c.pool.hasAttestation(&a) || c.attested(&a) {
		return
	}
	a.Sign(c.opts.ChainID, key)
	c.pool.addOwnAttestation(a, c.opts.Now(), c.opts.Transport.Gossip)
}

// answers: a record is of this very request. After a rollback, or on another chain,
// somebody else may have asked for something under the same id: what was made for one is
// not the other's, least of all a key that people know already.
func (c *Core) answers(r types.Record, request *types.Request) bool {
	return r.Commitment == request.Commitment(c.opts.ChainID)
}

// attested: the chain has this one, or another for the same attempt.
func (c *Core) attested(a *types.Attestation) bool {
	return c.view.Attested[types.AttestedAttempt{Request: a.Request, Operator: a.Operator, Attempt: a.Attempt}]
}

// attestationOf is what this node says of a share, unsigned. The record has the
// identity that the request pinned.
func (c *Core) attestationOf(r types.Record) types.Attestation {
	return types.Attestation{
		Request: r.Request, Attempt: r.Attempt, Commitment: r.Commitment, Session: r.Context, Payload: r.Payload,
		Operator: c.self.Operator, IdentityVersion: r.IdentityVersion,
	}
}

// attestDeletion puts this node's word that it has nothing of a key any more into the
// pool, with whether there was a share to destroy.
func (c *Core) attestDeletion(key types.Key) error {
	if !c.heeded(c.self) {
		return nil
	}
	a := types.Attestation{
		Request:    types.RequestID{Kind: types.KindDelete, ID: string(key.ID)},
		Commitment: key.DeletionCommitment(c.opts.ChainID),
		Operator:   c.self.Operator, IdentityVersion: c.self.Version,
	}
	if c.pool.hasAttestation(&a) {
		return nil
	}
	had, err := c.opts.Store.HadShares(key.ID)
	if err != nil {
		return fmt.Errorf("read the tombstone of %s: %w", key.ID, err)
	}
	a.Payload = types.DeletionPayload(had || c.ownDestroyed[key.ID])
	a.Sign(c.opts.ChainID, c.self.Key)
	c.pool.addAttestation(a, c.opts.Now())
	return nil
}

// HandleGossip takes a result of somebody: it goes into the pool if it is true
// and still needed, and from there to every other peer.
func (c *Core) HandleGossip(_ context.Context, j Judged) {
	c.noticeSleep()
	switch sum := j.gossip.Sum.(type) {
	case *wire.Gossip_Attestation:
		if unpinned(types.RequestKind(sum.Attestation.RequestKind)) {
			c.takeUnpinned(j)
		} else if a, err := types.AttestationFromWire(sum.Attestation); err == nil {
			c.takeAttestation(a)
		}
	case *wire.Gossip_Signature:
		if s, err := types.SignatureResultFromWire(sum.Signature); err == nil {
			c.takeSignature(j, s)
		}
	case *wire.Gossip_Evidence:
		c.hearEvidence(j)
	case *wire.Gossip_Accusation:
		c.takeAccusation(sum.Accusation)
	}
}

// maxFalseResults of one participant are looked at between two blocks, attestations
// that it signed and what its refusals bring: the points of an attestation take a
// millisecond of the loop, a signature a tenth. Who tells false ones keeps its own true
// ones from this node, and nobody else's.
const maxFalseResults = 8

// takeAttestation keeps what the chain would take: each proposer checks again
// whatever is in the pool.
//
// What answers another request than the one that is open here under its id is nobody's
// fault: it is of before a rollback, and anybody who has it may tell it. Finished
// signatures need nothing of the kind. One that fits key and digest is what was asked
// for, whenever it was made and for whomever, and nobody else's: no signature under
// another key or of another digest fits.
//
// Until the signature is verified nobody but the peer that brings it pays, by its budget
// in p2p. After that it is its signer's own word on this very request, which no honest
// member gives falsely, so the signer pays, once for each: who repeats it, be it for ever,
// adds nothing.
//
// It reports that the signature is not of whom the attestation names: who brings such a
// thing in a word of its own has made it up, or did not look.
func (c *Core) takeAttestation(a types.Attestation) (forged bool) {
	if c.pool.hasAttestation(&a) {
		return false
	}
	key, wanted := c.attestationKey(&a)
	if !wanted {
		return false
	}
	said := a.Hash(c.opts.ChainID)
	if c.falseWords[said] {
		return false
	}
	err := a.Verify(c.opts.ChainID, key)
	forged = err != nil
	if r, open := c.requests[a.Request]; err == nil && open {
		if c.falseResults[a.Operator] >= maxFalseResults {
			return false
		}
		if err = r.CheckAttested(&a); err != nil {
			c.falseResults[a.Operator]++
			c.falseWords[said] = true
		}
	}
	if err != nil {
		c.opts.Observer.Dropped(types.ErrProtocolFault)
		c.opts.Log.Debug("attestation dropped", "operator", a.Operator, "request", a.Request.String(), "err", err)
		return forged
	}
	c.pool.addAttestation(a, c.opts.Now())
	return false
}

// errForged: an attestation that its operator did not sign.
var errForged = errors.New("an attestation is not signed by whom it names")

// attestationKey finds the identity that the request pinned for who attests, if the
// attestation is wanted at all.
func (c *Core) attestationKey(a *types.Attestation) ([]byte, bool) {
	r, open := c.requests[a.Request]
	if !open || a.Attempt > r.Attempt(c.view.Height)+1 || c.attested(a) || a.Commitment != r.Commitment(c.opts.ChainID) {
		return nil, false
	}
	m, ok := r.Member(a.Operator)
	return m.IdentityKey, ok && m.IdentityVersion == a.IdentityVersion
}

// unpinned: no request asked for such an attestation, and pinned an identity for it.
func unpinned(kind types.RequestKind) bool {
	return kind == types.KindDelete || kind == types.KindShareMissing || kind == types.KindShareFound
}

// takeUnpinned keeps an attestation that Judge verified, unless a block that came since
// took it, or has no use for it. What this node would have to read for that is told again.
func (c *Core) takeUnpinned(j Judged) {
	a := j.attested
	if a == nil || c.pool.hasAttestation(a) {
		return
	}
	if j.under != c.judging.Load() {
		key, known := c.view.Keys[types.KeyID(a.Request.ID)]
		if !known || !c.unpinnedWanted(&key, a) {
			return
		}
	}
	c.pool.addAttestation(*a, c.opts.Now())
}

// unpinnedWanted: the chain, as it knows the key, lacks such an attestation.
func (c *Core) unpinnedWanted(key *types.Key, a *types.Attestation) bool {
	if a.Request.Kind == types.KindDelete {
		return c.deletionWanted(key, a)
	}
	return c.shareWordWanted(key, a)
}

// deletionWanted: the key is deleted, and this participant has not attested it
// on chain.
func (c *Core) deletionWanted(key *types.Key, a *types.Attestation) bool {
	return key.AwaitsAck(a.Operator) && a.Commitment == key.DeletionCommitment(c.opts.ChainID)
}

// takeSignature keeps a finished signature that proved itself for an open request. One
// that came before its request is dropped: whoever has it tells it again.
func (c *Core) takeSignature(j Judged, s types.SignatureResult) {
	r, open := c.requests[types.RequestID{Kind: types.KindSign, ID: s.RequestID}]
	if !open || !j.of(r) || c.pool.hasSignature(s.RequestID) {
		return
	}
	c.pool.addSignature(s, c.opts.Now())
}

// answersUs: it is said to a session of this node's, running or just over: the first
// Refuse ends it, and those of the others have their own word in them.
func (c *Core) answersUs(v types.Verified) bool {
	r, open := c.requests[v.Request()]
	if !open {
		return false
	}
	for _, height := range []int64{c.view.Height, c.view.Height - attemptSlack} {
		id, took := c.attempts[attemptID{r.ID, r.Attempt(height)}]
		if took && id == types.SessionID(v.Header().Context) {
			return true
		}
	}
	return false
}

// takeResult: whoever refuses because it has the result sends it along. One that is here
// is not verified again and again. It answers a session of this node: what somebody
// said to another one may have become false by a rollback, and whoever repeats it then
// must not make its sender pay.
func (c *Core) takeResult(v types.Verified) {
	if v.Header().Kind != wire.KIND_REFUSE || c.falseResults[v.From()] >= maxFalseResults {
		return
	}
	var r wire.Refuse
	if err := r.Unmarshal(v.Body()); err != nil || r.Result == nil {
		return
	}
	switch sum := r.Result.Sum.(type) {
	case *wire.Gossip_Signature:
		if sum.Signature != nil && c.pool.hasSignature(sum.Signature.RequestId) {
			return
		}
	case *wire.Gossip_Attestation:
		if sum.Attestation == nil || unpinned(types.RequestKind(sum.Attestation.RequestKind)) {
			return // as below
		}
	default:
		return // no refusal has anything else, and it would be judged on the loop
	}
	j, err := c.Judge(r.Result)
	if err != nil {
		c.chargeFalse(v.From(), err)
		return
	}
	if a := r.Result.GetAttestation(); a != nil {
		if said, err := types.AttestationFromWire(a); err == nil && c.takeAttestation(said) {
			c.chargeFalse(v.From(), errForged)
		}
		return
	}
	c.HandleGossip(context.Background(), j)
}

// chargeFalse counts a false result against who signed what brought it.
func (c *Core) chargeFalse(op types.Operator, err error) {
	c.opts.Observer.Dropped(types.ErrBadResult)
	c.falseResults[op]++
	if c.falseResults[op] == 1 {
		c.opts.Log.Warn("a participant sent a result that does not prove itself; when this goes on, its results are not looked at until the next block",
			"operator", op, "reason", types.ErrBadResult, "err", err, "allowed", maxFalseResults)
	}
}

// prunePool forgets what the chain has.
func (c *Core) prunePool(ctx context.Context) {
	c.pool.prune(wanted{
		attestation: func(a *types.Attestation) bool {
			if unpinned(a.Request.Kind) {
				_, valid := c.view.Roster.CurrentKey(a.Operator, a.IdentityVersion)
				key, known := c.chainKey(ctx, types.KeyID(a.Request.ID))
				return valid && known && c.unpinnedWanted(&key, a)
			}
			r, open := c.requests[a.Request]
			return open && !c.attested(a) && a.Commitment == r.Commitment(c.opts.ChainID)
		},
		signature: func(s *types.SignatureResult) bool {
			return c.isOpen(types.RequestID{Kind: types.KindSign, ID: s.RequestID})
		},
		evidence: c.evidenceWanted,
		accusation: func(a *types.Accusation) bool {
			if a.IsRefusal() {
				r, open := c.requests[a.Request]
				return open && r.CheckRefusal(c.opts.ChainID, a) == nil
			}
			return c.isOpen(a.Request) && !c.accused(a)
		},
	})
}

func (c *Core) isOpen(id types.RequestID) bool {
	_, open := c.requests[id]
	return open
}
