package mpc_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
)

// words is what a member may say, and nobody has a use for.
type words struct {
	prepares []types.Verified
	gossip   []*wire.Gossip
}

// useless makes well-formed words of one member: each leads another signature that nobody
// asked for, or says that another key that there is not is deleted.
func useless(t *testing.T, m *member, count int) (w words) {
	for i := range count {
		p := wire.Prepare{
			Nonce: binary.BigEndian.AppendUint64(make([]byte, 24), uint64(i)), EphemeralKey: append([]byte{9}, make([]byte, 31)...),
		}
		body, err := p.Marshal()
		require.NoError(t, err)
		h := wire.Header{
			ChainId: chainID, Context: make([]byte, 32), Kind: wire.KIND_PREPARE, From: string(m.op), IdentityVersion: 1, Sequence: uint64(i + 1),
			RequestKind: uint32(types.KindSign), RequestId: fmt.Sprint("made-up-", i),
		}
		v, err := types.VerifyEnvelope(types.SignEnvelope(&h, body, m.key), chainID, m.key.Public().(ed25519.PublicKey))
		require.NoError(t, err)
		a := types.Attestation{
			Request: types.RequestID{Kind: types.KindDelete, ID: fmt.Sprint("made-up-", i)}, Payload: types.DeletionPayload(true),
			Operator: m.op, IdentityVersion: 1,
		}
		a.Sign(chainID, m.key)
		w.prepares = append(w.prepares, v)
		w.gossip = append(w.gossip, &wire.Gossip{Sum: &wire.Gossip_Attestation{Attestation: a.ToWire()}})
	}
	return w
}

// TestEngineUnderUselessWords: a member that says as much as it can of what does not exist
// has the loops of others read committed state a few times a block, and keeps them from
// nothing.
func TestEngineUnderUselessWords(t *testing.T) {
	defer mpc.VerifyNoLeaks(t)
	const perBlock = 32 // reads for one member, as maxOutcomes
	c := newClub(t, 4, fakeproto.Protocols{})
	defer c.close()
	c.commit(func(*mpc.View) {})
	for _, m := range c.members {
		require.Eventually(t, func() bool { return m.engine.Status().Operator == m.op }, 20*time.Second, 10*time.Millisecond)
	}
	flood := useless(t, c.members[3], 3000)
	var floods sync.WaitGroup
	defer floods.Wait()
	for _, m := range c.members[:3] {
		floods.Go(func() {
			for i := range flood.prepares {
				m.engine.Receive(flood.prepares[i])
				if err := m.engine.ReceiveGossip("peer", flood.gossip[i]); err != nil {
					c.errs <- err
					return
				}
			}
		})
	}
	c.commit(func(v *mpc.View) {
		v.Requests = []types.Request{c.request(types.RequestID{Kind: types.KindKeygen, ID: "key"})}
		v.Keys = map[types.KeyID]types.Key{"key": {ID: "key", Status: types.KeyPending}}
	})
	require.Eventually(t, func() bool { return len(c.members[0].engine.Results().Attestations) == 4 }, 20*time.Second, 10*time.Millisecond)
	floods.Wait()
	for _, m := range c.members {
		require.Eventually(t, func() bool { _, inputs := m.engine.Queued(); return inputs == 0 }, 20*time.Second, 10*time.Millisecond)
		require.Empty(t, m.engine.Results().Accusations)
	}
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	require.Positive(t, c.ledger.reads, "the flood did not come to anything")
	require.LessOrEqual(t, c.ledger.reads, perBlock*c.ledger.views)
}
