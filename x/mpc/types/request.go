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

// ToEngine converts for the node; key is the request's.
func (r Request) ToEngine(key Key) mpctypes.Request {
	out := mpctypes.Request{
		ID: r.RequestID(), KeyID: mpctypes.KeyID(r.KeyId), Algorithm: mpctypes.Algorithm(r.Algorithm),
		Threshold: int(r.Threshold), Epoch: r.Epoch, Members: make([]mpctypes.Member, len(r.Members)),
		Height: r.Height, ExpiryHeight: r.ExpiryHeight, AttemptBlocks: int64(r.AttemptBlocks),
		StartTimeout: r.StartTimeout, Digest: slices.Clone(r.Digest),
	}
	for i, m := range r.Members {
		out.Members[i] = mpctypes.Member{
			Operator: mpctypes.Operator(m.Operator), IdentityVersion: m.IdentityVersion, IdentityKey: slices.Clone(m.IdentityKey),
		}
	}
	if r.Kind == REQUEST_KIND_SIGN {
		copy(out.KeySession[:], key.Session)
		out.PublicKey = slices.Clone(key.PublicKey)
	}
	return out
}

// Validate checks a request of a genesis file.
func (r Request) Validate() error {
	if err := mpctypes.ValidateID(r.Id); err != nil {
		return err
	}
	switch {
	case r.Kind != REQUEST_KIND_KEYGEN && r.Kind != REQUEST_KIND_SIGN:
		return fmt.Errorf("request %s: unknown kind %d", r.Id, r.Kind)
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
