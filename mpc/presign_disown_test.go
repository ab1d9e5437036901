package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Who asks for a presignature that this node has no part of hears so, within bounds.
func TestDisown(t *testing.T) {
	p := newPresigner(t)
	p.start()
	h := wire.Header{
		ChainId: deskChain, Context: make([]byte, 32), Kind: wire.KIND_PARKED, Round: 4, From: "op-01", IdentityVersion: 1, Sequence: 1,
		RequestKind: uint32(types.KindPresign), RequestId: p.request.ID.ID,
	}
	v, err := types.VerifyEnvelope(types.SignEnvelope(&h, nil, p.keys["op-01"]), deskChain, p.public("op-01"))
	require.NoError(t, err)
	for range 2 * maxDisowned {
		p.core.HandleEnvelope(v)
	}
	require.Len(t, p.sent, maxDisowned)
	e := p.sent[0]
	require.Equal(t, wire.KIND_REFUSE, e.Header.Kind)
	require.Equal(t, "op-01", e.Header.To, "for who asked, and for nobody else")
	require.Equal(t, h.Context, e.Header.Context)
	_, err = types.VerifyEnvelope(e, deskChain, p.public("op-00"))
	require.NoError(t, err)
}

// Who uses a presignature that this node lost its part of hears so, too. What ended in this life
// it hears of by the words that ended it.
func TestDisownUse(t *testing.T) {
	p := newPresigner(t)
	p.start()
	h := wire.Header{
		ChainId: deskChain, Context: make([]byte, 32), Kind: wire.KIND_ROUND, Type: "consume", Round: 4, From: "op-01", IdentityVersion: 1, Sequence: 1,
		RequestKind: uint32(types.KindPresign), RequestId: p.request.ID.ID,
	}
	v, err := types.VerifyEnvelope(types.SignEnvelope(&h, nil, p.keys["op-01"]), deskChain, p.public("op-01"))
	require.NoError(t, err)
	p.core.HandleEnvelope(v)
	said, to, _ := p.answer()
	require.Equal(t, string(types.ErrPresignLost), said)
	require.Equal(t, "op-01", to)
	p.core.early.end(p.request.ID, types.Context(h.Context), nil, nil, p.now)
	p.core.HandleEnvelope(v)
	require.Empty(t, p.sent)
}

// TestOwnerThatWantsMore: an owner that wants more than there is room for is asked whether it has
// its old ones still. Those that it has not make room at once.
func TestOwnerThatWantsMore(t *testing.T) {
	p := newParked(t)
	p.core.opts.Transport, p.core.opts.MaxPresignatures = p.desk, len(p.ops) // one of each owner
	asks := &presigner{desk: p.desk, request: p.request, from: "op-01", attempt: p.s.Attempt(), height: p.view.Height, version: 1}
	again := func() {
		p.sent = nil
		p.now = p.now.Add(time.Second)
		asks.attempt += uint32(len(p.ops))
		asks.ask()
	}
	again()
	context := p.s.Context()
	require.Len(t, p.sent, 2)
	require.Equal(t, wire.KIND_PARKED, p.sent[0].Header.Kind)
	require.Equal(t, context[:], p.sent[0].Header.Context)
	require.Equal(t, wire.KIND_REFUSE, p.sent[1].Header.Kind)
	asked := p.core.presigns.asked["op-01"]
	again()
	require.Equal(t, asked, p.core.presigns.asked["op-01"], "it asks once in a while, however often that one wants more")

	body := wire.Refuse{Reason: string(types.ErrPresignLost)}
	bz, err := body.Marshal()
	require.NoError(t, err)
	h := wire.Header{
		ChainId: deskChain, Context: context[:], Kind: wire.KIND_REFUSE, From: "op-01", To: "op-00", IdentityVersion: 1, Sequence: 1,
		RequestKind: uint32(types.KindPresign), RequestId: p.request.ID.ID,
	}
	v, err := types.VerifyEnvelope(types.SignEnvelope(&h, bz, p.keys["op-01"]), deskChain, p.public("op-01"))
	require.NoError(t, err)
	p.core.HandleEnvelope(v)
	require.Empty(t, p.core.sessions)
	require.Equal(t, 1, p.core.wasteOf("op-01").count)
	again()
	said, _, _ := p.answer()
	require.Equal(t, "ready", said)
}
