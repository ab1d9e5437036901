package keeper

import (
	"errors"
	"fmt"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// CheckGenesis says whether InitGenesis takes a state, as far as that shows without the
// chain's id, which proofs of possession are made for: whether it fits together, every
// address is one of this chain in its one form, the chain has what the parameters need, and
// knows the payloads that are open. It changes nothing and needs no store.
func (k *Keeper) CheckGenesis(gs types.GenesisState) error {
	if err := gs.Validate(); err != nil {
		return err
	}
	if _, err := k.checkParams(gs.Params); err != nil {
		return err
	}
	participants := make(map[string]bool, len(gs.Participants))
	for _, p := range gs.Participants {
		operator, _, err := k.operator(p.Participant.Operator)
		if err != nil {
			return err
		}
		if participants[operator] {
			return types.ErrBadGenesis.Wrapf("participant %s is there twice", operator)
		}
		participants[operator] = true
	}
	if err := k.checkDecided(gs); err != nil {
		return err
	}
	return k.checkOpen(gs, participants)
}

// VerifyGenesisProofs checks what CheckGenesis cannot: that each new participant has the
// private key of its identity, and registers it with the chain of this id.
func (k *Keeper) VerifyGenesisProofs(chainID string, gs types.GenesisState) error {
	for _, p := range gs.Participants {
		operator, _, err := k.operator(p.Participant.Operator)
		if err == nil {
			err = p.VerifyProof(chainID, operator)
		}
		if err != nil {
			return fmt.Errorf("participant %s: %w", p.Participant.Operator, err)
		}
	}
	return nil
}

// checkDecided checks keys, signatures and reshares.
func (k *Keeper) checkDecided(gs types.GenesisState) error {
	for _, key := range gs.Keys {
		err := errors.Join(k.requireAccount(key.Owner),
			k.requireOperators(key.Participants...), k.requireOperators(key.Holders...), k.requireOperators(key.DeletionAcks...),
			k.requireOperators(key.AbsentOperators()...))
		if err != nil {
			return types.ErrBadGenesis.Wrapf("key %s: %s", key.Id, err)
		}
	}
	for _, s := range gs.Signatures {
		if err := errors.Join(k.requireAccount(s.Owner), k.requireOperators(s.RefusedBy()...), k.checkPayload(s)); err != nil {
			return types.ErrBadGenesis.Wrapf("signature %s: %s", s.Id, err)
		}
	}
	for _, r := range gs.Reshares {
		if err := errors.Join(k.requireAccount(r.Owner), k.requireOperators(r.Participants...), k.requireOperators(r.OldParticipants...)); err != nil {
			return types.ErrBadGenesis.Wrapf("reshare %s: %s", r.Id, err)
		}
	}
	return nil
}

// checkOpen checks requests, faults, absentees and hooks that wait.
func (k *Keeper) checkOpen(gs types.GenesisState, participants map[string]bool) error {
	for _, r := range gs.Requests {
		if err := errors.Join(k.requireAccount(r.Owner), k.requireOperators(operatorsOf(r.Members)...)); err != nil {
			return types.ErrBadGenesis.Wrapf("request %s: %s", r.RequestID(), err)
		}
		for _, m := range r.Members {
			if !participants[m.Operator] {
				return types.ErrBadGenesis.Wrapf("request %s: its member %s is no participant", r.RequestID(), m.Operator)
			}
		}
	}
	for _, f := range gs.Faults {
		_, _, err := k.operator(f.Participant)
		if err == nil && f.Kind == types.FAULT_KIND_ACCUSATION {
			_, _, err = k.operator(f.Accuser)
		}
		if err != nil {
			return types.ErrBadGenesis.Wrapf("fault: %s", err)
		}
	}
	for _, a := range gs.Absentees {
		if err := k.requireOperators(a.Operator); err != nil {
			return types.ErrBadGenesis.Wrapf("absentee: %s", err)
		}
	}
	for _, q := range gs.QueuedHooks {
		if q.Hook != types.HookAfterFault {
			continue
		}
		if err := k.requireOperators(q.Id); err != nil {
			return types.ErrBadGenesis.Wrapf("queued hook %s: %s", q.Hook, err)
		}
	}
	return nil
}
