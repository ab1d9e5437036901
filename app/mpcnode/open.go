package mpcnode

import (
	"sync/atomic"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// openRequests are the open ones of the last view, for the reactor, which relays
// envelopes of others sparingly. Presignatures are open as long as their key is READY.
// Until there is a view, all are open.
type openRequests struct {
	ids atomic.Pointer[openIDs]
}

type openIDs struct{ requests, presigns map[types.RequestID]bool }

// observe takes over a view, and the presignatures that participants may make; nobody
// changes them any more.
func (o *openRequests) observe(v *mpc.View, presigns map[types.RequestID]bool) {
	ids := openIDs{make(map[types.RequestID]bool, len(v.Requests)), presigns}
	for i := range v.Requests {
		ids.requests[v.Requests[i].ID] = true
	}
	o.ids.Store(&ids)
}

// forget makes all requests open.
func (o *openRequests) forget() { o.ids.Store(nil) }

func (o *openRequests) has(id types.RequestID) bool {
	ids := o.ids.Load()
	return ids == nil || ids.requests[id] || ids.presigns[id]
}
