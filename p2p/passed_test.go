package p2p

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

func TestPassed(t *testing.T) {
	p, h := newPassed(2), types.Hash{1}
	began := time.Unix(0, 0)
	for _, step := range []struct {
		at            time.Duration
		hops          uint32
		fresh, onward bool
	}{
		{0, 3, true, true},
		{0, 3, false, false},                            // by another way
		{1, 2, false, false},                            // round a loop
		{1, 5, false, true},                             // somebody had cut the first copy's way
		{1, 5, false, false},                            //
		{relayHold - 1, 4, false, false},                //
		{relayHold, 0, true, false},                     // a resend, cut
		{relayHold, 1, false, true},                     //
		{3*relayHold - 1, 1, false, false},              // twice as long
		{3 * relayHold, 1, true, true},                  //
		{7 * relayHold, 1, true, true},                  // four times
		{11*relayHold - 1, 1, false, false},             //
		{11 * relayHold, 1, true, true},                 // and no longer
		{11*relayHold + relayHoldMax, 7, true, true},    //
		{11*relayHold + relayHoldMax, 7, false, false},  //
		{11*relayHold + 2*relayHoldMax, 7, true, true},  //
		{11*relayHold + 2*relayHoldMax, 8, false, true}, //
	} {
		now := began.Add(step.at)
		require.Equal(t, step.fresh || step.onward, p.wants(h, step.hops, now), "%+v", step)
		fresh, onward := p.pass(h, step.hops, now)
		require.Equal(t, step.fresh, fresh, "%+v", step)
		require.Equal(t, step.onward, onward, "%+v", step)
	}
	p.forget(h)
	require.True(t, p.wants(h, 0, began))

	for i := range byte(9) {
		p.pass(types.Hash{2, i}, 1, began)
	}
	require.Equal(t, 2, p.seen.Len())
}

// The name of an envelope covers its signature and its body.
func TestHashOf(t *testing.T) {
	seen := map[types.Hash]bool{}
	for _, spoil := range []func(*wire.Envelope){
		func(*wire.Envelope) {},
		func(e *wire.Envelope) { e.Body = []byte("other") },
		func(e *wire.Envelope) { e.Signature[0] ^= 1 },
		func(e *wire.Envelope) { e.Header.To = "carol" },
	} {
		e := alice.envelope(wire.KIND_READY, "bob", 1, []byte("body"))
		spoil(e)
		h, err := hashOf(e)
		require.NoError(t, err)
		require.False(t, seen[h])
		seen[h] = true
	}
}
