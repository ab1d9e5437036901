package mpcnode

import (
	"slices"
	"sync"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// maxFailedSigns are remembered.
const maxFailedSigns = 20

// failedSigns are the requests for signatures that failed of late, since the node was
// started, for the page: the chain lists them by key only. The engine's loop tells it of
// views, others read.
type failedSigns struct {
	// open are those of the last view.
	open map[types.RequestID]bool

	mu sync.Mutex
	// ids are the newest first.
	ids []string
}

// observe takes over a view.
func (f *failedSigns) observe(v *mpc.View, ended outcomes) {
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

func (f *failedSigns) add(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids = slices.Insert(f.ids, 0, id)
	f.ids = f.ids[:min(len(f.ids), maxFailedSigns)]
}

// list is the newest first.
func (f *failedSigns) list() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.ids)
}
