package mpc

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
)

// newPair is op-00 and op-01 with a share each of a key that has presignatures; cfg is of a
// session of op-01. The request to sign is not in the view yet.
func newPair(t *testing.T) (p *partner, cfg session.Config, sign types.Request) {
	p = &partner{desk: newDesk(t, 4), once: make(map[*wire.Envelope]bool)}
	private := secp256k1.PrivKeyFromBytes([]byte("of all"))
	key := types.Key{
		ID: "key", Status: types.KeyReady, Session: deskKeySession, Algorithm: types.ECDSASecp256k1, Threshold: 1,
		Participants: p.ops, PublicKey: private.PubKey().SerializeCompressed(), RetireHeight: 1000,
	}
	p.view.Presign, p.view.Keys["key"] = 2, key
	record := types.Record{
		RecordKey: types.RecordKey{KeyID: "key", Session: types.SessionID{9}}, Context: deskKeySession, Status: types.StatusPending,
		Data: fakeproto.Share(private.Serialize(), "op-00", deskKeySession), Algorithm: key.Algorithm,
	}
	require.NoError(t, p.store.PutRecord(record))
	record.Status = types.StatusReady
	require.NoError(t, p.store.PutRecord(record))
	p.request, _ = types.PresignRequest(&key, p.view.Roster)
	sign = p.desk.request(types.KindSign)
	sign.PublicKey = key.PublicKey
	for sign.Initiator(0) != "op-01" {
		sign.ID.ID += "x"
	}
	p.start(func(o *Options) { o.Transport = p })
	p.core.exec = p
	protocol, err := fakeproto.Protocols{}.Protocol(types.KindPresign, key.Algorithm)
	require.NoError(t, err)
	cfg = session.Config{
		ChainID: deskChain, Request: p.request, Self: "op-01", Identity: p.keys["op-01"], Protocol: protocol,
		Host: &ownerHost{(*partnerHost)(p), fakeproto.Share(private.Serialize(), "op-01", deskKeySession)},
		Rand: rand.NewChaCha8([32]byte{2}), Timing: session.DefaultTiming(), Height: p.view.Height,
	}
	return p, cfg, sign
}

// newParked has a presignature that op-01 owns parked at it and at op-00.
func newParked(t *testing.T) *partner {
	p, cfg, sign := newPair(t)
	for p.request.Initiator(cfg.Attempt) != "op-01" {
		cfg.Attempt++
	}
	s, err := session.Open(cfg, p.now)
	require.NoError(t, err)
	p.s, p.last = s, p.now
	p.s.Announce(p.now)
	p.settle()
	for range 40 {
		if p.s.Phase() == session.Parked && p.s.Usable() {
			break
		}
		p.pass(time.Second)
	}
	require.True(t, p.s.Usable(), p.s.Phase())
	p.view.Requests = []types.Request{sign}
	p.commit()
	return p
}

// ownerHost gives op-01 its share.
type ownerHost struct {
	*partnerHost
	share []byte
}

func (h *ownerHost) Begin(*session.Session) (session.Material, error) {
	return session.Material{Share: slices.Clone(h.share)}, nil
}

// scenes are where words can come to.
var scenes = []struct {
	name string
	set  func(*testing.T) (*desk, types.RequestID)
}{
	{"waits for a keygen's start", func(t *testing.T) (*desk, types.RequestID) {
		d, r, _ := waiting(t)
		return d, r.ID
	}},
	{"leads a signature", func(t *testing.T) (*desk, types.RequestID) {
		d := newDesk(t, 4)
		r := d.request(types.KindSign)
		for r.Initiator(0) != "op-00" {
			r.ID.ID += "x"
		}
		d.hold(r.KeySession, types.StatusReady)
		d.view.Requests = []types.Request{r}
		d.start()
		return d, r.ID
	}},
	{"runs a keygen", func(t *testing.T) (*desk, types.RequestID) {
		p := newPartner(t)
		p.idle = true
		p.settle()
		require.Equal(t, session.Running, p.live().Phase())
		return p.desk, p.request.ID
	}},
	{"lingers", func(t *testing.T) (*desk, types.RequestID) {
		p := newPartner(t)
		p.settle()
		require.Equal(t, session.Lingering, p.live().Phase())
		return p.desk, p.request.ID
	}},
	{"parked", func(t *testing.T) (*desk, types.RequestID) {
		p := newParked(t)
		require.True(t, slices.ContainsFunc(p.core.ordered(), func(l *live) bool { return l.Phase() == session.Parked }))
		return p.desk, p.request.ID
	}},
	{"knows nothing", func(t *testing.T) (*desk, types.RequestID) {
		d := newDesk(t, 4)
		d.start()
		return d, d.request(types.KindSign).ID
	}},
}

