package tss

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// blame is a fault of named peers.
func blame(err error, culprits ...types.Operator) error {
	return &session.Fault{Culprits: culprits, Err: err}
}

// unblamed is a failure that some peer must have caused, nobody can say which. An error that
// names some stays as it is.
func unblamed(err error) error {
	if fault := (*session.Fault)(nil); errors.As(err, &fault) {
		return err
	}
	return fmt.Errorf("%w: nobody can be named: %w", types.ErrProtocolFault, err)
}

// after is a failure to make the messages of a round. Before anything came of peers it is
// nobody else's.
func after(round uint32, err error) error {
	if round == 1 {
		return err
	}
	return unblamed(err)
}

var errNoCause = errors.New("the library gave no cause")

// fromLibrary translates an error of the library. Callers compare *tss.Error
// with nil first: as an error value it would never be nil.
//
// Culprits other than ourselves are named. Where the library blames its own
// party ("U doesn't equal T" in signing round 9) or nobody (the final check of
// a signature), some peer is at fault but which one is unknown.
func (r *roster) fromLibrary(terr *tss.Error) error {
	cause := terr.Cause()
	if cause == nil {
		cause = errNoCause
	}
	// Some causes are lists over several lines.
	text := strings.Join(strings.Fields(cause.Error()), " ")
	err := fmt.Errorf("%s round %d: %s", terr.Task(), terr.Round(), text)
	seen := make(map[types.Operator]bool)
	var culprits []types.Operator
	for _, id := range terr.Culprits() {
		op, ok := r.operator(id)
		if !ok || op == r.self || seen[op] {
			continue
		}
		seen[op] = true
		culprits = append(culprits, op)
	}
	if len(culprits) == 0 {
		return unblamed(err)
	}
	return blame(err, culprits...)
}
