package mpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// ErrStopped says that an engine has ended, and answers nobody.
var ErrStopped = errors.New("the engine has stopped")

// ask has the loop run a question, which answers once, then or later. Errors: ErrStopped,
// types.ErrBusy if the inbox is full, that of the context, and that of the answer.
func ask[A any](ctx context.Context, e *Engine, question func(answer func(A, error))) (A, error) {
	type said struct {
		answer A
		err    error
	}
	heard := make(chan said, 1)
	var none A
	asked := func() { question(func(a A, err error) { heard <- said{a, err} }) }
	if !e.inbox.put(0, func() { e.core.guardWork("a question", asked) }) {
		return none, fmt.Errorf("%w: its inbox is full", types.ErrBusy)
	}
	select {
	case s := <-heard:
		return s.answer, s.err
	case <-e.ended:
		return none, ErrStopped
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
