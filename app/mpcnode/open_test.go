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
	o.observe(&mpc.View{Requests: []types.Request{{ID: id}}}, nil)
	require.True(t, o.has(id))
	require.False(t, o.has(other))
	presign := types.PresignID(&types.Key{Session: types.Context{1}})
	o.observe(&mpc.View{}, nil)
	require.False(t, o.has(id))
	require.False(t, o.has(presign))
	o.observe(&mpc.View{}, map[types.RequestID]bool{presign: true})
	require.True(t, o.has(presign))
	o.forget()
	require.True(t, o.has(id))
}
