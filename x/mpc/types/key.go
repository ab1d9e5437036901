package types

import (
	"fmt"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// moveTo changes the status if the table allows it.
func (k *Key) moveTo(next KeyStatus) error {
	if !k.Status.CanMoveTo(next) {
		return fmt.Errorf("key %s cannot go from %s to %s", k.Id, k.Status, next)
	}
	k.Status = next
	return nil
}

// Belongs says who owns the key, to somebody else.
func (k Key) Belongs() string {
	if k.Module != "" {
		return fmt.Sprintf("key %s belongs to the module %s (%s)", k.Id, k.Module, k.Owner)
	}
	return fmt.Sprintf("key %s belongs to %s", k.Id, k.Owner)
}

// Win makes the key READY: all participants attested this payload for the session of
// this attestation. What lost to it may be destroyed from retireHeight on.
func (k *Key) Win(a *mpctypes.Attestation, payload mpctypes.KeygenPayload, height, retireHeight int64) error {
	if k.Status != KEY_STATUS_PENDING {
		return fmt.Errorf("key %s is %s, its keygen is over", k.Id, k.Status)
	}
	if err := k.moveTo(KEY_STATUS_READY); err != nil {
		return err
	}
	k.Session, k.Commitment = slices.Clone(a.Session[:]), slices.Clone(a.Commitment[:])
	k.PublicKey = payload.PublicKey
	k.PublicShares = payload.PublicShares
	k.ParametersHash = payload.ParametersHash[:]
	k.DecidedHeight, k.RetireHeight = height, retireHeight
	return nil
}

// Fail makes the key ERROR for a reason. What was staged for it may be destroyed
// from retireHeight on.
func (k *Key) Fail(reason mpctypes.Reason, height, retireHeight int64) error {
	if err := k.moveTo(KEY_STATUS_ERROR); err != nil {
		return err
	}
	k.Reason = string(reason)
	k.DecidedHeight, k.RetireHeight = height, retireHeight
	return nil
}

// Condemn makes the key DELETING until a height, which takes the place of the one
// at which what lost to the key would have gone: that goes with the key. If the key was
// READY that one is kept for Restore.
func (k *Key) Condemn(retireHeight int64) error {
	if err := k.moveTo(KEY_STATUS_DELETING); err != nil {
		return err
	}
	if len(k.PublicKey) > 0 {
		k.ReadyRetireHeight = max(k.RetireHeight, 0) // below on a chain that began anew: that is over
	}
	k.RetireHeight = retireHeight
	return nil
}

// Restore makes a DELETING key READY again. What lost to it may be destroyed from
// retireHeight on, and not before the deletion would have done so, or an earlier decision: a
// rollback of as many blocks as each of these was promised must find it. Nor does anything of
// another epoch go before: while the key was DELETING nobody could say that its share is
// missing, for want of which the others would have kept it. Whom the module waited for before
// may be back, and others away.
func (k *Key) Restore(retireHeight int64) error {
	switch {
	case k.Status == KEY_STATUS_DELETED:
		return ErrKeyDeleted.Wrapf("key %s is deleted, for ever", k.Id)
	case k.Status != KEY_STATUS_DELETING:
		return ErrKeyNotDeleting.Wrapf("key %s is %s", k.Id, k.Status)
	case len(k.PublicKey) == 0:
		return ErrKeyFailed.Wrapf("key %s never was READY: %s", k.Id, k.Reason)
	}
	if err := k.moveTo(KEY_STATUS_READY); err != nil {
		return err
	}
	k.RetireHeight, k.ReadyRetireHeight = max(k.RetireHeight, k.ReadyRetireHeight, retireHeight), 0
	k.putOffEnds(retireHeight)
	if k.StagedRetireHeight != 0 {
		k.StagedRetireHeight = max(k.StagedRetireHeight, retireHeight)
	}
	k.EndangeredHeight = 0
	k.ForgetReturn()
	return nil
}

// Bury makes the key DELETED. Its shares may be destroyed from retireHeight on: until
// then a rollback over this block, after which the deletion may be taken back, finds them.
func (k *Key) Bury(retireHeight int64) error {
	if err := k.moveTo(KEY_STATUS_DELETED); err != nil {
		return err
	}
	k.RetireHeight, k.ReadyRetireHeight = retireHeight, 0
	return nil
}

// AddHolder remembers that an operator attested a share, whatever becomes of the
// key: it has something to destroy.
func (k *Key) AddHolder(operator string) { k.Holders = insertSorted(k.Holders, operator) }

// Acknowledge records that a holder has nothing any more, and whether there was nothing
// to destroy.
func (k *Key) Acknowledge(operator string, foundNothing bool) error {
	if err := k.AwaitsAck(operator); err != nil {
		return err
	}
	if foundNothing {
		k.DeletionEmpty = insertSorted(k.DeletionEmpty, operator)
	}
	k.DeletionAcks = insertSorted(k.DeletionAcks, operator)
	return nil
}

// AwaitsAck says whether the destruction by an operator is still to be attested:
// the key is DELETED, the operator held a share, and it has not said so yet.
func (k Key) AwaitsAck(operator string) error {
	if k.Status != KEY_STATUS_DELETED {
		return ErrUnknownRequest.Wrapf("key %s is %s, not deleted", k.Id, k.Status)
	}
	if _, ok := slices.BinarySearch(k.Holders, operator); !ok {
		return ErrUnknownParticipant.Wrapf("%s never attested a share of key %s", operator, k.Id)
	}
	if _, ok := slices.BinarySearch(k.DeletionAcks, operator); ok {
		return ErrAlreadyDecided.Wrapf("%s attested the destruction of key %s before", operator, k.Id)
	}
	return nil
}

// CanSign says whether requests for signatures may be made.
func (k Key) CanSign() error {
	switch k.Status {
	case KEY_STATUS_READY:
		return nil
	case KEY_STATUS_DELETING, KEY_STATUS_DELETED:
		return ErrKeyDeleted.Wrap(k.Id)
	case KEY_STATUS_ERROR:
		return ErrKeyFailed.Wrapf("key %s is %s: %s", k.Id, k.Status, k.Reason)
	}
	return ErrKeyNotReady.Wrapf("key %s is %s", k.Id, k.Status)
}

// Over says why the key will never sign, whatever is decided about it: it is deleted, or was not
// made. nil while it may.
func (k Key) Over() error {
	switch {
	case k.Status == KEY_STATUS_DELETED:
		return ErrKeyDeleted.Wrapf("key %s is deleted, for ever", k.Id)
	case k.Status == KEY_STATUS_ERROR, k.Status == KEY_STATUS_DELETING && len(k.PublicKey) == 0:
		return ErrKeyFailed.Wrapf("key %s never was READY: %s", k.Id, k.Reason)
	}
	return nil
}

// Prunes reports whether the key goes some time after its end: it failed, so nothing was
// ever signed by it. One that is deleted stays, a tombstone, whatever it was before.
func (k Key) Prunes() bool { return k.Status == KEY_STATUS_ERROR }

// Shift moves the key's request, decision and end in time, as Request.Shift does with
// a request: how many blocks are left until its end stays as it was. Heights that
// are 0 because nothing was decided stay so.
func (k *Key) Shift(blocks int64) {
	k.RequestedHeight += blocks
	if k.Status == KEY_STATUS_PENDING {
		return
	}
	k.DecidedHeight = shiftPast(k.DecidedHeight, blocks)
	if k.RetireHeight += blocks; k.RetireHeight == 0 { // after the decision, and not the 0 of a key that has none
		k.RetireHeight = 1
	}
	if k.StagedRetireHeight != 0 { // 0 stands for none, so what is over stays above it
		k.StagedRetireHeight = max(k.StagedRetireHeight+blocks, 1)
	}
	if k.ReadyRetireHeight != 0 {
		k.ReadyRetireHeight = max(k.ReadyRetireHeight+blocks, 1)
	}
	k.shiftEnded(blocks)
	k.shiftAutoReshare(blocks)
}

// ToEngine converts for the node. While a reshare is open, nothing that one made is
// known to be over by the key alone: a request that is condemned, or a session that lost, may
// come back by a rollback. Each that failed has its own end (EngineReshareEnded).
func (k Key) ToEngine() mpctypes.Key {
	out := mpctypes.Key{
		ID: mpctypes.KeyID(k.Id), Status: mpctypes.KeyStatus(k.Status), Epoch: k.Epoch,
		Algorithm: mpctypes.Algorithm(k.Algorithm), Threshold: int(k.Threshold),
		Participants:  toOperators(k.Participants),
		PublicKey:     slices.Clone(k.PublicKey),
		DecidedHeight: k.DecidedHeight,
		RetireHeight:  k.RetireHeight,
		Holders:       toOperators(k.Holders),
		DeletionAcked: toOperators(k.DeletionAcks),
		MissingShares: toOperators(k.MissingShares),
		FoundShares:   toOperators(k.FoundShares),
		EndedEpochs:   k.endedToEngine(),
	}
	copy(out.Session[:], k.Session)
	copy(out.Commitment[:], k.Commitment)
	copy(out.NextSession[:], k.NextSession)
	if k.ReshareId == "" {
		out.StagedRetireHeight = k.StagedRetireHeight
	}
	return out
}

// Validate checks a key of a genesis file.
func (k Key) Validate() error {
	if err := mpctypes.ValidateID(k.Id); err != nil {
		return err
	}
	n := len(k.Participants)
	switch {
	case k.Status < KEY_STATUS_PENDING || k.Status > KEY_STATUS_DELETED:
		return fmt.Errorf("key %s: unknown status %d", k.Id, k.Status)
	case k.Algorithm != ALGORITHM_ECDSA_SECP256K1:
		return fmt.Errorf("key %s: unknown algorithm %d", k.Id, k.Algorithm)
	case n < 2 || n > mpctypes.MaxMembers || k.Threshold < 1 || int(k.Threshold) >= n:
		return fmt.Errorf("key %s: threshold %d of %d participants", k.Id, k.Threshold, n)
	case !ascending(k.Participants) || !ascending(k.Holders) || !ascending(k.DeletionAcks) || !ascending(k.DeletionEmpty):
		return fmt.Errorf("key %s: participants, holders and acknowledgements must ascend", k.Id)
	case slices.ContainsFunc(k.DeletionEmpty, func(op string) bool { return !slices.Contains(k.DeletionAcks, op) }):
		return fmt.Errorf("key %s: who had nothing to destroy is not among those who acknowledged", k.Id)
	case k.Owner == "":
		return fmt.Errorf("key %s has no owner", k.Id)
	case len(k.ContentHash) != len(mpctypes.Hash{}):
		return fmt.Errorf("key %s: content hash has %d bytes", k.Id, len(k.ContentHash))
	}
	for _, err := range []error{k.validateHeights(), k.validateResult(), k.validateReshare(), k.validateMissing()} {
		if err != nil {
			return err
		}
	}
	return nil
}

// validateHeights checks that the end comes after the decision, and neither before
// there is one, and that only what a deletion may give back is kept.
func (k Key) validateHeights() error {
	if k.ReadyRetireHeight < 0 || k.ReadyRetireHeight > 0 && (k.Status != KEY_STATUS_DELETING || len(k.PublicKey) == 0) {
		return fmt.Errorf("key %s is %s and has ready_retire_height %d", k.Id, k.Status, k.ReadyRetireHeight)
	}
	if k.Status == KEY_STATUS_PENDING {
		if k.DecidedHeight != 0 || k.RetireHeight != 0 {
			return fmt.Errorf("key %s is PENDING and has decided_height %d, retire_height %d", k.Id, k.DecidedHeight, k.RetireHeight)
		}
		return nil
	}
	if k.RetireHeight <= k.DecidedHeight {
		return fmt.Errorf("key %s: retire_height %d is not after decided_height %d", k.Id, k.RetireHeight, k.DecidedHeight)
	}
	return nil
}

// validateResult checks what a key has once it was READY. A DELETING or DELETED
// key was READY before if it has a public key.
func (k Key) validateResult() error {
	if k.Status == KEY_STATUS_PENDING || k.Status == KEY_STATUS_ERROR ||
		(k.Status != KEY_STATUS_READY && len(k.PublicKey) == 0) {
		if len(k.Session)+len(k.Commitment)+len(k.PublicKey)+len(k.PublicShares)+len(k.ParametersHash) != 0 {
			return fmt.Errorf("key %s is %s and has a result", k.Id, k.Status)
		}
		return nil
	}
	if len(k.Session) != len(mpctypes.Context{}) || len(k.ParametersHash) != len(mpctypes.Hash{}) {
		return fmt.Errorf("key %s: session or parameters have the wrong length", k.Id)
	}
	if err := validateCommitment(k.Commitment); err != nil {
		return fmt.Errorf("key %s: %w", k.Id, err)
	}
	return mpctypes.ValidatePoints(k.PublicKey, k.PublicShares, len(k.Participants))
}

// validateCommitment checks what is said of the request that made shares: nothing if
// that was before requests had one.
func validateCommitment(commitment []byte) error {
	if n := len(commitment); n != 0 && n != len(mpctypes.Hash{}) {
		return fmt.Errorf("commitment has %d bytes", n)
	}
	return nil
}

// ParseKeygenPayload decodes what a participant of a keygen with n members
// attests, and checks its curve points.
func ParseKeygenPayload(payload []byte, n int) (mpctypes.KeygenPayload, error) {
	p, err := mpctypes.ParseKeygenPayload(payload, n)
	if err != nil {
		return p, ErrBadResult.Wrap(err.Error())
	}
	return p, nil
}

func toOperators(names []string) []mpctypes.Operator {
	ops := make([]mpctypes.Operator, len(names))
	for i, n := range names {
		ops[i] = mpctypes.Operator(n)
	}
	return ops
}

// insertSorted adds a name to an ascending list unless it is there already.
func insertSorted(names []string, name string) []string {
	i, found := slices.BinarySearch(names, name)
	if found {
		return names
	}
	return slices.Insert(names, i, name)
}

// ascending reports whether a list is strictly ascending, so without duplicates.
func ascending(names []string) bool {
	for i := 1; i < len(names); i++ {
		if names[i-1] >= names[i] {
			return false
		}
	}
	return true
}
