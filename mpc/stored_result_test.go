package mpc

import (
	"crypto/ed25519"
	"slices"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// winning is a session that op-00 has a share of.
var winning = types.Context{7}

// decidedDesk holds a share of a keygen's session; the chain's word on it is
// change's.
func decidedDesk(t *testing.T, change func(*types.Key), identities ...ed25519.PrivateKey) (*desk, types.Request) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	payload := types.KeygenPayload{PublicKey: make([]byte, 33), PublicShares: [][]byte{make([]byte, 33)}}
	require.NoError(t, d.store.PutRecord(types.Record{
		RecordKey: types.RecordKey{KeyID: r.KeyID, Session: types.SessionID{9}}, Context: winning, Data: []byte("share"),
		Status: types.StatusPending, Algorithm: types.ECDSASecp256k1, Request: r.ID, Attempt: 3, IdentityVersion: 1,
		Commitment: r.Commitment(deskChain), Payload: payload.Encode(), Updated: d.now.Add(-time.Hour),
	}))
	key := types.Key{ID: r.KeyID, Status: types.KeyReady, Session: winning, RetireHeight: 1000}
	change(&key)
	d.view.Keys[r.KeyID] = key
	d.start(func(o *Options) { o.Identities = append(identities, o.Identities...) })
	return d, r
}

// TestStoredResult: whoever asks for a session of a keygen that is decided gets
// what this node attested of the session that won, if it holds that one, and no
// protocol runs.
func TestStoredResult(t *testing.T) {
	tests := []struct {
		name   string
		change func(*types.Key)
		stored bool
	}{
		{"READY by the session that is held", func(*types.Key) {}, true},
		{"READY by another session", func(k *types.Key) { k.Session = types.Context{8} }, false},
		{"ERROR", func(k *types.Key) { k.Status, k.Session = types.KeyError, types.Context{} }, false},
		{"DELETING", func(k *types.Key) { k.Status = types.KeyDeleting }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, r := decidedDesk(t, tt.change)
			d.core.HandleEnvelope(d.prepare(r.Initiator(0), r.ID, 0, 1))
			said, to, result := d.answer()
			require.Equal(t, []string{string(types.ErrAlreadyDecided), string(r.Initiator(0))}, []string{said, to})
			require.Empty(t, d.core.sessions)
			require.Empty(t, d.core.parked)
			require.Empty(t, d.core.reserved)
			require.Equal(t, tt.stored, result != nil)
			if !tt.stored {
				return
			}
			a, err := types.AttestationFromWire(result.GetAttestation())
			require.NoError(t, err)
			require.NoError(t, a.Verify(deskChain, d.public("op-00")))
			require.Equal(t, []any{r.ID, uint32(3), winning, types.Operator("op-00")}, []any{a.Request, a.Attempt, a.Session, a.Operator})
		})
	}
}

// TestStoredResultOfAnOldIdentity: it is the identity's word that the request
// pinned, for as long as this node has that one.
func TestStoredResultOfAnOldIdentity(t *testing.T) {
	for _, kept := range []bool{true, false} {
		var identities []ed25519.PrivateKey
		old := ed25519.NewKeyFromSeed(make([]byte, 32))
		if kept {
			identities = append(identities, old)
		}
		d, r := decidedDesk(t, func(*types.Key) {}, identities...)
		roster := make(map[types.Operator][]types.Identity)
		for _, op := range d.ops {
			roster[op] = []types.Identity{{Version: 1, Key: d.public(op)}}
		}
		roster["op-00"] = []types.Identity{{Version: 1, Key: old.Public().(ed25519.PublicKey)}, {Version: 2, Key: d.public("op-00")}}
		d.view.Roster = types.NewRoster(roster)
		d.commit()
		d.core.HandleEnvelope(d.prepare(r.Initiator(0), r.ID, 0, 1))
		said, _, result := d.answer()
		require.Equal(t, string(types.ErrAlreadyDecided), said)
		require.Equal(t, kept, result != nil)
		if kept {
			a, err := types.AttestationFromWire(result.GetAttestation())
			require.NoError(t, err)
			require.NoError(t, a.Verify(deskChain, old.Public().(ed25519.PublicKey)))
		}
	}
}

