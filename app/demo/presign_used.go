package main

import (
	"context"
	"fmt"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
)

// wasMadeAhead says whether a signature that the chain has was made with a presignature.
func (s *story) wasMadeAhead(ctx context.Context, id string) (ahead bool, err error) {
	err = s.newWatcher().until(ctx, func() (bool, error) {
		over := 0
		for i := range s.net.Len() {
			report, err := s.net.Node(i).MPC().Inspect(ctx, id)
			if err != nil {
				return false, nil //nolint:nilerr // asked again: it may be busy
			}
			used, ended := madeAhead(report)
			if used {
				ahead = true
				return true, nil
			}
			if ended {
				over++
			}
		}
		return over == s.net.Len(), nil
	})
	if err != nil {
		return false, fmt.Errorf("ask the nodes how %s was signed: %w", id, err)
	}
	return ahead, nil
}

// madeAhead judges what a node did for a signature: whether a session of it used a
// presignature and came to its end, and whether all are over.
func madeAhead(report mpcnode.InspectReport) (ahead, over bool) {
	over = true
	for _, t := range report.Sessions {
		switch {
		case t.Ended == nil:
			over = false
		case t.Presigned && t.Reason == "":
			return true, true
		}
	}
	return false, over
}
