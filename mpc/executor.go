package mpc

import (
	"container/heap"
	"context"
	"fmt"
	"sync"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// job is one step of one session.
type job struct {
	request *types.Request
	order   uint64
	run     func() (session.Step, error)
	done    func(session.Step, error)
}

// jobHeap orders jobs by request, then by arrival.
type jobHeap []*job

func (h jobHeap) Len() int      { return len(h) }
func (h jobHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h jobHeap) Less(i, j int) bool {
	switch {
	case h[i].request.Before(h[j].request):
		return true
	case h[j].request.Before(h[i].request):
		return false
	}
	return h[i].order < h[j].order
}
func (h *jobHeap) Push(x any) { *h = append(*h, x.(*job)) }
func (h *jobHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}

// pool of workers, bounded: each step of a session waits for its turn. There is
// at most one step of each session, and those of sessions that are over return
// at once, so the queue is as bounded as the sessions.
type workers struct {
	deliver func(func()) // onto the loop
	mu      sync.Mutex
	ready   *sync.Cond
	jobs    jobHeap
	order   uint64
	closed  bool
}

func newWorkers(deliver func(func())) *workers {
	w := &workers{deliver: deliver}
	w.ready = sync.NewCond(&w.mu)
	return w
}

// Submit implements Executor.
func (w *workers) Submit(r *types.Request, run func() (session.Step, error), done func(session.Step, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.order++
	heap.Push(&w.jobs, &job{request: r, order: w.order, run: run, done: done})
	w.ready.Signal()
}

// queued is how many steps wait.
func (w *workers) queued() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.jobs)
}

// work runs n workers until the context ends. A step that runs then is waited
// for: tss-lib cannot be interrupted. Steps that wait are dropped.
func (w *workers) work(ctx context.Context, n int) {
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.closed = true
		w.ready.Broadcast()
	})
	defer stop()
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			for j := w.next(); j != nil; j = w.next() {
				step, err := runStep(j.run)
				w.deliver(func() { j.done(step, err) })
			}
		})
	}
	group.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jobs = nil
}

func (w *workers) next() *job {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.jobs) == 0 && !w.closed {
		w.ready.Wait()
	}
	if w.closed {
		return nil
	}
	return heap.Pop(&w.jobs).(*job)
}

// runStep turns a panic of a party into an error: the session ends, the node
// does not, and nobody is blamed: what the library panics of is caught in mpc/tss. The
// panic's value may hold secrets and is not repeated.
func runStep(run func() (session.Step, error)) (step session.Step, err error) {
	defer func() {
		if r := recover(); r != nil {
			step, err = session.Step{}, fmt.Errorf("%w: the party panicked (%T)", types.ErrOwnFailure, r)
		}
	}()
	return run()
}
