package types

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// IdentityKeySize is the length of an ed25519 public key.
const IdentityKeySize = 32

// Member is a participant as a request pinned it at its commit.
type Member struct {
	Operator        Operator
	IdentityVersion uint32
	IdentityKey     []byte
}

// Request is a committed, open request with everything it depends on. It is
// immutable; whoever changes one clones it first.
type Request struct {
	ID    RequestID
	KeyID KeyID
	// Owner asked, by the address that the chain has of it; for the test of a reshare,
	// whoever owns the key. Nobody else's request is the same one.
	Owner     string
	Algorithm Algorithm
	Threshold int
	// Epoch of the key: 0 for a keygen.
	Epoch uint64
	// Members ascend by operator.
	Members []Member
	// Height is the block that committed it.
	Height int64
	// ExpiryHeight is the first block at which it fails as expired.
	ExpiryHeight int64
	// AttemptBlocks is how many blocks one attempt lasts, at least 1.
	AttemptBlocks int64
	// StartTimeout is how long a Ready waits for its Start.
	StartTimeout time.Duration
	// Digest is what a sign request signs, 32 bytes.
	Digest []byte
	// Payload is what the digest is of; the zero Payload if it was asked for as it is, and
	// for a test.
	Payload Payload
	// Policy of the key, as the chain had it; nil if it had none.
	Policy *Policy
	// KeySession is the session that made the key's shares of this epoch; zero
	// for a keygen.
	KeySession Context
	// PublicKey is the key's, compressed; empty for a keygen.
	PublicKey []byte
	// Handover is set for a reshare only.
	Handover *Handover
	// Test: the signature proves the staged shares of a reshare, the only thing
	// that they sign.
	Test bool
	// TestSeed is what the digest of a test has in it that nobody knew before the block
	// that committed it; none if the chain had no seeds then.
	TestSeed []byte
	// Refused are members that said on chain that they will not sign it, and why. It is
	// the one thing here that changes after the commit, and no part of the Commitment.
	Refused map[Operator]Reason
}

// Member returns the member with this operator.
func (r *Request) Member(op Operator) (Member, bool) {
	i, ok := slices.BinarySearchFunc(r.Members, op, func(m Member, op Operator) int {
		return cmpString(string(m.Operator), string(op))
	})
	if !ok {
		return Member{}, false
	}
	return r.Members[i], true
}

// Operators lists the members' operators, ascending.
func (r *Request) Operators() []Operator {
	ops := make([]Operator, len(r.Members))
	for i, m := range r.Members {
		ops[i] = m.Operator
	}
	return ops
}

// Committee lists who holds the key's shares of the request's epoch, ascending.
func (r *Request) Committee() []Operator {
	if r.Handover != nil {
		return slices.Clone(r.Handover.Receivers)
	}
	return r.Operators()
}

// SignersNeeded is how many participants run the rounds: all for a keygen,
// t+1 for a signature. A reshare needs dealers and receivers, of whom one may be
// both: see Handover.
func (r *Request) SignersNeeded() int {
	switch {
	case r.ID.Kind == KindSign, r.ID.Kind == KindPresign:
		return r.Threshold + 1
	case r.Handover != nil:
		return len(r.Handover.Receivers)
	}
	return len(r.Members)
}

// CanDoWithout says whether enough participants are left if these are not there.
// Holders that are no members, because they revoked their identity, cannot deal.
func (r *Request) CanDoWithout(gone []Operator) bool {
	if h := r.Handover; h != nil {
		holders := 0
		for _, m := range r.Members {
			if h.Holds(m.Operator) && !slices.Contains(gone, m.Operator) {
				holders++
			}
		}
		return holders >= h.DealersNeeded() && !slices.ContainsFunc(gone, h.Receives)
	}
	return len(r.Members)-len(gone) >= r.SignersNeeded()
}

// CheckAttested checks all of an attestation that the request itself decides, before
// its signature: that the attestor gets a share by it, under the identity that was
// pinned, and that what it says is a key with as many shares. The chain refuses what
// is not so.
func (r *Request) CheckAttested(a *Attestation) error {
	m, ok := r.Member(a.Operator)
	if !ok || !slices.Contains(r.Committee(), a.Operator) {
		return fmt.Errorf("%s gets no share by %s", a.Operator, r.ID)
	}
	if m.IdentityVersion != a.IdentityVersion {
		return fmt.Errorf("identity version %d of %s, %s pinned %d", a.IdentityVersion, a.Operator, r.ID, m.IdentityVersion)
	}
	if a.Session == r.KeySession {
		return fmt.Errorf("the session made the shares that key %s has", r.KeyID)
	}
	payload, err := ParseKeygenPayload(a.Payload, len(r.Committee()))
	if err != nil {
		return err
	}
	if len(r.PublicKey) > 0 && string(payload.PublicKey) != string(r.PublicKey) {
		return fmt.Errorf("the shares are of another key than %s", r.KeyID)
	}
	return nil
}

