package mpc

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// What comes again before its signer would say it again is not answered; what its signer
// says again is.
func TestRepeats(t *testing.T) {
	var a repeats
	now, resend := time.Unix(1000, 0), session.DefaultTiming().Resend
	require.False(t, a.again(types.Hash{1}, now))
	for i := range 10 {
		require.True(t, a.again(types.Hash{1}, now.Add(time.Duration(i)*resend/20)))
	}
	require.False(t, a.again(types.Hash{2}, now.Add(resend/2)))
	require.False(t, a.again(types.Hash{1}, now.Add(resend)), "its signer says it again")
	require.True(t, a.again(types.Hash{2}, now.Add(resend)))
	require.False(t, a.again(types.Hash{2}, now.Add(10*resend)))
	a.expire(now.Add(11*resend - 1))
	require.Equal(t, 1, a.size(), "it is not forgotten before its time")
	a.expire(now.Add(11 * resend))
	require.Zero(t, a.size())
	require.False(t, a.again(types.Hash{2}, now.Add(11*resend)))
}

func TestRepeatsAreBounded(t *testing.T) {
	var a repeats
	now := time.Unix(1000, 0)
	number := func(i int) (h types.Hash) {
		binary.BigEndian.PutUint32(h[:], uint32(i))
		return h
	}
	for i := range 2 * maxRepeats {
		require.False(t, a.again(number(i), now))
	}
	require.Len(t, a.young, maxRepeats)
	require.True(t, a.again(number(0), now))
	require.False(t, a.again(number(2*maxRepeats-1), now), "it is answered, not forgotten for ever")
}

// Who brings a Prepare over and over that is refused gets no more Refuses sent than its
// initiator would.
func TestPrepareThatIsRepeated(t *testing.T) {
	a := &admission{desk: newDesk(t, 4), version: 1}
	a.request = a.desk.request(types.KindSign)
	ofNote(&a.request)
	a.view.Requests, a.from = []types.Request{a.request}, a.request.Initiator(0)
	a.hold(a.request.KeySession, types.StatusReady)
	a.start(func(o *Options) { o.Kinds, o.Chain = notes, &careful{Chain: a.desk, refuse: types.ErrPolicy} })
	prepare := a.prepare(a.from, a.request.ID, a.attempt, a.version)
	for round := 1; round <= 2; round++ {
		for range 50 {
			a.core.HandleEnvelope(prepare)
		}
		require.Len(t, a.sent, round)
		a.now = a.now.Add(session.DefaultTiming().Resend)
	}
}
