package types

import (
	"errors"
	"fmt"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// DefaultGenesis is a chain without participants.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks a genesis state as far as it goes without the chain id and the
// address codecs: the keeper checks that each address is one of this chain
// (CheckGenesis), and verifies the proofs at import.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	if g.ExportHeight < 0 {
		return ErrBadGenesis.Wrapf("export_height %d is below 0", g.ExportHeight)
	}
	check := genesisCheck{
		height: g.ExportHeight,
		keys:   make(map[string]Key, len(g.Keys)), requests: make(map[string]Request, len(g.Requests)),
		signatures: make(map[string]Signature, len(g.Signatures)), pruned: make(map[string]bool, len(g.PrunedSignatures)), reshares: make(map[string]Reshare, len(g.Reshares)),
		prunedRequests: make(map[mpctypes.RequestID]bool, len(g.PrunedRequests)),
	}
	for _, step := range []func() error{ // each may count on those before it
		func() error { return check.participants(g.Participants) },
		func() error { return check.addRequests(g.Requests) },
		func() error { return check.addKeys(g.Keys) },
		func() error { return check.addSignatures(g.Signatures) },
		func() error { return check.signedPlaces(g.SignedPlaces) },
		func() error { return check.addReshares(g.Reshares) },
		func() error { return check.addPrunedRequests(g.PrunedRequests) },
		func() error { return check.addPruned(g.PrunedSignatures) },
		func() error { return check.keysBelong(g.Keys, g.Reshares) },
		func() error { return check.testsBelong(g.Signatures) },
		func() error { return check.requestsBelong(g.Requests) },
		func() error { return check.condemned(g.Condemned) },
		func() error { return check.attestations(g.Attestations) },
		func() error { return check.faults(g.Faults) },
		func() error { return check.absentees(g.Absentees) },
		func() error { return check.queuedHooks(g.QueuedHooks) },
	} {
		if err := step(); err != nil {
			return ErrBadGenesis.Wrap(err.Error())
		}
	}
	return nil
}

// genesisCheck knows what was seen so far.
type genesisCheck struct {
	height     int64 // of the export; 0 for a new chain
	keys       map[string]Key
	requests   map[string]Request
	signatures map[string]Signature
	pruned     map[string]bool // signatures
	reshares   map[string]Reshare
	// prunedRequests are of keys and reshares.
	prunedRequests map[mpctypes.RequestID]bool
}

// signedPlaces checks what keys signed for each nonce.
func (c genesisCheck) signedPlaces(all []SignedPlace) error {
	for i, p := range all {
		if err := p.Validate(); err != nil {
			return err
		}
		if _, known := c.keys[p.KeyId]; !known {
			return fmt.Errorf("signed place %s is of the unknown key %s", p.Place, p.KeyId)
		}
		if i > 0 && (all[i-1].KeyId > p.KeyId || all[i-1].KeyId == p.KeyId && all[i-1].Place >= p.Place) {
			return fmt.Errorf("signed place %s of key %s: they must ascend by key and place", p.Place, p.KeyId)
		}
	}
	return nil
}

func requestName(kind RequestKind, id string) string {
	return mpctypes.RequestID{Kind: mpctypes.RequestKind(kind), ID: id}.String()
}

func (c genesisCheck) participants(all []GenesisParticipant) error {
	operators, keys := make(map[string]bool, len(all)), make(map[string]bool, len(all))
	for _, g := range all {
		p := g.Participant
		if err := p.Validate(); err != nil {
			return err
		}
		if operators[p.Operator] {
			return fmt.Errorf("participant %s is there twice", p.Operator)
		}
		operators[p.Operator] = true
		if len(g.ProofOfPossession) == 0 && c.height == 0 {
			return fmt.Errorf("participant %s has no proof of possession", p.Operator)
		}
		if len(g.ProofOfPossession) > 0 && (len(p.Identities) != 1 || p.Identities[0].Revoked()) {
			return fmt.Errorf("new participant %s must have one identity", p.Operator)
		}
		for _, id := range p.Identities {
			if keys[string(id.PublicKey)] {
				return fmt.Errorf("participant %s: its identity key of version %d is there twice", p.Operator, id.Version)
			}
			keys[string(id.PublicKey)] = true
		}
	}
	return nil
}

