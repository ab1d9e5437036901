package mpcnode

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/p2p"
)

var (
	_ mpc.Transport = (*transport)(nil)
	_ p2p.Sink      = sink{}
	_ mpc.Chain     = (*chain)(nil)
)

// pool is an engine that only holds results.
type pool struct {
	inbound
	results types.Results
}

func (p pool) Results() types.Results { return p.results }

func TestNewPeerIsOfferedAllResults(t *testing.T) {
	p := pool{results: types.Results{
		Attestations: []types.Attestation{{Operator: "a"}, {Operator: "b"}},
		Signatures:   []types.SignatureResult{{RequestID: "s"}},
		Evidence: []types.Evidence{{
			First: &wire.Envelope{Header: &wire.Header{From: "liar"}}, Second: &wire.Envelope{Header: &wire.Header{From: "liar"}},
		}},
		Accusations: []types.Accusation{{Accused: "idler"}},
	}}
	var got []string
	s := sink{engine: p, offer: func(peer string, g *wire.Gossip) bool {
		require.Equal(t, "peer", peer)
		switch sum := g.Sum.(type) {
		case *wire.Gossip_Attestation:
			got = append(got, sum.Attestation.Operator)
		case *wire.Gossip_Signature:
			got = append(got, sum.Signature.RequestId)
		case *wire.Gossip_Evidence:
			got = append(got, sum.Evidence.First.Header.From)
		case *wire.Gossip_Accusation:
			got = append(got, sum.Accusation.Accused)
		}
		return false // a full queue stops nothing
	}}
	s.PeerConnected("peer")
	require.Equal(t, []string{"a", "b", "s", "liar", "idler"}, got)
}

// reach notes who is and is not within reach.
type reach struct {
	inbound
	said []string
}

func (r *reach) Connected(op types.Operator)    { r.said = append(r.said, "there "+string(op)) }
func (r *reach) Disconnected(op types.Operator) { r.said = append(r.said, "gone "+string(op)) }

func TestEngineHearsWhoIsWithinReach(t *testing.T) {
	r := &reach{}
	var s p2p.Sink = sink{engine: r}
	s.Connected("a")
	s.Disconnected("a")
	require.Equal(t, []string{"there a", "gone a"}, r.said)
}

// ReceiveGossip finds everything false.
func (pool) ReceiveGossip(string, *wire.Gossip) error { return types.ErrBadResult }

// What the engine finds false is the fault of the peer that delivered it.
func TestReactorHearsWhatIsFalse(t *testing.T) {
	require.ErrorIs(t, sink{engine: pool{}}.ReceiveGossip("peer", &wire.Gossip{}), types.ErrBadResult)
	require.NoError(t, deaf{}.ReceiveGossip("peer", &wire.Gossip{}))
}

// An identity that cannot be announced must not end the engine.
func TestTransportWithoutIdentity(t *testing.T) {
	tr := &transport{Reactor: p2p.NewReactor(p2p.Options{ChainID: "c"}), peerID: "peer", log: slog.New(slog.DiscardHandler)}
	tr.SetSelf(mpc.Self{})
	tr.SetSelf(mpc.Self{Operator: "op"}) // no key
	require.False(t, tr.Send("op", &wire.Envelope{Header: &wire.Header{}}))
}

// Every message that a protocol sends has a bound, and fits the channel.
func TestRoundLimits(t *testing.T) {
	limits, err := roundLimits(tss.New())
	require.NoError(t, err)
	protocol, err := tss.New().Protocol(types.KindKeygen, types.ECDSASecp256k1)
	require.NoError(t, err)
	for _, n := range []int{2, 4, types.MaxMembers} {
		for _, round := range protocol.Rounds(n-1, n) {
			for _, m := range round {
				require.Greater(t, limits[m.Type], m.MaxBytes, m.Type)
				require.LessOrEqual(t, limits[m.Type], p2p.MaxRoundBody, m.Type)
			}
		}
	}
}
