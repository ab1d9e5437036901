package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// steps lead to the rounds, in this order.
var steps = []string{"prepare: a leader asks who takes part", "ready: members say so", "start: the leader has chosen"}

// stepOf is the last of the steps that a session of a phase has behind it.
var stepOf = map[string]int{
	session.Preparing.String(): 0,
	session.Waiting.String():   1,
	session.Running.String():   2,
}

// watcher shows what the nodes do for requests, step by step and round by round,
// while the chain decides.
type watcher struct {
	story    *story
	requests []string
	// seen is the number of the last event of each node. Watchers are short-lived:
	// a node that starts again counts from 1.
	seen  map[int]uint64
	shown map[string]bool
	// ahead: the signature is made of a presignature.
	ahead bool
}

// The kinds of sessions that are shown in a way of their own, and the last round that a
// presignature is made by.
const (
	kindSign    = "sign"
	kindPresign = "presign"
	parkedRound = 3
)

// newWatcher begins after everything that the nodes have done so far.
func (s *story) newWatcher(requests ...string) *watcher {
	w := &watcher{story: s, requests: requests, seen: make(map[int]uint64), shown: make(map[string]bool)}
	w.each(context.Background(), func(mpcnode.ActivityEvent) {})
	return w
}

// until shows what happens until done says yes.
func (w *watcher) until(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		w.each(ctx, w.show)
		w.phases(ctx)
		ok, err := done()
		if err != nil || ok {
			w.each(ctx, w.show)
			return err
		}
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), context.Canceled) {
				return errInterrupted
			}
			return fmt.Errorf("the chain has not decided in %s", timeLimit)
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

// phases shows how far sessions are that have not come to their rounds yet.
func (w *watcher) phases(ctx context.Context) {
	for i := range w.story.net.Len() {
		node := w.story.net.Node(i)
		if !node.Running() {
			continue
		}
		report, err := node.MPC().Sessions(ctx)
		if err != nil {
			continue // as in each
		}
		for _, s := range report.Sessions {
			if step, before := stepOf[s.Phase]; before && slices.Contains(w.requests, s.Request) {
				w.reached(s.Kind, step)
			}
		}
	}
}

// reached shows a step and what came before it. Phases are looked at now and then,
// so one may be over before it is seen.
func (w *watcher) reached(kind string, step int) {
	for _, name := range steps[:step+1] {
		w.once(kind+": "+name, 0)
	}
}

// show writes each event once: when the first node has done it.
func (w *watcher) show(e mpcnode.ActivityEvent) {
	line := ""
	switch {
	case e.Kind == kindPresign && e.What == mpcnode.ActivityRound && e.Round > parkedRound:
		w.ahead = true
		line = fmt.Sprintf("%s: round %d of a presignature done", kindSign, e.Round)
	case e.Kind == kindPresign:
		return // nobody asked for it
	case e.Kind == kindSign && e.What == mpcnode.ActivityEnded && e.Reason == "" && w.ahead:
		w.once(kindSign+": done", 0) // it was begun before
		return
	case e.What == mpcnode.ActivityOpened:
		w.reached(e.Kind, 0)
		return
	case e.What == mpcnode.ActivityRound:
		w.reached(e.Kind, len(steps)-1)
		line = fmt.Sprintf("%s: round %d done", e.Kind, e.Round)
	case e.Reason == string(types.ErrReleased):
		w.reached(e.Kind, len(steps)-1) // it is the start that released it
		line = e.Kind + ": enough others were chosen; a participant is released"
	case e.Reason == "":
		line = e.Kind + ": done"
	default:
		line = fmt.Sprintf("%s: a session ended: %s", e.Kind, e.Reason)
	}
	w.once(line, e.Seconds)
}

// once writes a line, with how long it took, if it was not written before.
func (w *watcher) once(line string, seconds float64) {
	if w.shown[line] {
		return
	}
	w.shown[line] = true
	if seconds > 0 {
		line += fmt.Sprintf(" (%.2f s)", seconds)
	}
	w.story.out.say(line)
}
