package mpcnode

import (
	"sync/atomic"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// openRequests are the open ones of the last view, for the reactor, which relays
// envelopes of others sparingly. Until there is a view, all are open.
type openRequests struct {
	ids atomic.Pointer[map[types.RequestID]bool]
}

func (o *openRequests) observe(v *mpc.View) {
	ids := make(map[types.RequestID]bool, len(v.Requests))
	for i := range v.Requests {
		ids[v.Requests[i].ID] = true
	}
	o.ids.Store(&ids)
}

// forget makes all requests open.
func (o *openRequests) forget() { o.ids.Store(nil) }

func (o *openRequests) has(id types.RequestID) bool {
	ids := o.ids.Load()
	return ids == nil || (*ids)[id]
}
