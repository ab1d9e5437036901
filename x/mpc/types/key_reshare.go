package types

import (
	"errors"
	"fmt"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// CanReshare says whether the key may be reshared.
func (k Key) CanReshare() error {
	if err := k.CanSign(); err != nil {
		return err
	}
	if k.ReshareId != "" {
		return ErrResharePending.Wrapf("%s of key %s is open", k.ReshareId, k.Id)
	}
	return nil
}

// Reshare is a reshare of this key to a new committee.
func (k Key) Reshare(id string, threshold uint32, participants []string) Reshare {
	return Reshare{
		Id: id, KeyId: k.Id, Status: RESHARE_STATUS_PENDING, Module: k.Module, Epoch: k.Epoch + 1,
		Threshold: threshold, Participants: participants,
		OldThreshold: k.Threshold, OldParticipants: slices.Clone(k.Participants),
	}
}

// Handover is what the participants of a reshare must know of the key.
func (k Key) Handover(receivers []string) *Handover {
	return &Handover{
		Holders: slices.Clone(k.Participants), Threshold: k.Threshold,
		PublicShares: slices.Clone(k.PublicShares), Receivers: slices.Clone(receivers),
	}
}

// Switch lets the key sign with the shares of a reshare that is READY. What it has
// signed with until now may be destroyed from retireHeight on, and not before what
// an earlier decision put an end to. Whose share was missing has one again, and the module
// leaves it alone for pauseBlocks.
func (k *Key) Switch(r Reshare, height, retireHeight int64, pauseBlocks uint32) error {
	if k.Status != KEY_STATUS_READY || r.Status != RESHARE_STATUS_READY || k.ReshareId != r.Id || r.Epoch != k.Epoch+1 {
		return fmt.Errorf("key %s is %s at epoch %d and cannot go to epoch %d by reshare %s, which is %s",
			k.Id, k.Status, k.Epoch, r.Epoch, r.Id, r.Status)
	}
	retireHeight = max(k.RetireHeight, retireHeight)
	k.endEpoch(height, retireHeight)
	k.Epoch, k.Session, k.Commitment = r.Epoch, r.Session, r.Commitment
	k.Threshold, k.Participants = r.Threshold, r.Participants
	k.PublicShares, k.ParametersHash = r.PublicShares, r.ParametersHash
	k.repair(k.repaired(r), height, pauseBlocks)
	k.MissingShares, k.FoundShares = nil, nil
	k.NextSession, k.ReshareId = nil, ""
	k.AutoReshareHeight, k.UrgentHeight, k.EndangeredHeight = 0, 0, 0
	k.FailedReshares, k.FailedAble, k.Absentees = 0, 0, nil
	k.DecidedHeight, k.RetireHeight = height, retireHeight
	return nil
}

// DropReshare forgets a reshare that failed. When it is pruned what was staged for it may be
// destroyed from retireHeight on, and not before what an earlier one left.
func (k *Key) DropReshare(retireHeight int64) {
	k.NextSession, k.ReshareId = nil, ""
	k.StagedRetireHeight = max(k.StagedRetireHeight, retireHeight)
}

// validateReshare checks what a key says of its reshares.
func (k Key) validateReshare() error {
	switch {
	case min(k.StagedRetireHeight, k.AutoReshareHeight, k.UrgentHeight, k.EndangeredHeight, k.ReturnHeight) < 0:
		return fmt.Errorf("key %s: staged_retire_height %d, auto_reshare_height %d, urgent_height %d, endangered_height %d or return_height %d is below 0",
			k.Id, k.StagedRetireHeight, k.AutoReshareHeight, k.UrgentHeight, k.EndangeredHeight, k.ReturnHeight)
	case len(k.PublicKey) == 0 && (k.Epoch != 0 || k.lastReshareHeight() != 0 || k.FailedReshares != 0 || k.ReshareId != ""):
		return fmt.Errorf("key %s never was READY and has a reshare", k.Id)
	case k.ReshareId == "" && len(k.NextSession) != 0:
		return fmt.Errorf("key %s has no open reshare and a next session", k.Id)
	case len(k.NextSession) != 0 && (len(k.NextSession) != len(mpctypes.Context{}) || string(k.NextSession) == string(k.Session)):
		return fmt.Errorf("key %s: the next session is none, or the present one", k.Id)
	}
	return errors.Join(k.validateAbsentees(), k.validateRepairs(), k.validateAwaited(), k.validateUrgent(), k.validateEnded())
}

// lastReshareHeight is the last height up to which something waits of its reshares; 0 if
// nothing ever did.
func (k Key) lastReshareHeight() int64 {
	return max(k.StagedRetireHeight, k.AutoReshareHeight, k.UrgentHeight, k.EndangeredHeight, k.ReturnHeight, k.lastEnd())
}

// CheckSession says whether a session can have made the shares of the key's next
// epoch: none has two epochs.
func (k Key) CheckSession(session mpctypes.Context) error {
	if string(session[:]) == string(k.Session) {
		return ErrBadResult.Wrapf("the session made the shares that key %s has", k.Id)
	}
	return nil
}
