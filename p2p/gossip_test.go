package p2p

import (
	"fmt"
	"log/slog"
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

// Whoever revoked its identity has no word any more, and is not safe from proof of what
// it signed before.
func TestGossipOfRevoked(t *testing.T) {
	for name, arm := range gossipArms {
		if arm.spoil == nil {
			continue // nobody's word
		}
		t.Run(name.Elem().Name(), func(t *testing.T) {
			r, rec := lone(t, Options{}, defaultLimits())
			r.SetRoster(types.NewRoster(map[types.Operator][]types.Identity{alice.op: {{Version: alice.version, Key: alice.public(), Revoked: true}}}))
			p := newFakePeer("p")
			join(r, p)
			from, ok := r.remoteOf(p)
			require.True(t, ok)
			r.judge(arrival{from: from, msg: arm.whole(alice)})
			if name == reflect.TypeFor[*wire.Gossip_Evidence]() {
				require.Equal(t, 1, rec.gossiped())
				return
			}
			require.Zero(t, rec.gossiped())
			require.Equal(t, 1, rec.drops(In, DropUnknownSender))
		})
	}
}

// doubter is a sink that knows which results are false.
type doubter struct {
	*recorder
	isFalse func(*wire.Gossip) bool
}

func (d doubter) ReceiveGossip(peer string, g *wire.Gossip) error {
	if d.isFalse(g) {
		return fmt.Errorf("%w: it does not prove itself", types.ErrBadResult)
	}
	return d.recorder.ReceiveGossip(peer, g)
}

// A finished signature that the sink finds false is the fault of who delivered it: the
// log says why, and whoever goes on is stopped. Nobody else is charged.
func TestFalseResults(t *testing.T) {
	out := &lockedBuffer{}
	r, rec := lone(t, Options{Logger: slog.New(slog.NewTextHandler(out, nil))}, defaultLimits())
	r.SetSink(doubter{rec, func(g *wire.Gossip) bool { return g.GetSignature().R[0] != 0 }})
	signature := func(n byte) *wire.Gossip {
		return &wire.Gossip{Sum: &wire.Gossip_Signature{Signature: &wire.Signature{RequestId: "s", R: append([]byte{n}, make([]byte, 31)...), S: make([]byte, 32)}}}
	}
	peers := map[string]*remote{}
	for _, name := range []string{"liar", "honest"} {
		rem, ok := r.remoteOf(join(r, newFakePeer(name)))
		require.True(t, ok)
		peers[name] = rem
	}
	for n := range byte(MaxFaults) {
		require.Empty(t, rec.stopped)
		r.judge(arrival{from: peers["liar"], msg: signature(1 + n)})
	}
	require.Equal(t, MaxFaults, rec.drops(In, types.ErrBadResult))
	require.Equal(t, []string{"liar"}, rec.stopped)
	require.Contains(t, out.String(), "peer=liar reason=bad_result")
	r.judge(arrival{from: peers["honest"], msg: signature(0)})
	require.Equal(t, 1, rec.gossiped())
	require.NotContains(t, out.String(), "peer=honest")
}

// An accusation with a reason that only a newer version knows is nobody's fault, and
// goes on as it is.
func TestAccusationOfANewerVersion(t *testing.T) {
	r, rec := lone(t, Options{}, defaultLimits())
	r.SetRoster(rosterOf(alice))
	from, ok := r.remoteOf(join(r, newFakePeer("p")))
	require.True(t, ok)
	g := alice.accusation("dave")
	a, err := types.AccusationFromWire(g.GetAccusation())
	require.NoError(t, err)
	a.Reason = "withheld_in_round_7"
	a.Sign(chain, alice.key)
	r.judge(arrival{from: from, msg: &wire.Gossip{Sum: &wire.Gossip_Accusation{Accusation: a.ToWire()}}})
	require.Equal(t, 1, rec.gossiped())
	require.Equal(t, string(a.Reason), rec.gossip[0].GetAccusation().Reason)
	require.Zero(t, from.faults.Load())
}

// The largest proof passes the filter.
func TestLargestEvidence(t *testing.T) {
	h := 2 * (maxHeaderBytes + 66 + 3)
	require.Less(t, h+9, MaxGossipBytes)
}
