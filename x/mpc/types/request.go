package types

import (
	"fmt"
	"slices"
	"strings"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// RequestID names the request.
func (r Request) RequestID() mpctypes.RequestID {
	return mpctypes.RequestID{Kind: mpctypes.RequestKind(r.Kind), ID: r.Id}
}

// RequestID names the request.
func (c CondemnedRequest) RequestID() mpctypes.RequestID {
	return mpctypes.RequestID{Kind: mpctypes.RequestKind(c.Kind), ID: c.Id}
}

// Member finds a member by operator.
func (r Request) Member(operator string) (Member, bool) {
	i, ok := slices.BinarySearchFunc(r.Members, operator, func(m Member, op string) int {
		return strings.Compare(m.Operator, op)
	})
	if !ok {
		return Member{}, false
	}
	return r.Members[i], true
}

// Attempt is the attempt that may be opened at a height, by the engine's rule.
func (r Request) Attempt(height int64) uint32 {
	e := mpctypes.Request{Height: r.Height, AttemptBlocks: int64(r.AttemptBlocks)}
	return e.Attempt(height)
}

// ToEngine converts for the node; key is the request's. It gives the public key
// only: what else a request needs of its key was pinned, the key may have another
// epoch by now.
func (r Request) ToEngine(key Key) mpctypes.Request {
	out := mpctypes.Request{
		ID: r.RequestID(), KeyID: mpctypes.KeyID(r.KeyId), Owner: r.Owner, Algorithm: mpctypes.Algorithm(r.Algorithm),
		Threshold: int(r.Threshold), Epoch: r.Epoch, Members: make([]mpctypes.Member, len(r.Members)),
		Height: r.Height, ExpiryHeight: r.ExpiryHeight, AttemptBlocks: int64(r.AttemptBlocks),
		StartTimeout: r.StartTimeout, Digest: slices.Clone(r.Digest), Test: r.Test, TestSeed: slices.Clone(r.TestSeed),
		Payload: r.Payload.ToEngine(), Policy: r.Policy.ToEngine(),
	}
	for i, m := range r.Members {
		out.Members[i] = mpctypes.Member{
			Operator: mpctypes.Operator(m.Operator), IdentityVersion: m.IdentityVersion, IdentityKey: slices.Clone(m.IdentityKey),
		}
	}
	copy(out.KeySession[:], r.KeySession)
	if r.NeedsKey() {
		out.PublicKey = slices.Clone(key.PublicKey)
	}
	if r.Handover != nil {
		out.Handover = r.Handover.toEngine()
	}
	return out
}

// NeedsKey reports whether the request is for a key that there is.
func (r Request) NeedsKey() bool {
	return r.Kind == REQUEST_KIND_SIGN || r.Kind == REQUEST_KIND_RESHARE
}

// Attestor finds a member whose word decides the request: one that gets a share.
func (r Request) Attestor(operator string) (Member, bool) {
	if r.Handover != nil && !r.Handover.Receives(operator) {
		return Member{}, false
	}
	return r.Member(operator)
}

// Attestors is how many attestations decide the request, and how many shares they
// name.
func (r Request) Attestors() int {
	if r.Handover != nil {
		return len(r.Handover.Receivers)
	}
	return len(r.Members)
}

// ParsePayload decodes what a participant attests, and checks its curve points. A
// reshare leaves the key as it is.
func (r Request) ParsePayload(payload []byte, key Key) (mpctypes.KeygenPayload, error) {
	p, err := ParseKeygenPayload(payload, r.Attestors())
	if err != nil {
		return p, err
	}
	if r.Kind == REQUEST_KIND_RESHARE && string(p.PublicKey) != string(key.PublicKey) {
		return p, ErrBadResult.Wrapf("the shares are of another key than %s", key.Id)
	}
	return p, nil
}

// Receivers are the members that get a share by a reshare, as they were pinned.
func (r Request) Receivers() []Member {
	return slices.DeleteFunc(slices.Clone(r.Members), func(m Member) bool { return !r.Handover.Receives(m.Operator) })
}

// Validate checks a request of a genesis file.
func (r Request) Validate() error {
	if err := mpctypes.ValidateID(r.Id); err != nil {
		return err
	}
	switch {
	case r.Kind != REQUEST_KIND_KEYGEN && !r.NeedsKey():
		return fmt.Errorf("request %s: unknown kind %d", r.Id, r.Kind)
	case r.NeedsKey() && len(r.KeySession) != len(mpctypes.Context{}), !r.NeedsKey() && len(r.KeySession) != 0:
		return fmt.Errorf("request %s: session of the key has %d bytes", r.Id, len(r.KeySession))
	case (r.Kind == REQUEST_KIND_RESHARE) != (r.Handover != nil):
		return fmt.Errorf("request %s: exactly reshares have a handover", r.Id)
	case r.Test && r.Kind != REQUEST_KIND_SIGN:
		return fmt.Errorf("request %s: only a signature is a test", r.Id)
	case len(r.TestSeed) != 0 && (!r.Test || len(r.TestSeed) != len(mpctypes.Hash{})):
		return fmt.Errorf("request %s: only a test has a seed, of %d bytes, this one is of %d", r.Id, len(mpctypes.Hash{}), len(r.TestSeed))
	case r.Payload != nil && (r.Kind != REQUEST_KIND_SIGN || r.Test):
		return fmt.Errorf("request %s: only a signature has a payload, and no test has one", r.Id)
	case r.Policy != nil && (r.Kind != REQUEST_KIND_SIGN || r.Test || r.Policy.Validate() != nil):
		return fmt.Errorf("request %s: only a signature has a policy, no test has one, and this one must be good", r.Id)
	case r.Kind == REQUEST_KIND_KEYGEN && r.KeyId != r.Id:
		return fmt.Errorf("keygen %s is for another key", r.Id)
	case len(r.Members) == 0 || len(r.Members) > mpctypes.MaxMembers:
		return fmt.Errorf("request %s has %d members", r.Id, len(r.Members))
	case r.AttemptBlocks == 0 || r.ExpiryHeight <= r.Height || r.StartTimeout <= 0:
		return fmt.Errorf("request %s: attempt length, expiry or start timeout is missing", r.Id)
	case r.Owner == "":
		return fmt.Errorf("request %s has no owner", r.Id)
	}
	operators := make([]string, len(r.Members))
	for i, m := range r.Members {
		operators[i] = m.Operator
		if err := ValidateIdentityKey(m.IdentityKey); err != nil {
			return fmt.Errorf("request %s: member %s: %w", r.Id, m.Operator, err)
		}
	}
	if !ascending(operators) {
		return fmt.Errorf("request %s: members must ascend", r.Id)
	}
	return nil
}

// Shift moves the request in time: a negative number of blocks for a chain that
// starts anew. How far its attempts have come stays as it was.
func (r *Request) Shift(blocks int64) {
	r.Height += blocks
	r.ExpiryHeight += blocks
}

// shiftPast moves the height of something that is over. 0 stands for what is not.
func shiftPast(height, blocks int64) int64 {
	if height += blocks; height == 0 {
		return -1
	}
	return height
}
