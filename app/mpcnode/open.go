package mpcnode

import (
	"sync/atomic"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// openRequests are the open ones of the last view, for the reactor, which relays
// envelopes of others sparingly. Presignatures are open as long as their key is READY:
// of the keys that the view has, those of which this node has a share. Until there is a
// view, all are open.
type openRequests struct {
	ids atomic.Pointer[map[types.RequestID]bool]
}

func (o *openRequests) observe(v *mpc.View) {
	ids := make(map[types.RequestID]bool, len(v.Requests))
	for i := range v.Requests {
		ids[v.Requests[i].ID] = true
	}
	for _, key := range v.Keys {
		if v.Presign > 0 && key.Status == types.KeyReady {
			ids[types.PresignID(&key)] = true
		}
	}
	o.ids.Store(&ids)
}

// forget makes all requests open.
func (o *openRequests) forget() { o.ids.Store(nil) }

func (o *openRequests) has(id types.RequestID) bool {
	ids := o.ids.Load()
	return ids == nil || (*ids)[id]
}