func TestScenes(t *testing.T) {
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) { s.set(t) })
	}
}

// sound: the engine is as it was but for what somebody said.
func (d *desk) sound(sender types.Operator) {
	d.t.Helper()
	d.now = d.now.Add(time.Second)
	d.core.Tick()
	d.view.Height++
	d.commit()
	d.core.Status()
	require.NoError(d.t, d.core.Err())
	require.Empty(d.t, d.core.panics)
	require.NoError(d.t, d.core.tidy())
	for op := range d.core.liars {
		require.Equal(d.t, sender, op)
	}
	for _, a := range d.core.Results().Accusations {
		require.True(d.t, a.Accused == sender || a.Operator == sender, "%s of %s", a.Operator, a.Accused)
	}
}

type marshaler interface{ Marshal() ([]byte, error) }

func bodyOf(f *testing.F, m marshaler) []byte {
	bz, err := m.Marshal()
	require.NoError(f, err)
	return bz
}

// FuzzCoreEnvelope: whatever a member signs, for whichever session and request, and wherever
// this node stands, nothing panics and nobody else is taken for a liar.
func FuzzCoreEnvelope(f *testing.F) {
	key := append([]byte{9}, make([]byte, 31)...)
	bodies := map[wire.Kind][]byte{
		wire.KIND_PREPARE:  bodyOf(f, &wire.Prepare{Nonce: make([]byte, 32), EphemeralKey: key, Height: 10, Commitment: make([]byte, 32)}),
		wire.KIND_READY:    bodyOf(f, &wire.Ready{EphemeralKey: key}),
		wire.KIND_REFUSE:   bodyOf(f, &wire.Refuse{Reason: "presign_lost", Result: &wire.Gossip{Sum: &wire.Gossip_Signature{Signature: &wire.Signature{}}}}),
		wire.KIND_START:    bodyOf(f, &wire.Start{Prepare: &wire.Envelope{}, Readys: []*wire.Envelope{{}}, Signers: []string{"op-00", "op-01"}}),
		wire.KIND_ROUND:    bodyOf(f, &wire.Consume{RequestId: "id-0", Digest: make([]byte, 32)}),
		wire.KIND_CONFIRM:  bodyOf(f, &wire.Confirm{Digest: make([]byte, 32)}),
		wire.KIND_WORKING:  bodyOf(f, &wire.Working{Count: 3}),
		wire.KIND_MISSING:  bodyOf(f, &wire.Missing{Count: 1, Slots: []*wire.Slot{{}}}),
		wire.KIND_FORWARD:  bodyOf(f, &wire.Forward{Envelope: &wire.Envelope{}}),
		wire.KIND_DISPUTE:  bodyOf(f, &wire.Dispute{Broadcasts: []*wire.Envelope{{}}}),
		wire.KIND_ABORT:    bodyOf(f, &wire.Abort{Reason: "stalled", Culprits: []string{"op-00", "op-02"}}),
		wire.KIND_PARKED:   nil,
		wire.KIND_PING:     bodyOf(f, &wire.Ping{Nonce: make([]byte, 16), KeyId: "key"}),
		wire.KIND_PONG:     bodyOf(f, &wire.Pong{Nonce: make([]byte, 16), Version: "v1"}),
		wire.KIND_PONG + 1: {0xff},
	}
	for place := range byte(len(scenes)) {
		for kind, body := range bodies {
			for named := range byte(3) {
				typ := ""
				if kind == wire.KIND_ROUND {
					typ = "consume"
				}
				f.Add(place, named, int32(kind), uint32(0), uint32(named+place), typ, byte(1), body)
			}
		}
		f.Add(place, byte(0), int32(wire.KIND_PREPARE), uint32(types.KindSign), uint32(0), "", byte(2), bodies[wire.KIND_PREPARE])
		f.Add(place, byte(2), int32(wire.KIND_REFUSE), uint32(types.KindPresign), uint32(0), "", byte(2), bodies[wire.KIND_REFUSE])
	}
	f.Fuzz(func(t *testing.T, place, named byte, kind int32, of, round uint32, typ string, who byte, body []byte) {
		d, id := scenes[int(place)%len(scenes)].set(t)
		sender := d.ops[1+int(who)%3]
		if of != 0 {
			id.Kind = types.RequestKind(of)
		}
		h := wire.Header{
			ChainId: deskChain, Context: make([]byte, 32), Kind: wire.Kind(kind), Round: round, Type: typ, From: string(sender), IdentityVersion: 1,
			Sequence: 77, RequestKind: uint32(id.Kind), RequestId: id.ID,
		}
		for _, l := range d.core.ordered() {
			session, context := l.ID(), l.Context()
			h.Context = [][]byte{session[:], context[:], make([]byte, 32)}[named%3]
		}
		for _, to := range []string{"", "op-00"} {
			h.To = to
			v, err := types.VerifyEnvelope(types.SignEnvelope(&h, body, d.keys[sender]), deskChain, d.public(sender))
			if err != nil {
				continue // has no shape that the reactor lets in
			}
			d.core.HandleEnvelope(v)
			d.core.HandleEnvelope(v)
		}
		d.sound(sender)
	})
}

