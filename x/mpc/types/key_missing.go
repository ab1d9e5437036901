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

// SharesLeft is how many participants have not said that their share is missing.
func (k Key) SharesLeft() int { return len(k.Participants) - len(k.MissingShares) }

// EnoughShares says whether, by what participants said, t+1 of these have a share of the
// present epoch. It is for who wants to know what will come of a request; who asks may ask
// all the same, since a database that was put back has its shares, and the chain does not
// hear of that before the next epoch.
func (k Key) EnoughShares(operators []string) error {
	left := 0
	for _, operator := range operators {
		_, participates := slices.BinarySearch(k.Participants, operator)
		_, missing := slices.BinarySearch(k.MissingShares, operator)
		if participates && !missing {
			left++
		}
	}
	if left <= int(k.Threshold) {
		return ErrTooFewSigners.Wrapf("key %s needs the shares of %d participants, %d of those who have an identity did not say that theirs is missing",
			k.Id, k.Threshold+1, left)
	}
	return nil
}

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
