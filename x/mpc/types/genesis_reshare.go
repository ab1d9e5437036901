package types

import (
	"fmt"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// addReshares checks each reshare against its key and what is open for it.
func (c genesisCheck) addReshares(all []Reshare) error {
	for _, r := range all {
		key, known := c.keys[r.KeyId]
		if !known {
			return fmt.Errorf("reshare %s is of the unknown key %s", r.Id, r.KeyId)
		}
		if err := r.Validate(key); err != nil {
			return err
		}
		if _, twice := c.reshares[r.Id]; twice {
			return fmt.Errorf("reshare %s is there twice", r.Id)
		}
		if r.DecidedHeight > c.height || r.RetireHeight > c.height+MaxLengthBlocks {
			return fmt.Errorf("reshare %s was decided at height %d with retire_height %d, the export is of height %d",
				r.Id, r.DecidedHeight, r.RetireHeight, c.height)
		}
		c.reshares[r.Id] = r
		_, open := c.requests[requestName(REQUEST_KIND_RESHARE, r.Id)]
		if open != (r.Status == RESHARE_STATUS_PENDING) {
			return fmt.Errorf("reshare %s is %s; exactly the PENDING ones have an open request", r.Id, r.Status)
		}
		test, tested := c.signatures[r.TestID()]
		if err := r.validateTest(test, tested); err != nil {
			return err
		}
	}
	return nil
}

// validateTest checks the signature that tests a reshare: it is open as long as the
// reshare is TESTING, and its end is the end of the reshare.
func (r Reshare) validateTest(test Signature, there bool) error {
	want := map[ReshareStatus]SignatureStatus{
		RESHARE_STATUS_TESTING: SIGNATURE_STATUS_PENDING,
		RESHARE_STATUS_READY:   SIGNATURE_STATUS_READY,
		RESHARE_STATUS_ERROR:   SIGNATURE_STATUS_ERROR,
	}[r.Status]
	switch {
	case there != (len(r.Session) != 0):
		return fmt.Errorf("reshare %s: exactly those that came to a session have a test", r.Id)
	case there && (test.KeyId != r.KeyId || test.Epoch != r.Epoch || test.Status != want):
		return fmt.Errorf("reshare %s is %s, and its test of epoch %d is %s", r.Id, r.Status, test.Epoch, test.Status)
	}
	return nil
}

// keysBelong looks for keys whose reshare is missing: the open one, or the one that
// began their epoch, which may have been pruned. Nothing is left that says of which key it
// was, but each began one epoch at most.
func (c genesisCheck) keysBelong(keys []Key, reshares []Reshare) error {
	began := make(map[string]bool, len(reshares))
	for _, r := range reshares {
		if r.Status != RESHARE_STATUS_READY {
			continue
		}
		epoch := fmt.Sprintf("%s %d", r.KeyId, r.Epoch)
		if began[epoch] {
			return fmt.Errorf("two reshares began epoch %d of key %s", r.Epoch, r.KeyId)
		}
		began[epoch] = true
	}
	unaccounted, pruned := 0, 0
	for id := range c.prunedRequests {
		if id.Kind == mpctypes.KindReshare {
			pruned++
		}
	}
	for _, k := range keys {
		if open, known := c.reshares[k.ReshareId]; k.ReshareId != "" && (!known || open.KeyId != k.Id) {
			return fmt.Errorf("key %s: its open reshare %s is not there", k.Id, k.ReshareId)
		}
		if k.Epoch > 0 && !began[fmt.Sprintf("%s %d", k.Id, k.Epoch)] {
			unaccounted++
		}
		if unaccounted > pruned {
			return fmt.Errorf("no reshare began epoch %d of key %s", k.Epoch, k.Id)
		}
	}
	return nil
}

// testsBelong looks for tests of no reshare.
func (c genesisCheck) testsBelong(all []Signature) error {
	for _, s := range all {
		if _, known := c.reshares[ReshareOfTest(s.Id)]; s.Test && !known {
			return fmt.Errorf("signature %s tests an unknown reshare", s.Id)
		}
	}
	return nil
}

// signBelongs checks a sign request against its signature, and against the epoch of
// its key that it is pinned to.
func (c genesisCheck) signBelongs(r Request, key Key) error {
	if r.Kind != REQUEST_KIND_SIGN {
		return nil
	}
	s, known := c.signatures[r.Id]
	switch {
	case !known:
		return fmt.Errorf("request %s is for an unknown signature", r.Id)
	case s.KeyId != r.KeyId || s.Epoch != r.Epoch || s.Test != r.Test || string(s.Digest) != string(r.Digest):
		return fmt.Errorf("request %s asks for something else than its signature", r.Id)
	case !r.Payload.equals(s.Payload.GetTyped()):
		return fmt.Errorf("request %s has another payload than its signature", r.Id)
	case !refusedByMembers(s, r):
		return fmt.Errorf("signature %s is refused by somebody who is no member of its request", s.Id)
	case !r.Test && (r.Epoch > key.Epoch || r.Epoch == key.Epoch && string(r.KeySession) != string(key.Session)):
		return fmt.Errorf("request %s signs with other shares than those of key %s", r.Id, key.Id)
	}
	if !r.Test {
		return nil
	}
	reshare, known := c.reshares[ReshareOfTest(r.Id)]
	if !known || string(r.KeySession) != string(reshare.Session) || r.Threshold != reshare.Threshold ||
		!slices.EqualFunc(r.Members, reshare.Participants, func(m Member, operator string) bool { return m.Operator == operator }) {
		return fmt.Errorf("request %s does not test its reshare", r.Id)
	}
	return nil
}
