package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// releasing is a Start of a signature without op-00: by the initiator and another
// member, whose Ready says this.
func releasing(d *desk, prepare types.Verified, r *types.Request, ready byte) types.Verified {
	d.t.Helper()
	var other types.Operator
	for _, op := range d.ops {
		if op != "op-00" && op != prepare.From() {
			other = op
		}
	}
	id := prepare.Hash()
	said := wire.Ready{EphemeralKey: append([]byte{ready}, make([]byte, 31)...)}
	body, err := said.Marshal()
	require.NoError(d.t, err)
	e := types.SignEnvelope(&wire.Header{
		ChainId: deskChain, Context: id[:], Kind: wire.KIND_READY, From: string(other), IdentityVersion: 1, To: string(prepare.From()),
		Sequence: 1, RequestKind: uint32(r.ID.Kind), RequestId: r.ID.ID,
	}, body, d.keys[other])
	signers := []string{string(prepare.From()), string(other)}
	if signers[0] > signers[1] {
		signers[0], signers[1] = signers[1], signers[0]
	}
	start := wire.Start{Prepare: prepare.Envelope(), Readys: []*wire.Envelope{e}, Signers: signers}
	body, err = start.Marshal()
	require.NoError(d.t, err)
	signed := types.SignEnvelope(&wire.Header{
		ChainId: deskChain, Context: id[:], Kind: wire.KIND_START, From: string(prepare.From()), IdentityVersion: 1, Sequence: 2,
		RequestKind: uint32(r.ID.Kind), RequestId: r.ID.ID,
	}, body, d.keys[prepare.From()])
	v, err := types.VerifyEnvelope(signed, deskChain, d.public(prepare.From()))
	require.NoError(d.t, err)
	return v
}

// A member that was released, and hears of another Start of the same session, proves
// what its initiator did; after a while it has forgotten the first one.
func TestSecondStartAfterTheRelease(t *testing.T) {
	for name, late := range map[string]time.Duration{"soon": time.Second, "late": 2 * endedAge} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4)
			r := d.request(types.KindSign)
			d.hold(r.KeySession, types.StatusReady)
			d.view.Requests = []types.Request{r}
			d.view.Keys["key"] = types.Key{ID: "key", Status: types.KeyReady, Session: r.KeySession}
			d.start()
			prepare := d.prepare(r.Initiator(0), r.ID, 0, 1)
			d.core.HandleEnvelope(prepare)
			said, _, _ := d.answer()
			require.Equal(t, "ready", said)
			first := releasing(d, prepare, &r, 1)
			d.core.HandleEnvelope(first)
			require.Empty(t, d.core.sessions, "it was released")
			d.core.HandleEnvelope(first)
			require.Empty(t, d.core.Results().Evidence, "the same again is none")

			d.now = d.now.Add(late)
			d.core.Tick()
			d.core.HandleEnvelope(releasing(d, prepare, &r, 2))
			found := d.core.Results().Evidence
			if late > endedAge {
				require.Empty(t, found)
				require.Zero(t, d.core.Holdings().Over)
				return
			}
			require.Len(t, found, 1)
			require.Equal(t, r.Initiator(0), found[0].Culprit())
			require.NoError(t, found[0].Verify(deskChain, d.public(r.Initiator(0))))
		})
	}
}
