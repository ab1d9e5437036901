package mpcnode

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// What failed is remembered, what was signed, or is not known any more, is not.
func TestFailedSigns(t *testing.T) {
	var f failedSigns
	sign := func(id string) types.RequestID { return types.RequestID{Kind: types.KindSign, ID: id} }
	decided := map[types.RequestID]types.Outcome{}
	view := func(ids ...types.RequestID) {
		v := &mpc.View{}
		for _, id := range ids {
			v.Requests = append(v.Requests, types.Request{ID: id})
		}
		f.observe(v, func(id types.RequestID) (types.Outcome, bool) {
			o, known := decided[id]
			return o, known
		})
	}
	view(sign("bad"), sign("good"), sign("gone"), sign("back"), types.RequestID{Kind: types.KindKeygen, ID: "key"})
	require.Empty(t, f.list())
	decided[sign("bad")] = types.Outcome{Height: 7, Reason: types.ErrExpired}
	decided[sign("good")] = types.Outcome{Height: 7}
	decided[sign("back")] = types.Outcome{}
	decided[types.RequestID{Kind: types.KindKeygen, ID: "key"}] = types.Outcome{Height: 7, Reason: types.ErrExpired}
	view()
	require.Equal(t, []string{"bad"}, f.list())
	decided[sign("back")] = types.Outcome{Height: 8, Reason: types.ErrExpired}
	view()
	view()
	require.Equal(t, []string{"back", "bad"}, f.list(), "once each")
	for i := range 2 * maxFailedSigns {
		id := sign(fmt.Sprint(i))
		view(id)
		decided[id] = types.Outcome{Height: 9, Reason: types.ErrExpired}
	}
	view()
	require.Len(t, f.list(), maxFailedSigns)
	require.Equal(t, fmt.Sprint(2*maxFailedSigns-1), f.list()[0])
}
