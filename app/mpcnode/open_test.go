package mpcnode

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

func TestOpenRequests(t *testing.T) {
	id := types.RequestID{Kind: types.KindSign, ID: "a"}
	other := types.RequestID{Kind: types.KindKeygen, ID: "a"}
	o := &openRequests{}
	require.True(t, o.has(id), "before the first view")
	o.observe(&mpc.View{Requests: []types.Request{{ID: id}}})
	require.True(t, o.has(id))
	require.False(t, o.has(other))
	o.observe(&mpc.View{})
	require.False(t, o.has(id))
	ready := types.Key{ID: "ready", Status: types.KeyReady, Session: types.Context{1}}
	deleting := types.Key{ID: "deleting", Status: types.KeyDeleting, Session: types.Context{2}}
	v := &mpc.View{Keys: map[types.KeyID]types.Key{"ready": ready, "deleting": deleting}}
	o.observe(v)
	require.False(t, o.has(types.PresignID(&ready)), "nobody makes presignatures here")
	v.Presign = 1
	o.observe(v)
	require.True(t, o.has(types.PresignID(&ready)))
	require.False(t, o.has(types.PresignID(&deleting)))
	o.forget()
	require.True(t, o.has(id))
}
