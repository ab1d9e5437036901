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
	o.forget()
	require.True(t, o.has(id))
}