func (c genesisCheck) addRequests(all []Request) error {
	for _, r := range all {
		if err := r.Validate(); err != nil {
			return err
		}
		name := requestName(r.Kind, r.Id)
		if _, twice := c.requests[name]; twice {
			return fmt.Errorf("request %s is there twice", name)
		}
		c.requests[name] = r
	}
	return nil
}

func (c genesisCheck) addKeys(all []Key) error {
	for _, k := range all {
		if err := k.Validate(); err != nil {
			return err
		}
		if _, twice := c.keys[k.Id]; twice {
			return fmt.Errorf("key %s is there twice", k.Id)
		}
		if k.DecidedHeight > c.height || max(k.RetireHeight, k.ReadyRetireHeight, k.lastReshareHeight(), k.memoryEnd()) > c.height+MaxLengthBlocks {
			return fmt.Errorf("key %s was decided at height %d with retire_height %d, ready_retire_height %d, staged_retire_height %d, auto_reshare_height %d, urgent_height %d, endangered_height %d, return_height %d, ended_epochs until %d, absentees and repairs until %d, the export is of height %d",
				k.Id, k.DecidedHeight, k.RetireHeight, k.ReadyRetireHeight, k.StagedRetireHeight, k.AutoReshareHeight, k.UrgentHeight, k.EndangeredHeight, k.ReturnHeight, k.lastEnd(), k.memoryEnd(), c.height)
		}
		c.keys[k.Id] = k
		_, open := c.requests[requestName(REQUEST_KIND_KEYGEN, k.Id)]
		if open != (k.Status == KEY_STATUS_PENDING) {
			return fmt.Errorf("key %s is %s; exactly the PENDING keys have an open request", k.Id, k.Status)
		}
	}
	return nil
}

func (c genesisCheck) addSignatures(all []Signature) error {
	for _, s := range all {
		key, ok := c.keys[s.KeyId]
		if !ok {
			return fmt.Errorf("signature %s is by the unknown key %s", s.Id, s.KeyId)
		}
		if err := s.Validate(key); err != nil {
			return err
		}
		if _, twice := c.signatures[s.Id]; twice {
			return fmt.Errorf("signature %s is there twice", s.Id)
		}
		if s.DecidedHeight > c.height {
			return fmt.Errorf("signature %s was decided at height %d, the export is of height %d", s.Id, s.DecidedHeight, c.height)
		}
		c.signatures[s.Id] = s
		_, open := c.requests[requestName(REQUEST_KIND_SIGN, s.Id)]
		if open != (s.Status == SIGNATURE_STATUS_PENDING) {
			return fmt.Errorf("signature %s is %s; exactly the PENDING ones have an open request", s.Id, s.Status)
		}
	}
	return nil
}

// requestsBelong looks for requests without their key or signature.
func (c genesisCheck) requestsBelong(all []Request) error {
	for _, r := range all {
		key, known := c.keys[r.KeyId]
		switch {
		case !known:
			return fmt.Errorf("request %s is for the unknown key %s", r.Id, r.KeyId)
		case r.NeedsKey() && (key.Status == KEY_STATUS_PENDING || key.Status == KEY_STATUS_ERROR):
			return fmt.Errorf("request %s is for key %s, which is %s", r.Id, r.KeyId, key.Status)
		case r.Kind == REQUEST_KIND_KEYGEN && len(r.Members) != len(key.Participants):
			return fmt.Errorf("keygen %s has %d members for %d participants", r.Id, len(r.Members), len(key.Participants))
		}
		if err := c.signBelongs(r, key); err != nil {
			return err
		}
		if reshare, known := c.reshares[r.Id]; r.Kind == REQUEST_KIND_RESHARE {
			if !known {
				return fmt.Errorf("request %s is for an unknown reshare", r.Id)
			}
			if err := r.validateHandover(key, reshare); err != nil {
				return err
			}
		}
	}
	return nil
}

// condemned checks that what fails is open.
func (c genesisCheck) condemned(all []CondemnedRequest) error {
	seen := make(map[mpctypes.RequestID]bool, len(all))
	for _, r := range all {
		_, open := c.requests[r.RequestID().String()]
		switch {
		case !open || r.Reason == "":
			return fmt.Errorf("condemned request %s is not open, or has no reason", r.RequestID())
		case seen[r.RequestID()]:
			return fmt.Errorf("condemned request %s is there twice", r.RequestID())
		}
		seen[r.RequestID()] = true
	}
	return nil
}

