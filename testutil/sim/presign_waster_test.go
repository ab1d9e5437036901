package sim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
)

// wasted is how many presignatures of an owner may come to nothing in a network of four with
// a target of two and one key, before all of its signers refuse it: each of the three honest
// ones takes twelve, and two of them are in each.
const wasted = 3 * 12 / 2

// ledBy notes the presignatures that a node starts, by their context, with their signers.
func ledBy(w *sim.World, owner *sim.Node) map[types.Context][]string {
	started := make(map[types.Context][]string)
	w.Delivered = func(from, _ *sim.Node, e *wire.Envelope) {
		h := e.Header
		var start wire.Start
		if from != owner || h.Kind != wire.KIND_START || h.RequestKind != uint32(types.KindPresign) || h.From != string(owner.Operator) || start.Unmarshal(e.Body) != nil {
			return
		}
		var readys []types.Hash
		for _, r := range start.Readys {
			readys = append(readys, types.HeaderHash(r.Header))
		}
		var signers []types.Operator
		for _, op := range start.Signers {
			signers = append(signers, types.Operator(op))
		}
		context := types.Transcript{Prepare: types.Hash(h.Context), Readys: readys, Signers: signers}.Context()
		started[context] = start.Signers
	}
	return started
}

// TestOwnerWhoseUsesAreRefused: an owner lets others make presignatures, and tells one
// signer, who has to refuse it, that they are for something that it cannot be used for. The
// others hear of that one only that it left. It is the owner whom they refuse after some of
// those, and not the one that did what it had to.
func TestOwnerWhoseUsesAreRefused(t *testing.T) {
	w, ledger := presigning(t, 1, 2)
	liar, honest := w.Nodes[3], w.Nodes[:3]
	started := ledBy(w, liar)
	signsAll(t, w, "decided") // a use for it is refused at once
	ids := idsLedBy(w, types.KindSign, liar, 0, 2*wasted+2)
	sign := func() { // with one that is used as it should be the liar's node takes heart again
		id := ids[0]
		ids = ids[1:]
		w.Chain.Sign(id, "key", digestOf(id))
		require.True(t, w.Run(time.Minute, func() bool { _, signed := w.Chain.Signature(id); return signed }))
	}
	sign()
	sign() // the first two are of before anybody looked
	spoiled := 0
	for range 2 * wasted {
		if !w.Run(time.Minute, func() bool { return ofKey(liar).Ready == 2 }) {
			break // nobody computes for it any more
		}
		for context, signers := range started {
			delete(started, context)
			before := ofKey(liar).Ready
			later(w, 0, victim(honest, signers, spoiled), useForDecided(t, w, liar, context), liar)
			if w.Run(2*time.Second, func() bool { return ofKey(liar).Ready < before }) {
				spoiled++
				break
			}
		}
		sign()
	}
	require.Greater(t, spoiled, wasted/2, "the liar did little harm")
	require.LessOrEqual(t, spoiled, wasted+3, "nobody refuses the liar")
	for _, n := range honest {
		for _, id := range idsLedBy(w, types.KindSign, n, 0, 2) {
			w.Chain.Sign(id, "key", digestOf(id))
		}
	}
	require.True(t, w.Run(time.Minute, func() bool { return w.Chain.Open() == 0 }))
	require.True(t, w.Run(time.Minute, func() bool {
		return !slices.ContainsFunc(honest, func(n *sim.Node) bool { return ofKey(n).Ready != 2 })
	}), "%v", stock(w))
	require.Empty(t, ledger.Broken())
	require.Empty(t, w.Broken())
	require.Empty(t, w.Chain.Faults())
}

// victim is an honest signer, another one each time.
func victim(honest []*sim.Node, signers []string, turn int) *sim.Node {
	of := slices.DeleteFunc(slices.Clone(honest), func(n *sim.Node) bool { return !slices.Contains(signers, string(n.Operator)) })
	return of[turn%len(of)]
}

// useForDecided is a Consume for a request that is signed.
func useForDecided(t *testing.T, w *sim.World, owner *sim.Node, context types.Context) *wire.Envelope {
	t.Helper()
	body, err := (&wire.Consume{RequestId: "decided", Digest: digestOf("decided")}).Marshal()
	require.NoError(t, err)
	identity, _ := w.Chain.Roster().Current(owner.Operator)
	return owner.Forge(wire.Header{
		ChainId: w.Chain.ID(), Context: context[:], Kind: wire.KIND_ROUND, Round: 4, Type: "consume", From: string(owner.Operator),
		IdentityVersion: identity.Version, Sequence: 1 << 40, RequestKind: uint32(types.KindPresign), RequestId: presignID(w),
	}, body)
}

// presignID is what requests for presignatures of the key are named after.
func presignID(w *sim.World) string {
	k, _ := w.Chain.Key("key")
	return k.Session.String()
}

// TestOwnerThatUsesAndLeaves: an owner uses each presignature for a request that it leads,
// and leaves before it is signed. Requests are signed all the same, and after some of those
// nobody makes any for it.
func TestOwnerThatUsesAndLeaves(t *testing.T) {
	w, ledger := presigning(t, 1, 2)
	liar, honest := w.Nodes[3], w.Nodes[:3]
	used := make(map[types.Context]bool)
	w.Lies[liar.Operator] = func(to *sim.Node, m *wire.Message) []*wire.Message {
		e := m.GetEnvelope()
		switch {
		case e == nil || e.Header.Kind != wire.KIND_ROUND || e.Header.RequestKind != uint32(types.KindPresign):
			return []*wire.Message{m}
		case e.Header.Type != "consume":
			if e.Header.Round >= 4 {
				return nil
			}
			return []*wire.Message{m}
		}
		used[types.Context(e.Header.Context)] = true
		h := *e.Header
		h.Kind, h.Round, h.Type, h.Sequence = wire.KIND_ABORT, 0, "", 1<<40
		body, err := (&wire.Abort{Reason: string(types.ErrPresignLost)}).Marshal()
		require.NoError(t, err)
		later(w, 500*time.Millisecond, to, liar.Forge(h, body), liar) // when it is used there
		// Its own node believes that the other one left, and tries the next at once.
		h.From = string(to.Operator)
		body, err = (&wire.Abort{Reason: string(types.ErrBusy)}).Marshal()
		require.NoError(t, err)
		later(w, 600*time.Millisecond, liar, to.Forge(h, body), to)
		return []*wire.Message{m}
	}
	for _, id := range idsLedBy(w, types.KindSign, liar, 0, wasted) {
		w.Chain.Sign(id, "key", digestOf(id))
		require.True(t, w.Run(time.Minute, func() bool { _, signed := w.Chain.Signature(id); return signed }), id)
		w.Run(10*time.Second, func() bool { return ofKey(liar).Ready == 2 })
	}
	require.Greater(t, len(used), wasted/2, "the liar did little harm")
	require.LessOrEqual(t, len(used), wasted+3, "nobody refuses the liar")
	require.True(t, w.Run(time.Minute, func() bool {
		return !slices.ContainsFunc(honest, func(n *sim.Node) bool { return ofKey(n).Ready != 2 })
	}), "%v", stock(w))
	require.Empty(t, ledger.Broken())
	require.Empty(t, w.Broken())
	for _, f := range w.Chain.Faults() {
		require.Equal(t, liar.Operator, f.Participant, f.Reason)
	}
}
