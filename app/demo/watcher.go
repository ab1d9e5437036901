package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// watcher shows what the nodes do, round by round, while the chain decides.
type watcher struct {
	story *story
	// seen is the number of the last event of each node. Watchers are short-lived:
	// a node that starts again counts from 1.
	seen  map[int]uint64
	shown map[string]bool
}

// newWatcher begins after everything that the nodes have done so far.
func (s *story) newWatcher() *watcher {
	w := &watcher{story: s, seen: make(map[int]uint64), shown: make(map[string]bool)}
	w.each(context.Background(), func(mpcnode.ActivityEvent) {})
	return w
}

// until shows what happens until done says yes.
func (w *watcher) until(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		w.each(ctx, w.show)
		ok, err := done()
		if err != nil || ok {
			w.each(ctx, w.show)
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the chain has not decided in time: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// each calls f for all new events of all nodes that answer.
func (w *watcher) each(ctx context.Context, f func(mpcnode.ActivityEvent)) {
	for i := range w.story.net.Len() {
		node := w.story.net.Node(i)
		if !node.Running() {
			continue
		}
		report, err := node.MPC().Activity(ctx, w.seen[i])
		if err != nil {
			continue // it is starting, or on its way out
		}
		for _, e := range report.Events {
			w.seen[i] = e.Number
			f(e)
		}
	}
}

// show writes each step once: when the first node has done it.
func (w *watcher) show(e mpcnode.ActivityEvent) {
	line := ""
	switch {
	case e.What == mpcnode.ActivityOpened:
		line = e.Kind + ": prepare, ready, start"
	case e.What == mpcnode.ActivityRound:
		line = fmt.Sprintf("%s: round %d done", e.Kind, e.Round)
	case e.Reason == string(types.ErrReleased):
		line = e.Kind + ": enough others were chosen; a participant is released"
	case e.Reason == "":
		line = e.Kind + ": done"
	default:
		line = fmt.Sprintf("%s: a session ended: %s", e.Kind, e.Reason)
	}
	if w.shown[line] {
		return
	}
	w.shown[line] = true
	if e.Seconds > 0 {
		line += fmt.Sprintf(" (%.2f s)", e.Seconds)
	}
	w.story.out.say(line)
}
