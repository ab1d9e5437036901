package types

import "fmt"

// Detail is one thing that a payload says, as people read it.
type Detail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ExplainingKind is a PayloadKind that tells people more of a payload than its claims. No
// block and no signature depends on what it tells.
type ExplainingKind interface {
	PayloadKind
	// Explain tells it of what Decode has understood, in the order in which it is read.
	Explain(data []byte) ([]Detail, error)
}

// Explain tells people what a payload says beside its claims: nothing, where its kind does
// not explain. It refuses what Decode refuses.
func (k *PayloadKinds) Explain(p Payload) ([]Detail, error) {
	if _, err := k.Decode(p); err != nil {
		return nil, err
	}
	kind, _ := k.kind(p.Kind)
	explains, ok := kind.(ExplainingKind)
	if !ok {
		return nil, nil
	}
	details, err := explains.Explain(p.Data)
	if err != nil {
		return nil, fmt.Errorf("explain what was decoded: %w", err)
	}
	return details, nil
}
