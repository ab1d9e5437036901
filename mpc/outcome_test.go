package mpc

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// TestOutcomesAreBounded: who leads whatever it makes up has the loop look at committed
// state a few times a block, and nobody else goes without.
func TestOutcomesAreBounded(t *testing.T) {
	for _, kind := range []types.RequestKind{types.KindSign, types.KindKeygen} {
		t.Run(kind.String(), func(t *testing.T) {
			d := newDesk(t, 4)
			d.start()
			d.reads.Store(0)
			flood := func() {
				for i := range 4 * maxOutcomes {
					d.core.HandleEnvelope(d.prepare("op-02", types.RequestID{Kind: kind, ID: fmt.Sprint("made-up-", i)}, 0, 1))
				}
			}
			flood()
			require.Equal(t, int64(maxOutcomes), d.reads.Load())
			flood()
			require.Equal(t, int64(maxOutcomes), d.reads.Load(), "it asks again")

			decided := types.RequestID{Kind: kind, ID: "decided"}
			d.sigs["decided"] = types.SignatureResult{RequestID: "decided", R: make([]byte, 32), S: make([]byte, 32)}
			d.view.Keys["decided"] = types.Key{ID: "decided", Status: types.KeyReady, Session: types.Context{7}}
			d.sent = nil
			d.core.HandleEnvelope(d.prepare("op-01", decided, 0, 1))
			said, to, result := d.answer()
			require.Equal(t, "already_decided", said)
			require.Equal(t, "op-01", to)
			require.Equal(t, kind == types.KindSign, result != nil)
			known := d.reads.Load()
			d.core.HandleEnvelope(d.prepare("op-02", decided, 0, 1))
			said, _, _ = d.answer()
			require.Equal(t, "already_decided", said, "what is known costs nothing")
			require.Equal(t, known, d.reads.Load())

			d.now = d.now.Add(2 * parkedAge)
			d.core.Tick()
			require.Empty(t, d.core.parked)
			require.Equal(t, known, d.reads.Load(), "refusing later reads no more than refusing at once")
			d.commit()
			flood()
			require.Equal(t, known+maxOutcomes, d.reads.Load(), "each block allows as many")
		})
	}
}

// TestUnpinnedIsJudgedBesideTheLoop: what anybody says of any key has its signature
// checked, and then the key looked at, before it is on the loop; what a block brought
// between counts.
func TestUnpinnedIsJudgedBesideTheLoop(t *testing.T) {
	for _, kind := range []types.RequestKind{types.KindDelete, types.KindShareMissing} {
		t.Run(kind.String(), func(t *testing.T) {
			d := newDesk(t, 4)
			key := types.Key{ID: "of-others", Status: types.KeyReady, Session: types.Context{5}, Participants: d.ops[1:], Holders: d.ops[1:]}
			commitment := key.EpochCommitment(deskChain)
			if kind == types.KindDelete {
				key.Status = types.KeyDeleted
				commitment = key.DeletionCommitment(deskChain)
			}
			d.view.Keys[key.ID] = key
			d.start()
			d.core.view.Keys = nil // those that this node does not hold are not in its view
			d.reads.Store(0)
			say := func(id types.KeyID, by types.Operator) types.Attestation {
				a := types.Attestation{
					Request: types.RequestID{Kind: kind, ID: string(id)}, Commitment: commitment, Operator: "op-02", IdentityVersion: 1,
				}
				if kind == types.KindShareMissing {
					a.Session = key.Session
				} else {
					a.Payload = types.DeletionPayload(true)
				}
				a.Sign(deskChain, d.keys[by])
				return a
			}
			_, err := d.core.Judge(told(say(key.ID, "op-03")))
			require.ErrorIs(t, err, types.ErrBadResult)
			require.Zero(t, d.reads.Load(), "whose word it is not is worth no look at the state")

			truth, err := d.core.Judge(told(say(key.ID, "op-02")))
			require.NoError(t, err)
			made, err := d.core.Judge(told(say("made-up", "op-02")))
			require.NoError(t, err)
			before := d.reads.Load()
			require.Equal(t, int64(2), before)
			d.core.HandleGossip(t.Context(), made)
			require.Empty(t, d.core.Results().Attestations)
			d.core.HandleGossip(t.Context(), truth)
			require.Len(t, d.core.Results().Attestations, 1)
			require.Contains(t, d.core.interest(), key.ID, "the next view has the keys of what is told")
			d.commit()
			require.Len(t, d.core.Results().Attestations, 1)
			require.Equal(t, before, d.reads.Load(), "the loop read state")

			stale, err := d.core.Judge(told(say(key.ID, "op-02")))
			require.NoError(t, err)
			changed := key
			changed.DeletionAcked, changed.MissingShares = d.ops, d.ops
			d.view.Keys[key.ID] = changed
			d.commit()
			d.core.HandleGossip(t.Context(), stale)
			require.Empty(t, d.core.Results().Attestations, "the chain has it")
		})
	}
}

// TestRefusalsBringNoUnpinned: a Refuse is looked at on the loop, and has no room for what
// must be looked up.
func TestRefusalsBringNoUnpinned(t *testing.T) {
	d, r, _ := waiting(t)
	d.reads.Store(0)
	a := types.Attestation{
		Request: types.RequestID{Kind: types.KindDelete, ID: "any"}, Payload: types.DeletionPayload(true), Operator: "op-02", IdentityVersion: 1,
	}
	a.Sign(deskChain, d.keys["op-02"])
	d.refuses("op-02", r.ID, wire.Refuse{Reason: string(types.ErrAlreadyDecided), Result: told(a)})
	require.Zero(t, d.reads.Load())
}
