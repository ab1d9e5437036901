package mpcnode

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

func nothingFailed(int) ([]string, error) { return nil, nil }

// What failed before the node was started is read from the chain, once, as soon as it can be.
func TestFailedSignsOfBefore(t *testing.T) {
	var f failedSigns
	var before []string
	looked, broken := 0, errors.New("no such version")
	view := func(open ...string) {
		v := &mpc.View{}
		for _, id := range open {
			v.Requests = append(v.Requests, types.Request{ID: types.RequestID{Kind: types.KindSign, ID: id}})
		}
		f.observe(v, func(types.RequestID) (types.Outcome, bool) {
			return types.Outcome{Height: 7, Reason: types.ErrExpired}, true
		},
			func(looks int) ([]string, error) {
				looked++
				require.Equal(t, failedLooks, looks)
				return before, broken
			})
	}
	view("a")
	require.Empty(t, f.list())
	before, broken = []string{"a", "older", "oldest"}, nil
	view("b") // a failed meanwhile, and is in the state of this view
	require.Equal(t, []string{"a", "older", "oldest"}, f.list())
	view()
	require.Equal(t, []string{"b", "a", "older", "oldest"}, f.list())
	require.Equal(t, 2, looked)

	f = failedSigns{}
	before = slices.Repeat([]string{"x"}, 2*maxFailedSigns)
	view()
	require.Len(t, f.list(), maxFailedSigns)
}

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
		}, nothingFailed)
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