// TestTakesStoredResults: who asked keeps such an answer if it is true, and its
// own view has the request still open.
func TestTakesStoredResults(t *testing.T) {
	tests := []struct {
		name   string
		open   bool
		change func(*types.Attestation) // by who signs
		spoil  func(*wire.Attestation)  // by who passes it on
		kept   int
	}{
		{"true", true, nil, nil, 1},
		{"no longer of use", false, nil, nil, 0},
		{"of another session than was signed", true, nil, func(a *wire.Attestation) { a.Session[0]++ }, 0},
		{"of somebody else", true, nil, func(a *wire.Attestation) { a.Operator = "op-02" }, 0},
		{"of an attempt that is far off", true, nil, func(a *wire.Attestation) { a.Attempt = 30 }, 0},
		{"of a stranger", true, func(a *types.Attestation) { a.Operator = "op-77" }, nil, 0},
		{"under another identity", true, func(a *types.Attestation) { a.IdentityVersion = 2 }, nil, 0},
		{"of too few shares", true, func(a *types.Attestation) { a.Payload = sharesOf(3) }, nil, 0},
		{"of a share that is no point", true, func(a *types.Attestation) { a.Payload[37] = 5 }, nil, 0},
		{"of nothing", true, func(a *types.Attestation) { a.Payload = nil }, nil, 0},
		{"of an earlier request of this id", true, func(a *types.Attestation) { a.Commitment[0]++ }, nil, 0},
		{"on chain already", true, func(a *types.Attestation) { a.Attempt = 1 }, nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, 4)
			r := d.request(types.KindKeygen)
			if tt.open {
				d.view.Requests = []types.Request{r}
			}
			d.view.Attested = map[types.AttestedAttempt]bool{{Request: r.ID, Operator: "op-01", Attempt: 1}: true}
			d.start()
			a := types.Attestation{
				Request: r.ID, Commitment: r.Commitment(deskChain), Session: winning, Payload: sharesOf(4), Operator: "op-01", IdentityVersion: 1,
			}
			if tt.change != nil {
				tt.change(&a)
			}
			a.Sign(deskChain, d.keys["op-01"])
			w := a.ToWire()
			w.Session = append([]byte(nil), w.Session...)
			if tt.spoil != nil {
				tt.spoil(w)
			}
			if !tt.open { // it was when the session began
				d.view.Requests = []types.Request{r}
				d.commit()
			}
			d.core.HandleEnvelope(d.prepare(r.Initiator(0), r.ID, 0, 1))
			if !tt.open {
				delete(d.core.requests, r.ID)
			}
			d.refuses("op-01", r.ID, wire.Refuse{
				Reason: string(types.ErrAlreadyDecided), Result: &wire.Gossip{Sum: &wire.Gossip_Attestation{Attestation: w}},
			})
			require.Len(t, d.core.Results().Attestations, tt.kept)
			switch tt.name {
			case "of an earlier request of this id":
				require.Empty(t, d.core.falseResults, "it was true when it was said")
			case "of another session than was signed", "of somebody else":
				require.Equal(t, 1, d.core.falseResults["op-01"], "who brings what nobody signed pays")
				require.Len(t, d.core.falseResults, 1)
			}
		})
	}
}

// TestAttestedIsForgotten: what the chain shows is not told any more.
func TestAttestedIsForgotten(t *testing.T) {
	d := newDesk(t, 4)
	r := d.request(types.KindKeygen)
	d.view.Requests = []types.Request{r}
	d.start()
	a := types.Attestation{Request: r.ID, Commitment: r.Commitment(deskChain), Session: winning, Payload: sharesOf(4), Operator: "op-01", IdentityVersion: 1}
	a.Sign(deskChain, d.keys["op-01"])
	d.hear(a)
	require.Len(t, d.core.Results().Attestations, 1)
	d.view.Attested = map[types.AttestedAttempt]bool{{Request: r.ID, Operator: "op-01"}: true}
	d.commit()
	require.Empty(t, d.core.Results().Attestations)
	d.hear(a)
	require.Empty(t, d.core.Results().Attestations)
	d.view.Attested = nil // rolled back
	d.commit()
	d.hear(a)
	require.Len(t, d.core.Results().Attestations, 1)
}

// TestAnotherRequestOfTheId: what answered the one that a rollback took back goes, and
// neither stands in the way of this node's word on the one that took its place nor makes
// a share the key's.
func TestAnotherRequestOfTheId(t *testing.T) {
	d, r := decidedDesk(t, func(k *types.Key) { k.Status, k.Session = types.KeyPending, types.Context{} })
	d.view.Requests = []types.Request{r}
	d.commit()
	said := d.core.Results().Attestations
	require.Len(t, said, 1)
	require.Equal(t, r.Commitment(deskChain), said[0].Commitment)

	later := r
	later.Height++ // the chain was rolled back, and somebody asks again
	d.view.Requests = []types.Request{later}
	d.commit()
	require.Empty(t, d.core.Results().Attestations)
	d.hear(said[0])
	require.Empty(t, d.core.Results().Attestations)
	require.Empty(t, d.core.falseResults)

	for _, commitment := range []types.Hash{later.Commitment(deskChain), r.Commitment(deskChain), {}} {
		key := d.view.Keys[r.KeyID]
		key.Status, key.Session, key.Commitment = types.KeyReady, winning, commitment
		d.view.Keys[r.KeyID] = key
		d.view.Requests = nil
		d.commit()
		records, err := d.store.Records()
		require.NoError(t, err)
		own := commitment != later.Commitment(deskChain)
		require.Equal(t, own, records[0].Status == types.StatusReady)
		sign := types.Request{ID: types.RequestID{Kind: types.KindSign, ID: "s"}, KeyID: r.KeyID, KeySession: winning}
		_, usable := d.core.share(&sign)
		require.Equal(t, own, usable)
	}
}

// sharesOf is what n participants of a keygen attest.
func sharesOf(n int) []byte {
	point := secp256k1.PrivKeyFromBytes([]byte{7}).PubKey().SerializeCompressed()
	payload := types.KeygenPayload{PublicKey: point, PublicShares: slices.Repeat([][]byte{point}, n)}
	return payload.Encode()
}