// FuzzCoreGossip: whatever is told, signed by a member or not, nothing panics.
func FuzzCoreGossip(f *testing.F) {
	zero := make([]byte, 32)
	attestation := func(kind types.RequestKind) *wire.Gossip {
		return &wire.Gossip{Sum: &wire.Gossip_Attestation{Attestation: &wire.Attestation{
			RequestKind: uint32(kind), RequestId: "key", Commitment: zero, Session: zero, Operator: "op-02", IdentityVersion: 1,
			Payload: types.DeletionPayload(true), Signature: make([]byte, 64),
		}}}
	}
	accusation := types.Accusation{
		Request: types.RequestID{Kind: types.KindSign, ID: "id-0"}, Accused: "op-00", Reason: types.ErrStalled, Operator: "op-02", IdentityVersion: 1,
		Signature: make([]byte, 64),
	}
	envelope := &wire.Envelope{Header: &wire.Header{ChainId: deskChain, Context: zero, Kind: wire.KIND_ROUND, From: "op-02"}, Body: zero, Signature: make([]byte, 64)}
	seeds := []*wire.Gossip{
		attestation(types.KindKeygen), attestation(types.KindReshare), attestation(types.KindDelete), attestation(types.KindShareMissing),
		gossipOf(types.SignatureResult{RequestID: "id-0", R: zero, S: zero}), told(accusation),
		{Sum: &wire.Gossip_Evidence{Evidence: types.NewEvidence(envelope, envelope).ToWire()}}, {},
	}
	for place := range byte(len(scenes)) {
		for _, g := range seeds {
			for _, signs := range []bool{false, true} {
				f.Add(place, signs, bodyOf(f, g))
			}
		}
	}
	f.Fuzz(func(t *testing.T, place byte, signs bool, bz []byte) {
		var g wire.Gossip
		if g.Unmarshal(bz) != nil {
			return
		}
		d, id := scenes[int(place)%len(scenes)].set(t)
		const sender = types.Operator("op-02")
		if signs {
			d.resign(&g, id, sender)
		}
		for range 2 {
			if j, err := d.core.Judge(&g); err == nil {
				d.core.HandleGossip(t.Context(), j)
			}
		}
		d.sound(sender)
	})
}

// resign puts a participant's name and signature under what is told, of the request here.
func (d *desk) resign(g *wire.Gossip, id types.RequestID, by types.Operator) {
	switch sum := g.Sum.(type) {
	case *wire.Gossip_Attestation:
		if a, err := types.AttestationFromWire(sum.Attestation); err == nil {
			if r, open := d.core.requests[id]; open && a.Request.Kind == id.Kind {
				a.Request, a.Commitment = id, r.Commitment(deskChain)
			}
			a.Operator, a.IdentityVersion = by, 1
			a.Sign(deskChain, d.keys[by])
			sum.Attestation = a.ToWire()
		}
	case *wire.Gossip_Accusation:
		if a, err := types.AccusationFromWire(sum.Accusation); err == nil {
			a.Request, a.Operator, a.IdentityVersion = id, by, 1
			a.Sign(deskChain, d.keys[by])
			sum.Accusation = a.ToWire()
		}
	}
}
