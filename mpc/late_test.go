package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// TestWhoLeftBeforeTheStartSaysSo: a member that left for a bad Start tells everybody
// when the same, or another one, comes again: somebody may run the session with it. At
// most once a second.
func TestWhoLeftBeforeTheStartSaysSo(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	d.view.Requests = []types.Request{r}
	d.start()
	leader := r.Initiator(0)
	prepare := d.prepare(leader, r.ID, 0, 1)
	d.core.HandleEnvelope(prepare)
	said, _, _ := d.answer()
	require.Equal(t, "ready", said)

	id := prepare.Hash()
	bad, err := types.VerifyEnvelope(types.SignEnvelope(&wire.Header{
		ChainId: deskChain, Context: id[:], Kind: wire.KIND_START, From: string(leader), IdentityVersion: 1, Sequence: 2,
		RequestKind: uint32(r.ID.Kind), RequestId: r.ID.ID,
	}, []byte{0xff}, d.keys[leader]), deskChain, d.public(leader))
	require.NoError(t, err)
	d.sent = nil
	d.core.HandleEnvelope(bad)
	require.Empty(t, d.core.sessions)
	require.Empty(t, d.sent, "nobody is known to wait for it")

	for _, later := range []struct {
		pause  time.Duration
		aborts int
	}{{0, 3}, {time.Second / 2, 0}, {time.Second, 3}, {2 * endedAge, 0}} {
		d.sent = nil
		d.now = d.now.Add(later.pause)
		d.core.Tick()
		d.core.HandleEnvelope(bad)
		require.Len(t, d.sent, later.aborts)
		for _, e := range d.sent {
			require.Equal(t, wire.KIND_ABORT, e.Header.Kind)
			require.Equal(t, id[:], e.Header.Context)
		}
	}
}

// TestWhoWasLetGoSaysSo: a member whose initiator told it alone that it leaves tells all
// members in its words, once it hears that others have a Start.
func TestWhoWasLetGoSaysSo(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	d.view.Requests = []types.Request{r}
	d.start()
	leader := r.Initiator(0)
	prepare := d.prepare(leader, r.ID, 0, 1)
	d.core.HandleEnvelope(prepare)
	d.sent = nil
	id := prepare.Hash()
	say := func(kind wire.Kind, body []byte) types.Verified {
		v, err := types.VerifyEnvelope(types.SignEnvelope(&wire.Header{
			ChainId: deskChain, Context: id[:], Kind: kind, From: string(leader), IdentityVersion: 1, Sequence: 2,
			RequestKind: uint32(r.ID.Kind), RequestId: r.ID.ID,
		}, body, d.keys[leader]), deskChain, d.public(leader))
		require.NoError(t, err)
		return v
	}
	abort := say(wire.KIND_ABORT, nil)
	d.core.HandleEnvelope(abort)
	require.Empty(t, d.core.sessions)
	require.Empty(t, d.sent)
	d.core.HandleEnvelope(say(wire.KIND_START, []byte{0xff}))
	require.Len(t, d.sent, 3)
	for _, e := range d.sent {
		require.Equal(t, abort.Envelope(), e)
	}
}
