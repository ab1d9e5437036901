package types

import (
	"fmt"
	"maps"
	"slices"
)

// PayloadKinds are the kinds that a node decodes. They are sealed: nothing changes them
// after they were made. The nil one has no kinds.
type PayloadKinds struct{ byName map[string]PayloadKind }

// NewPayloadKinds makes them. It panics if a kind is nil or has a bad name, or two have
// the same one: the program is wired wrongly then, and its nodes would disagree.
func NewPayloadKinds(kinds ...PayloadKind) *PayloadKinds {
	k := &PayloadKinds{byName: make(map[string]PayloadKind, len(kinds))}
	for _, kind := range kinds {
		if kind == nil {
			panic("mpc: a kind of payload is nil")
		}
		name := kind.Name()
		if len(name) > MaxKindBytes || !kindForm.MatchString(name) {
			panic(fmt.Sprintf("mpc: %q is no name for a kind of payload", name))
		}
		if _, taken := k.byName[name]; taken {
			panic("mpc: the kind of payload " + name + " is there twice")
		}
		k.byName[name] = kind
	}
	return k
}

// Names lists the kinds, ascending.
func (k *PayloadKinds) Names() []string {
	if k == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(k.byName))
}

// Decode understands a payload. Its errors carry a reason: ErrUnknownKind,
// ErrPayloadTooLarge, ErrNotCanonical, ErrBadPayload, or ErrBadDigest for one whose
// digest no key can sign. A kind that panics refuses: a payload ends neither a block nor
// a node.
func (k *PayloadKinds) Decode(p Payload) (decoded DecodedPayload, err error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	kind, known := k.kind(p.Kind)
	if !known {
		return nil, fmt.Errorf("%w: %s", ErrUnknownKind, p.Kind)
	}
	defer func() {
		if recover() != nil { // what it says may differ between nodes
			decoded, err = nil, fmt.Errorf("%w: %s cannot be decoded", ErrBadPayload, p.Kind)
		}
	}()
	decoded, err = kind.Decode(p.Data)
	if err == nil {
		digest := decoded.Digest()
		err = ValidateDigest(digest[:])
	}
	if err == nil {
		err = ValidatePlace(decoded.Claims().Place)
	}
	switch {
	case err == nil:
		return decoded, nil
	case ReasonOf(err) == "":
		return nil, fmt.Errorf("%w: %s: %w", ErrBadPayload, p.Kind, err)
	}
	return nil, err
}

func (k *PayloadKinds) kind(name string) (PayloadKind, bool) {
	if k == nil {
		return nil, false
	}
	kind, known := k.byName[name]
	return kind, known
}
