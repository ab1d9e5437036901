package types

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// testPrefix begins the ids of the signatures that test new shares. Nobody else
// may use it.
const testPrefix = "test:"

// MaxReshareIDBytes leaves room for the prefix: the id of a reshare's test is an id
// as any other.
const MaxReshareIDBytes = mpctypes.MaxIDBytes - len(testPrefix)

// ValidateReshareID checks an id that a requester chose.
func ValidateReshareID(id string) error {
	if err := mpctypes.ValidateID(id); err != nil {
		return FromReason(err)
	}
	if len(id) > MaxReshareIDBytes {
		return ErrBadID.Wrapf("the id of a reshare has at most %d characters, this one has %d", MaxReshareIDBytes, len(id))
	}
	return nil
}

// IsTestID reports whether a signature id is one of those that test new shares.
func IsTestID(signatureID string) bool { return strings.HasPrefix(signatureID, testPrefix) }

// autoPrefix begins the ids of the reshares that the module asks for by itself. Nobody
// else may use it. autoEnd is the first id beyond: its last byte is one higher.
const (
	autoPrefix = "auto:"
	autoEnd    = "auto;"
)

// AutoReshareID is the id of the reshare of a key that the module asks for in a block.
// Key ids are too long to stand in it.
func AutoReshareID(keyID string, height int64) string {
	sum := sha256.Sum256([]byte(keyID))
	return fmt.Sprintf("%s%d:%x", autoPrefix, height, sum[:8])
}

// IsAutoID reports whether a reshare id is one of the module's own.
func IsAutoID(reshareID string) bool { return strings.HasPrefix(reshareID, autoPrefix) }

// AutoIDs is the range of the module's own reshare ids: from the first on, before the end.
func AutoIDs() (first, end string) { return autoPrefix, autoEnd }

// ReshareOfTest is the reshare that a signature tests.
func ReshareOfTest(signatureID string) string { return strings.TrimPrefix(signatureID, testPrefix) }

// TestID is the id of the signature that tests the reshare's shares.
func (r Reshare) TestID() string { return testPrefix + r.Id }

// Open reports whether the reshare is not decided.
func (r Reshare) Open() bool {
	return r.Status == RESHARE_STATUS_PENDING || r.Status == RESHARE_STATUS_TESTING
}

// Repairs reports whether the module asked for it because of a missing share alone: it
// asks for the same committee for nothing else.
func (r Reshare) Repairs() bool { return r.Auto && slices.Equal(r.Participants, r.OldParticipants) }

// RequestID names the open request that decides what becomes of the reshare.
func (r Reshare) RequestID() mpctypes.RequestID {
	if r.Status == RESHARE_STATUS_TESTING {
		return mpctypes.RequestID{Kind: mpctypes.KindSign, ID: r.TestID()}
	}
	return mpctypes.RequestID{Kind: mpctypes.KindReshare, ID: r.Id}
}

func (r *Reshare) moveTo(next ReshareStatus) error {
	if !r.Status.CanMoveTo(next) {
		return fmt.Errorf("reshare %s cannot go from %s to %s", r.Id, r.Status, next)
	}
	r.Status = next
	return nil
}

// Stage makes the reshare TESTING: all of the new committee attested this payload
// for the session of this attestation.
func (r *Reshare) Stage(a *mpctypes.Attestation, payload mpctypes.KeygenPayload) error {
	if err := r.moveTo(RESHARE_STATUS_TESTING); err != nil {
		return err
	}
	r.Session, r.Commitment = slices.Clone(a.Session[:]), slices.Clone(a.Commitment[:])
	r.PublicShares = payload.PublicShares
	r.ParametersHash = payload.ParametersHash[:]
	return nil
}

// Finish makes the reshare READY: its shares signed the test.
func (r *Reshare) Finish(height int64) error {
	if err := r.moveTo(RESHARE_STATUS_READY); err != nil {
		return err
	}
	r.DecidedHeight = height
	return nil
}

// Fail makes the reshare ERROR for a reason. What was staged for it may be destroyed from
// retireHeight on, whatever becomes of later ones.
func (r *Reshare) Fail(reason mpctypes.Reason, height, retireHeight int64) error {
	if err := r.moveTo(RESHARE_STATUS_ERROR); err != nil {
		return err
	}
	r.Reason = string(reason)
	r.DecidedHeight, r.RetireHeight = height, retireHeight
	return nil
}

