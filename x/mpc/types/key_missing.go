package types

import (
	"fmt"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// AwaitsMissing says whether an operator may say that it has no share of the key's
// present epoch, which the session made: it should have one, and has not said so yet.
func (k Key) AwaitsMissing(operator string, session mpctypes.Context) error {
	if k.Status != KEY_STATUS_READY {
		return ErrUnknownRequest.Wrapf("key %s is %s, nobody needs a share of it", k.Id, k.Status)
	}
	if string(session[:]) != string(k.Session) {
		return ErrAlreadyDecided.Wrapf("key %s has other shares by now", k.Id)
	}
	if _, ok := slices.BinarySearch(k.Participants, operator); !ok {
		return ErrUnknownParticipant.Wrapf("%s is no participant of key %s", operator, k.Id)
	}
	if _, ok := slices.BinarySearch(k.MissingShares, operator); ok {
		return ErrAlreadyDecided.Wrapf("%s said before that it has no share of key %s", operator, k.Id)
	}
	return nil
}

// Miss records that a participant has no share. It stays so until the next epoch: one
// that takes it back and says it again could fill bundles.
func (k *Key) Miss(operator string) { k.MissingShares = insertSorted(k.MissingShares, operator) }

// validateMissing checks who misses a share.
func (k Key) validateMissing() error {
	if !ascending(k.MissingShares) {
		return fmt.Errorf("key %s: missing_shares must ascend", k.Id)
	}
	for _, operator := range k.MissingShares {
		if _, ok := slices.BinarySearch(k.Participants, operator); !ok || len(k.PublicKey) == 0 {
			return fmt.Errorf("key %s: %s cannot miss a share", k.Id, operator)
		}
	}
	return nil
}
