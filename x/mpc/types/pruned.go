package types

import (
	"fmt"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// RequestID names what was pruned.
func (p PrunedRequest) RequestID() mpctypes.RequestID {
	return mpctypes.RequestID{Kind: mpctypes.RequestKind(p.Kind), ID: p.Id}
}

// Validate checks what is left of a key or a reshare in a genesis file.
func (p PrunedRequest) Validate() error {
	validate := ValidateReshareID
	switch p.Kind {
	case REQUEST_KIND_RESHARE:
	case REQUEST_KIND_KEYGEN:
		validate = mpctypes.ValidateID
	default:
		return fmt.Errorf("pruned request %s is neither of a key nor of a reshare", p.RequestID())
	}
	if err := validate(p.Id); err != nil {
		return err
	}
	if n := len(p.ContentHash); n != len(mpctypes.Hash{}) {
		return fmt.Errorf("pruned request %s: content hash has %d bytes", p.RequestID(), n)
	}
	return nil
}

// Validate checks what is left of a signature in a genesis file.
func (p PrunedSignature) Validate() error {
	if err := mpctypes.ValidateID(p.Id); err != nil {
		return err
	}
	if n := len(p.ContentHash); n != len(mpctypes.Hash{}) {
		return fmt.Errorf("pruned signature %s: content hash has %d bytes", p.Id, n)
	}
	return nil
}

// addPrunedRequests looks for keys and reshares that are there although they were pruned.
func (c genesisCheck) addPrunedRequests(all []PrunedRequest) error {
	for _, p := range all {
		if err := p.Validate(); err != nil {
			return err
		}
		_, key := c.keys[p.Id]
		_, reshare := c.reshares[p.Id]
		if p.Kind == REQUEST_KIND_KEYGEN && key || p.Kind == REQUEST_KIND_RESHARE && reshare || c.prunedRequests[p.RequestID()] {
			return fmt.Errorf("%s was pruned and is there, or was pruned twice", p.RequestID())
		}
		c.prunedRequests[p.RequestID()] = true
	}
	return nil
}

// addPruned looks for signatures that are there although they were pruned, and for tests
// that were without their reshares.
func (c genesisCheck) addPruned(all []PrunedSignature) error {
	for _, p := range all {
		if err := p.Validate(); err != nil {
			return err
		}
		if _, there := c.signatures[p.Id]; there || c.pruned[p.Id] {
			return fmt.Errorf("signature %s was pruned and is there, or was pruned twice", p.Id)
		}
		if IsTestID(p.Id) && !c.prunedReshare(ReshareOfTest(p.Id)) {
			return fmt.Errorf("signature %s was pruned without the reshare that it tests", p.Id)
		}
		c.pruned[p.Id] = true
	}
	return nil
}

func (c genesisCheck) prunedReshare(id string) bool {
	return c.prunedRequests[mpctypes.RequestID{Kind: mpctypes.KindReshare, ID: id}]
}
