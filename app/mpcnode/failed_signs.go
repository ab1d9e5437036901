package mpcnode

import (
	"slices"
	"sync"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

const (
	// maxFailedSigns are remembered.
	maxFailedSigns = 20
	// failedLooks is at how many decided signatures a node looks for them when it starts.
	failedLooks = 10 * maxFailedSigns
)

// failedSigns are the requests for signatures that failed of late, for the page. Those from
// before the node was started it reads once: the chain lists them among all that were decided.
// The engine's loop tells it of views, others read.
type failedSigns struct {
	// open are those of the last view.
	open map[types.RequestID]bool
	// recalled: those of before are there.
	recalled bool

	mu sync.Mutex
	// ids are the newest first.
	ids []string
}

// observe takes over a view.
func (f *failedSigns) observe(v *mpc.View, ended outcomes, failed failures) {
	f.recall(failed)
	open := make(map[types.RequestID]bool)
	for i := range v.Requests {
		if id := v.Requests[i].ID; id.Kind == types.KindSign {
			open[id] = true
		}
	}
	for id := range f.open {
		if open[id] {
			continue
		}
		switch o, known := ended(id); {
		case known && o.Height == 0: // this view is behind the last one
			open[id] = true
		case known && o.Reason != "":
			f.add(id.ID)
		}
	}
	f.open = open
}

// recall reads what failed before. If that fails, the next view tells.
func (f *failedSigns) recall(failed failures) {
	if f.recalled {
		return
	}
	ids, err := failed(failedLooks)
	if err != nil {
		return
	}
	f.recalled = true
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids = ids[:min(len(ids), maxFailedSigns)] // what was seen since the start is among them
}

func (f *failedSigns) add(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.Contains(f.ids, id) {
		return // it was recalled
	}
	f.ids = slices.Insert(f.ids, 0, id)
	f.ids = f.ids[:min(len(f.ids), maxFailedSigns)]
}

// list is the newest first.
func (f *failedSigns) list() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.ids)
}
