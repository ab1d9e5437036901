package types

import (
	"math"
	"time"
)

// PresignStartTimeout is how long a Ready for a presignature waits for its Start.
const PresignStartTimeout = 10 * time.Second

// PresignID names what is done for presignatures of the key's present epoch.
func PresignID(key *Key) RequestID { return RequestID{Kind: KindPresign, ID: key.Session.String()} }

// PresignRequest is what participants of a READY key do for it without being asked:
// the part of a signature that does not depend on what is signed. No block commits it.
// Every node derives the same one from the same state, so its name is the session that
// made the key's shares: another epoch, or another key, is another request. The number
// of the attempt only names one of many; whose turn it would be leads it and owns what
// comes of it. It is served after everything that the chain asks for.
//
// Who revoked its identity is no member. False if too few are left.
func PresignRequest(key *Key, roster *Roster) (Request, bool) {
	r := Request{
		ID:    PresignID(key),
		KeyID: key.ID, Algorithm: key.Algorithm, Threshold: key.Threshold, Epoch: key.Epoch,
		Height: math.MaxInt64, ExpiryHeight: math.MaxInt64, AttemptBlocks: 1, StartTimeout: PresignStartTimeout,
		KeySession: key.Session, PublicKey: key.PublicKey,
	}
	for _, op := range key.Participants {
		if id, ok := roster.Current(op); ok {
			r.Members = append(r.Members, Member{Operator: op, IdentityVersion: id.Version, IdentityKey: id.Key})
		}
	}
	return r, len(r.Members) >= r.SignersNeeded()
}

// SignsWith says whether a presignature that these members made can become a signature
// of a request: it is of the same shares, and the request pinned the same identities of
// those members.
func (r *Request) SignsWith(presign *Request, signers []Operator) bool {
	if r.ID.Kind != KindSign || r.Test || r.KeyID != presign.KeyID || r.Epoch != presign.Epoch || r.KeySession != presign.KeySession {
		return false
	}
	for _, op := range signers {
		a, member := r.Member(op)
		b, _ := presign.Member(op)
		if !member || a.IdentityVersion != b.IdentityVersion || string(a.IdentityKey) != string(b.IdentityKey) {
			return false
		}
	}
	return true
}