func (c genesisCheck) faults(all []Fault) error {
	seen := make(map[string]bool, len(all))
	for _, f := range all {
		if err := f.Validate(); err != nil {
			return err
		}
		place := f.Participant + " " + f.Place()
		if seen[place] {
			return fmt.Errorf("fault %s is there twice", place)
		}
		if f.Height > c.height || f.LapseHeight > c.height+MaxLengthBlocks {
			return fmt.Errorf("fault %s is of height %d until %d, the export is of height %d", place, f.Height, f.LapseHeight, c.height)
		}
		seen[place] = true
	}
	return nil
}

// queuedHooks does not ask for the fault of a hook: an accusation may have lapsed. A
// signature or a reshare may have been pruned.
func (c genesisCheck) queuedHooks(all []QueuedHook) error {
	seen := make(map[string]bool, len(all))
	for _, q := range all {
		ok := false
		switch q.Hook {
		case HookAfterKeyReady:
			ok = len(c.keys[q.Id].PublicKey) > 0 && q.Place == ""
		case HookAfterSignatureReady:
			_, known := c.signatures[q.Id]
			_, open := c.requests[requestName(REQUEST_KIND_SIGN, q.Id)]
			ok = (known && !open || c.pruned[q.Id]) && q.Place == ""
		case HookAfterKeyReshared:
			ok = (c.reshares[q.Id].Status == RESHARE_STATUS_READY || c.prunedReshare(q.Id)) && q.Place == ""
		case HookAfterFault:
			ok = q.Id != "" && q.Place != ""
		}
		switch {
		case !ok:
			return fmt.Errorf("queued hook %s is for nothing", q.name())
		case seen[q.name()]:
			return fmt.Errorf("queued hook %s is there twice", q.name())
		case q.Height > c.height+MaxLengthBlocks:
			return fmt.Errorf("queued hook %s is too far from the export at height %d", q.name(), c.height)
		}
		seen[q.name()] = true
	}
	return nil
}

// absentees checks who did not come to reshares of some key.
func (c genesisCheck) absentees(all []Absentee) error {
	last := ""
	for _, a := range all {
		if err := a.validate(); err != nil {
			return err
		}
		switch {
		case a.Operator <= last:
			return fmt.Errorf("absentees must ascend, and %s follows %s", a.Operator, last)
		case a.Words == 0:
			return fmt.Errorf("absentee %s: nobody says so", a.Operator)
		case a.UntilHeight > c.height+MaxLengthBlocks:
			return fmt.Errorf("absentee %s until height %d is too far from the export at height %d", a.Operator, a.UntilHeight, c.height)
		}
		last = a.Operator
	}
	return nil
}

func (c genesisCheck) attestations(all []StoredAttestation) error {
	bySession, byAttempt := make(map[string]bool, len(all)), make(map[string]bool, len(all))
	for _, a := range all {
		r, open := c.requests[requestName(a.Kind, a.RequestId)]
		if !open || a.Kind != REQUEST_KIND_KEYGEN && a.Kind != REQUEST_KIND_RESHARE {
			return fmt.Errorf("an attestation of %s is for no open keygen or reshare", a.RequestId)
		}
		_, member := r.Attestor(a.Operator)
		_, err := r.ParsePayload(a.Payload, c.keys[r.KeyId])
		if !member || len(a.Session) != len(mpctypes.Context{}) || err != nil {
			return errors.Join(fmt.Errorf("attestation of %s by %s is not valid", a.RequestId, a.Operator), err)
		}
		name := requestName(a.Kind, a.RequestId)
		session := fmt.Sprintf("%s %s %x", name, a.Operator, a.Session)
		attempt := fmt.Sprintf("%s %s %d", name, a.Operator, a.Attempt)
		if bySession[session] || byAttempt[attempt] {
			return fmt.Errorf("%s attested a session or an attempt of %s twice", a.Operator, a.RequestId)
		}
		bySession[session], byAttempt[attempt] = true, true
	}
	return nil
}
