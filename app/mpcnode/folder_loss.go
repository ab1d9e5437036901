package mpcnode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// folderLoss finds out that a node without an MPC folder should have one, as where the
// disk died that it was on: nothing on this machine knows of it, but the chain has the
// node's validator as a participant.
type folderLoss struct {
	app App
	// consensus is the address of the key that the node signs blocks with.
	consensus []byte
	// tell is told what was found, and nil when it is no longer so.
	tell func(error)
	log  *slog.Logger
	now  func() time.Time
	// look is asked for after each view that is up to date.
	look chan struct{}
}

func newFolderLoss(app App, consensus []byte, tell func(error), log *slog.Logger) *folderLoss {
	return &folderLoss{app: app, consensus: consensus, tell: tell, log: log, now: time.Now, look: make(chan struct{}, 1)}
}

// viewed never blocks.
func (f *folderLoss) viewed() {
	select {
	case f.look <- struct{}{}:
	default:
	}
}

// run looks once a minute, at most, until the context ends: the participant may revoke its
// identity, or its validator get another key.
func (f *folderLoss) run(ctx context.Context) error {
	var last time.Time
	told := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.look:
		}
		now := f.now()
		if now.Sub(last) < sharesInterval {
			continue
		}
		last = now
		err := f.find()
		lost := errors.Is(err, types.ErrFolderLost)
		switch {
		case err != nil && !lost:
			f.log.Debug("look for this node's validator among the participants", "err", err)
			continue
		case told && !lost:
			f.log.Info("this node's validator is a participant no more, so the node needs no MPC folder")
		}
		if lost != told {
			f.tell(err)
		}
		told = lost
	}
}

// find is nil if the node need not have an MPC folder.
func (f *folderLoss) find() (err error) {
	defer unpanicked(&err)
	ctx, err := (&chain{app: f.app}).committed()
	if err != nil {
		return err
	}
	op, found, err := f.app.MPCState().EngineOperatorOf(ctx, f.consensus)
	if err != nil {
		return fmt.Errorf("look for the participant of this node's validator: %w", err)
	}
	if found {
		return fmt.Errorf("%w: %s is a participant, and its node has neither an MPC identity nor a database", types.ErrFolderLost, op)
	}
	return nil
}