// Validate checks a reshare of a genesis file against its key.
func (r Reshare) Validate(key Key) error {
	if err := ValidateReshareID(r.Id); err != nil {
		return err
	}
	switch {
	case r.Status < RESHARE_STATUS_PENDING || r.Status > RESHARE_STATUS_ERROR:
		return fmt.Errorf("reshare %s: unknown status %d", r.Id, r.Status)
	case r.Auto != IsAutoID(r.Id):
		return fmt.Errorf("reshare %s: exactly those that the module asked for by itself have such an id", r.Id)
	case r.Owner == "":
		return fmt.Errorf("reshare %s has no owner", r.Id)
	case r.Module != key.Module:
		return fmt.Errorf("reshare %s is of module %q, its key of %q", r.Id, r.Module, key.Module)
	case len(r.ContentHash) != len(mpctypes.Hash{}):
		return fmt.Errorf("reshare %s: content hash has %d bytes", r.Id, len(r.ContentHash))
	case len(key.PublicKey) == 0:
		return fmt.Errorf("reshare %s is of key %s, which never was READY", r.Id, key.Id)
	case (r.Status == RESHARE_STATUS_ERROR) != (r.Reason != ""):
		return fmt.Errorf("reshare %s is %s with reason %q", r.Id, r.Status, r.Reason)
	case r.Open() != (r.DecidedHeight == 0):
		return fmt.Errorf("reshare %s is %s with decided_height %d", r.Id, r.Status, r.DecidedHeight)
	case r.RetireHeight != 0 && (r.Status != RESHARE_STATUS_ERROR || r.RetireHeight < 1 || r.RetireHeight <= r.DecidedHeight):
		return fmt.Errorf("reshare %s is %s with decided_height %d and retire_height %d; only one that is ERROR has that, and after it",
			r.Id, r.Status, r.DecidedHeight, r.RetireHeight)
	}
	for _, err := range []error{
		validateCommittee(r.Id, r.Threshold, r.Participants),
		validateCommittee(r.Id, r.OldThreshold, r.OldParticipants),
		r.validateEpoch(key),
		r.validateResult(key),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// Shift moves the request, the decision and the end in time, for a chain that starts anew.
func (r *Reshare) Shift(blocks int64) {
	r.RequestedHeight += blocks
	if !r.Open() {
		r.DecidedHeight = shiftPast(r.DecidedHeight, blocks)
	}
	if r.RetireHeight != 0 { // 0 stands for none, so what is over stays above it
		r.RetireHeight = max(r.RetireHeight+blocks, 1)
	}
}

// validateEpoch checks that the reshare stands where it belongs in the life of its
// key.
func (r Reshare) validateEpoch(key Key) error {
	switch {
	case r.Open() != (key.ReshareId == r.Id):
		return fmt.Errorf("reshare %s is %s, the open reshare of key %s is %q", r.Id, r.Status, key.Id, key.ReshareId)
	case r.Open() && r.Epoch != key.Epoch+1, r.Epoch == 0 || r.Epoch > key.Epoch+1,
		r.Status == RESHARE_STATUS_READY && r.Epoch > key.Epoch:
		return fmt.Errorf("reshare %s is %s for epoch %d, key %s is at %d", r.Id, r.Status, r.Epoch, key.Id, key.Epoch)
	case r.Status == RESHARE_STATUS_READY && r.Epoch == key.Epoch &&
		(string(r.Session) != string(key.Session) || string(r.Commitment) != string(key.Commitment)):
		return fmt.Errorf("reshare %s began epoch %d of key %s, which has another session", r.Id, r.Epoch, key.Id)
	case r.Open() && (r.OldThreshold != key.Threshold || !slices.Equal(r.OldParticipants, key.Participants)):
		return fmt.Errorf("reshare %s: the committee before is not that of key %s", r.Id, key.Id)
	case r.Open() && string(r.Session) != string(key.NextSession):
		return fmt.Errorf("reshare %s and key %s name different sessions", r.Id, key.Id)
	}
	return nil
}

// validateResult checks what a reshare has once all attested it. One that failed
// may have it.
func (r Reshare) validateResult(key Key) error {
	none := len(r.Session)+len(r.Commitment)+len(r.PublicShares)+len(r.ParametersHash) == 0
	switch {
	case r.Status == RESHARE_STATUS_PENDING && !none:
		return fmt.Errorf("reshare %s is PENDING and has a result", r.Id)
	case r.Status == RESHARE_STATUS_PENDING, r.Status == RESHARE_STATUS_ERROR && none:
		return nil
	case len(r.Session) != len(mpctypes.Context{}) || len(r.ParametersHash) != len(mpctypes.Hash{}):
		return fmt.Errorf("reshare %s: session or parameters have the wrong length", r.Id)
	}
	if err := validateCommitment(r.Commitment); err != nil {
		return fmt.Errorf("reshare %s: %w", r.Id, err)
	}
	if err := mpctypes.ValidatePoints(key.PublicKey, r.PublicShares, len(r.Participants)); err != nil {
		return fmt.Errorf("reshare %s: %w", r.Id, err)
	}
	return nil
}

// validateCommittee checks who holds a key of an epoch.
func validateCommittee(id string, threshold uint32, participants []string) error {
	n := len(participants)
	switch {
	case n < 2 || n > mpctypes.MaxMembers || threshold < 1 || int64(threshold) >= int64(n):
		return fmt.Errorf("%s: threshold %d of %d participants", id, threshold, n)
	case !ascending(participants):
		return fmt.Errorf("%s: participants must ascend", id)
	}
	return nil
}
