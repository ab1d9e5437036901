package p2p

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// accusation is this identity's word against another operator.
func (i identity) accusation(of types.Operator) *wire.Gossip {
	a := types.Accusation{
		Request: types.RequestID{Kind: types.KindSign, ID: "s1"}, Session: types.Context{3}, Accused: of,
		Reason: types.ErrStalled, Operator: i.op, IdentityVersion: i.version,
	}
	a.Sign(chain, i.key)
	return &wire.Gossip{Sum: &wire.Gossip_Accusation{Accusation: a.ToWire()}}
}

// evidence proves that this identity said two things.
func (i identity) evidence() *wire.Gossip {
	e := types.NewEvidence(
		i.envelope(wire.KIND_ROUND, "", 1, []byte("one")), i.envelope(wire.KIND_ROUND, "", 1, []byte("other")))
	return &wire.Gossip{Sum: &wire.Gossip_Evidence{Evidence: e.ToWire()}}
}

// gossipArms are all that a result can be: whole, of a wrong shape, and with a
// wrong signature if it has any.
var gossipArms = map[reflect.Type]struct {
	whole     func(identity) *wire.Gossip
	misshapen *wire.Gossip
	spoil     func(*wire.Gossip)
}{
	reflect.TypeFor[*wire.Gossip_Attestation](): {
		func(i identity) *wire.Gossip { return i.attestation(0) },
		&wire.Gossip{Sum: &wire.Gossip_Attestation{Attestation: &wire.Attestation{}}},
		func(g *wire.Gossip) { g.GetAttestation().Signature[0] ^= 1 },
	},
	reflect.TypeFor[*wire.Gossip_Signature](): {
		func(identity) *wire.Gossip {
			return &wire.Gossip{Sum: &wire.Gossip_Signature{Signature: &wire.Signature{RequestId: "s", R: make([]byte, 32), S: make([]byte, 32)}}}
		},
		&wire.Gossip{Sum: &wire.Gossip_Signature{Signature: &wire.Signature{}}},
		nil,
	},
	reflect.TypeFor[*wire.Gossip_Evidence](): {
		identity.evidence,
		&wire.Gossip{Sum: &wire.Gossip_Evidence{Evidence: &wire.Evidence{}}},
		func(g *wire.Gossip) { g.GetEvidence().Second.Signature[0] ^= 1 },
	},
	reflect.TypeFor[*wire.Gossip_Accusation](): {
		func(i identity) *wire.Gossip { return i.accusation("dave") },
		&wire.Gossip{Sum: &wire.Gossip_Accusation{Accusation: &wire.Accusation{}}},
		func(g *wire.Gossip) { g.GetAccusation().Signature[0] ^= 1 },
	},
}

// Every result that there is reaches the sink, and only if it is as it should be.
// What is not is the fault of who delivered it; an identity that is not registered
// is nobody's.
func TestGossipArms(t *testing.T) {
	for _, arm := range (*wire.Gossip)(nil).XXX_OneofWrappers() {
		name := reflect.TypeOf(arm)
		t.Run(name.Elem().Name(), func(t *testing.T) {
			is, ok := gossipArms[name]
			require.True(t, ok, "nobody tests it")
			r, rec := lone(t, Options{}, defaultLimits())
			r.SetRoster(rosterOf(alice, bob))
			p := newFakePeer("p")
			join(r, p)
			from, ok := r.remoteOf(p)
			require.True(t, ok)
			hear := func(g *wire.Gossip) { r.judge(arrival{from: from, msg: g}) }

			hear(is.misshapen)
			require.Equal(t, 1, rec.drops(In, FaultShape))
			if is.spoil != nil {
				spoiled := is.whole(alice)
				is.spoil(spoiled)
				hear(spoiled)
				require.Equal(t, 1, rec.drops(In, FaultSignature))
				hear(is.whole(carol))
				require.Equal(t, 1, rec.drops(In, DropUnknownSender))
				older := bob
				older.version++
				hear(is.whole(older))
				require.Equal(t, 2, rec.drops(In, DropUnknownSender))
			}
			require.Zero(t, rec.gossiped())
			hear(is.whole(alice))
			require.Equal(t, 1, rec.gossiped())
			hear(is.whole(alice))
			require.Equal(t, 1, rec.drops(In, DropRepeat))
			require.Zero(t, rec.drops(In, DropUnknownMessage))
		})
	}
	t.Run("none of them", func(t *testing.T) {
		r, rec := lone(t, Options{}, defaultLimits())
		p := newFakePeer("p")
		join(r, p)
		from, _ := r.remoteOf(p)
		r.judge(arrival{from: from, msg: &wire.Gossip{}})
		require.Equal(t, 1, rec.drops(In, DropUnknownMessage))
		require.Zero(t, rec.gossiped())
	})
}

// The largest proof passes the filter.
func TestLargestEvidence(t *testing.T) {
	h := 2 * (maxHeaderBytes + 66 + 3)
	require.Less(t, h+9, MaxGossipBytes)
}