// BindingHash is what the id of a sign request is bound to for ever, beside its
// digest: the key that signs, and how. Epoch, session, threshold and members are not
// in it: they are whose shares sign, and they may differ when a chain that was rolled
// back over a reshare commits the same request again.
func (r *Request) BindingHash() Hash {
	return newSignBytes("binding").
		u64(uint64(r.ID.Kind)).str(r.ID.ID).str(string(r.KeyID)).u64(uint64(r.Algorithm)).sum()
}

// Commitment names a request as one chain committed it, once: when, and with everything
// that it pinned, and who asked. The same id may be committed again, after a rollback or on another
// chain, by somebody else.
func (r *Request) Commitment(chainID string) Hash {
	s := newSignBytes("commitment").
		str(chainID).u64(uint64(r.Height)).u64(uint64(r.ID.Kind)).str(r.ID.ID).str(string(r.KeyID)).
		str(r.Owner).u64(uint64(r.Algorithm)).bytes(r.PublicKey).bytes(r.Digest).u64(uint64(r.Threshold)).u64(r.Epoch).
		hash(r.KeySession).u64(uint64(len(r.Members)))
	for _, m := range r.Members {
		s.str(string(m.Operator)).u64(uint64(m.IdentityVersion)).bytes(m.IdentityKey)
	}
	if r.Handover != nil {
		r.Handover.signBytes(s)
	}
	if r.Test {
		s.str("test")
	}
	if !r.Payload.IsZero() {
		s.str("payload").str(r.Payload.Kind).bytes(r.Payload.Data)
	}
	if r.Policy != nil {
		r.Policy.signBytes(s)
	}
	return s.sum()
}

// Attempt is the attempt that may be opened at a height: the number of whole
// attempt lengths since the request was committed.
func (r *Request) Attempt(height int64) uint32 {
	if height <= r.Height || r.AttemptBlocks <= 0 {
		return 0
	}
	return uint32((height - r.Height) / r.AttemptBlocks)
}

// Expired reports whether the request may no longer be worked on at a height.
func (r *Request) Expired(height int64) bool { return height >= r.ExpiryHeight }

// Initiator is the participant that may open an attempt. All members take
// turns, in an order that depends on the request, so that many requests at
// once are led by different participants. In a reshare the receivers do: they are
// all needed, while members of the old committee may be gone.
func (r *Request) Initiator(attempt uint32) Operator {
	if len(r.Members) == 0 {
		return ""
	}
	order := r.initiatorOrder()
	return order[int(attempt)%len(order)]
}

// Turn is the first attempt that a member initiates; it does all those that are a
// multiple of their number later.
func (r *Request) Turn(op Operator) (uint32, bool) {
	i := slices.Index(r.initiatorOrder(), op)
	return uint32(max(i, 0)), i >= 0
}

// initiatorOrder sorts the members by a hash of request and operator.
func (r *Request) initiatorOrder() []Operator {
	type ranked struct {
		op   Operator
		rank Hash
	}
	leaders := r.Operators()
	if r.Handover != nil {
		leaders = r.Handover.Receivers
	}
	all := make([]ranked, len(leaders))
	for i, op := range leaders {
		all[i] = ranked{op, newSignBytes("initiator").
			u64(uint64(r.ID.Kind)).str(r.ID.ID).u64(r.Epoch).str(string(op)).sum()}
	}
	slices.SortFunc(all, func(a, b ranked) int { return bytes.Compare(a.rank[:], b.rank[:]) })
	ops := make([]Operator, len(all))
	for i, a := range all {
		ops[i] = a.op
	}
	return ops
}

// Before orders requests the way all nodes serve them: by height, then id.
func (r *Request) Before(o *Request) bool {
	if r.Height != o.Height {
		return r.Height < o.Height
	}
	return r.ID.Less(o.ID)
}

func cmpString(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
