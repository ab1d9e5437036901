package types

import (
	"slices"
)

// Identity is one version of a participant's identity key.
type Identity struct {
	Version uint32
	Key     []byte
	Revoked bool
	// Until is the last height at which it was the current one, if there is a later version
	// or it was revoked.
	Until int64
}

// Roster is everybody who ever registered, as one committed state has it. It
// is immutable.
type Roster struct {
	byOperator map[Operator][]Identity
	byKey      map[string]OperatorVersion
}

// OperatorVersion names one identity of an operator.
type OperatorVersion struct {
	Operator Operator
	Version  uint32
}

// NewRoster copies what it is given.
func NewRoster(participants map[Operator][]Identity) *Roster {
	r := &Roster{
		byOperator: make(map[Operator][]Identity, len(participants)),
		byKey:      make(map[string]OperatorVersion, len(participants)),
	}
	for op, ids := range participants {
		own := make([]Identity, len(ids))
		for i, id := range ids {
			own[i] = Identity{id.Version, cloneBytes(id.Key), id.Revoked, id.Until}
			r.byKey[string(id.Key)] = OperatorVersion{op, id.Version}
		}
		r.byOperator[op] = own
	}
	return r
}

// Key returns an identity key that was not revoked.
func (r *Roster) Key(op Operator, version uint32) ([]byte, bool) {
	if r == nil {
		return nil, false
	}
	for _, id := range r.byOperator[op] {
		if id.Version == version && !id.Revoked {
			return id.Key, true
		}
	}
	return nil, false
}

// KeySince returns an identity key, revoked or not, that was an operator's current one at
// a height or later. One that was replaced before may be in the hands of somebody else.
func (r *Roster) KeySince(op Operator, version uint32, height int64) ([]byte, bool) {
	if r == nil {
		return nil, false
	}
	ids := r.byOperator[op]
	for i, id := range ids {
		if id.Version == version {
			current := i == len(ids)-1 && !id.Revoked
			return id.Key, current || id.Until >= height
		}
	}
	return nil, false
}

// Current returns the newest identity of an operator if it was not revoked.
func (r *Roster) Current(op Operator) (Identity, bool) {
	if r == nil {
		return Identity{}, false
	}
	ids := r.byOperator[op]
	if len(ids) == 0 || ids[len(ids)-1].Revoked {
		return Identity{}, false
	}
	return ids[len(ids)-1], true
}

// CurrentKey returns the key of an operator's current identity, if that has this version.
func (r *Roster) CurrentKey(op Operator, version uint32) ([]byte, bool) {
	id, ok := r.Current(op)
	return id.Key, ok && id.Version == version
}

// Find says whose identity a key is.
func (r *Roster) Find(key []byte) (OperatorVersion, bool) {
	if r == nil {
		return OperatorVersion{}, false
	}
	ov, ok := r.byKey[string(key)]
	return ov, ok
}

// Operators lists everybody, ascending.
func (r *Roster) Operators() []Operator {
	if r == nil {
		return nil
	}
	ops := make([]Operator, 0, len(r.byOperator))
	for op := range r.byOperator {
		ops = append(ops, op)
	}
	slices.Sort(ops)
	return ops
}
