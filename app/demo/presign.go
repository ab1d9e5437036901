package main

import (
	"context"
	"fmt"
)

// presignTarget is how many presignatures each node keeps of the key: one of its own,
// whoever leads the next request.
const presignTarget = 1

// awaitPresignatures shows how many nodes have one until all have.
func (s *story) awaitPresignatures(ctx context.Context) error {
	shown := -1
	return s.newWatcher().until(ctx, func() (bool, error) {
		ready := 0
		for i := range s.net.Len() {
			status, err := s.net.Node(i).MPC().Status(ctx)
			if err != nil {
				return false, fmt.Errorf("ask node%d what it does: %w", i, err)
			}
			if status.PresignaturesReady >= presignTarget {
				ready++
			}
		}
		if ready != shown {
			shown = ready
			s.out.sayf("presignatures: %d of %d nodes have one for a request that they lead", ready, s.net.Len())
		}
		return ready == s.net.Len(), nil
	})
}
