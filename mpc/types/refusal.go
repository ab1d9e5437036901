package types

import "fmt"

// A refusal is an accusation of oneself: a member's signed word that it will not sign
// what a request asks for, and why. It answers this one request: instead of a session it
// names its Commitment, and no attempt. Whoever asked reads it on chain; without it the
// request would expire and nobody would know what for.

// Refusable says whether a member that refuses to sign for a reason tells the chain. What
// passes, as a node that is busy, and what the chain is told in another way, as a missing
// share, is not among them.
func Refusable(r Reason) bool {
	switch r {
	case ErrPolicy, ErrWrongChain, ErrRawNotAllowed, ErrPlaceTaken:
		return true
	}
	return RefusedForGood(r)
}

// RefusedForGood says whether the reason of a refusal depends on nothing but the request,
// the program of the member and what it signed before: it would refuse the next attempts,
// too. What a policy of a module allows may change with the next block.
func RefusedForGood(r Reason) bool {
	switch r {
	case ErrBadDigest, ErrBadPayload, ErrUnknownKind, ErrNotCanonical, ErrPayloadTooLarge, ErrDigestDiffers, ErrDigestBound:
		return true
	}
	return false
}

// ReplacesRefusal says whether a member that refused a request for one reason may say so
// again for another: what would pass was not all, and it refuses for good now.
func ReplacesRefusal(before, now Reason) bool { return RefusedForGood(now) && !RefusedForGood(before) }

// Refusal is a member's word that it refuses a request for a signature, unsigned.
func (r *Request) Refusal(chainID string, m Member, reason Reason) Accusation {
	return Accusation{
		Request: r.ID, Session: r.Commitment(chainID), Accused: m.Operator, Reason: reason,
		Operator: m.Operator, IdentityVersion: m.IdentityVersion,
	}
}

// IsRefusal reports that the accusation is one of oneself.
func (a *Accusation) IsRefusal() bool { return a.Operator == a.Accused }

// CheckRefusal checks everything about a refusal of this request but its signature: it is
// a member's, of this very request, and the first one of that member, or the first for
// good. Tests of reshares are the module's own, and are not refused.
func (r *Request) CheckRefusal(chainID string, a *Accusation) error {
	m, member := r.Member(a.Operator)
	before, refused := r.Refused[a.Operator]
	switch {
	case r.ID != a.Request || r.ID.Kind != KindSign || r.Test:
		return fmt.Errorf("%w: %s is refused by nobody", ErrBadResult, a.Request)
	case !member || m.IdentityVersion != a.IdentityVersion:
		return fmt.Errorf("%w: %s with identity version %d is no member of %s", ErrUnknownParticipant, a.Operator, a.IdentityVersion, a.Request)
	case a.Attempt != 0 || a.Session != r.Commitment(chainID):
		return fmt.Errorf("%w: the refusal of %s answers another request than this %s", ErrBadResult, a.Operator, a.Request)
	case refused && !ReplacesRefusal(before, a.Reason):
		return fmt.Errorf("%w: %s refused %s before (%s)", ErrAlreadyDecided, a.Operator, a.Request, string(before))
	}
	return nil
}
