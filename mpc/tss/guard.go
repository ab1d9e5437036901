package tss

import (
	"errors"
	"fmt"

	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// guard judges what peers sent before the library sees it. Its errors name the
// field and the rule. One guard serves one session; what it learns in a round
// it may use in a later one.
type guard interface {
	// message judges a message of a peer; an error is that peer's fault.
	message(from types.Operator, content tss.MessageContent) error
	// complete judges a round as a whole, after each of its messages passed.
	complete(round uint32) error
	// accepted judges a round that the library accepted too, all proofs
	// verified, before anything that the library made of it leaves. Its error
	// says who is at fault.
	accepted(round uint32) error
	// sent takes note of a message of our own.
	sent(content tss.MessageContent)
}

// Errors that mean a mistake of the caller's: every message type must have
// rules, and rounds are judged in order.
var (
	errNoRule       = errors.New("the guard has no rules for this message")
	errNoParameters = errors.New("the auxiliary parameters of this peer are missing")
)

// rule is a condition that a field must meet.
type rule struct {
	field string
	holds bool
	want  string
}

// firstBroken gives an error for the first rule that does not hold.
func firstBroken(rules ...rule) error {
	for _, r := range rules {
		if !r.holds {
			return fmt.Errorf("%s is not %s", r.field, r.want)
		}
	}
	return nil
}

// checkCount wants this many parts of a repeated field.
func checkCount(field string, parts [][]byte, count int) error {
	if len(parts) != count {
		return fmt.Errorf("%s has %d parts, not %d", field, len(parts), count)
	}
	return nil
}
