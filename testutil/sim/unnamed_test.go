package sim_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// wrongS is the fake protocol with a member that sends a wrong s in the last round
// of every signature: as with tss-lib, the signature does not verify and nobody
// can say whose fault it is.
type wrongS struct {
	session.Protocols
	by *types.Operator
}

func (p wrongS) Protocol(k types.RequestKind, a types.Algorithm) (session.Protocol, error) {
	inner, err := p.Protocols.Protocol(k, a)
	if err != nil || k != types.KindSign {
		return inner, err
	}
	return wrongSProtocol{inner, p.by}, nil
}

type wrongSProtocol struct {
	session.Protocol
	by *types.Operator
}

func (p wrongSProtocol) NewParty(c session.PartyConfig) (session.Party, error) {
	inner, err := p.Protocol.NewParty(c)
	if err != nil || !slices.Contains(c.Signers, *p.by) {
		return inner, err
	}
	return wrongSParty{inner}, nil
}

type wrongSParty struct{ session.Party }

func (p wrongSParty) Deliver(round uint32, in []session.Inbound) (session.Step, error) {
	if round == 4 {
		return session.Step{}, fmt.Errorf("%w: the finished signature is wrong", types.ErrProtocolFault)
	}
	return p.Party.Deliver(round, in)
}

// TestUnnamedLiar: a member spoils signatures so that nobody can name it, and is
// always the first that is ready. Each leader still comes to a set without it:
// every signature is there within 2n+1 attempts, soon without any loss.
func TestUnnamedLiar(t *testing.T) {
	for _, size := range []struct{ nodes, threshold int }{{3, 1}, {4, 2}, {4, 1}, {5, 2}, {7, 4}} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%d of %d, seed %d", size.threshold+1, size.nodes, seed), func(t *testing.T) {
				testUnnamedLiar(t, seed, size.nodes, size.threshold)
			})
		}
	}
}

func testUnnamedLiar(t *testing.T, seed uint64, nodes, threshold int) {
	var liar types.Operator
	w := sim.New(t, sim.Config{
		Seed: seed, Nodes: nodes, Protocols: wrongS{fakeproto.Protocols{}, &liar}, Preparams: 40, Lag: 300 * time.Millisecond,
		Params: func(p *xtypes.Params) { p.SignLifetimeBlocks = 600 },
	})
	w.Chain.Keygen("key", threshold)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	require.True(t, w.Run(time.Minute, func() bool { return settled(w) }))

	liar = w.Nodes[w.Rand.IntN(nodes)].Operator
	w.Meddle = func(from, _ *sim.Node, m *wire.Message) sim.Verdict {
		if e := m.GetEnvelope(); e != nil && e.Header.Kind == wire.KIND_READY && from.Operator != liar {
			return sim.Verdict{Delay: 100 * time.Millisecond}
		}
		return sim.Verdict{}
	}
	most := 0
	for i := range 8 {
		id := fmt.Sprintf("sig-%d", i)
		digest := sha256.Sum256([]byte(id))
		w.Chain.Sign(id, "key", digest[:])
		begin := w.Now()
		require.True(t, w.Run(15*time.Minute, func() bool { _, done := w.Chain.Signature(id); return done }), id)
		most = max(most, int(w.Now().Sub(begin)/signAttempt)+1)
	}
	t.Logf("at most %d attempts for a signature", most)
	require.LessOrEqual(t, most, 2*nodes+1)
	for _, f := range w.Chain.Faults() {
		require.True(t, f.Participant == liar || f.Accuser == liar || f.Reason != types.ErrProtocolFault, "%v: an honest member accuses an honest one of a lie", f)
	}
}
