package main

import (
	"context"
	"fmt"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
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
			node := s.net.Node(i)
			status, err := node.MPC().Status(ctx)
			has, err := hasPresignature(status, err, node.Running())
			if err != nil {
				return false, fmt.Errorf("ask node%d for its presignatures: %w; its log: %s", i, err, node.Info().Log)
			}
			if has {
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

// hasPresignature judges what a node answered. One that runs and gave no answer this time is
// asked again; one that does not run will never have any.
func hasPresignature(status mpcnode.StatusReport, err error, running bool) (bool, error) {
	if err != nil && !running {
		return false, err
	}
	return err == nil && status.PresignaturesReady >= presignTarget, nil
}
