package sim_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// sameNumbers is the fake protocol with two members that have the same parameters of a key.
// With tss-lib the others find it as this one says it.
type sameNumbers struct {
	session.Protocols
	*pair
}

// pair are the two; a victim among them knows who took its numbers.
type pair struct {
	of     []types.Operator
	victim types.Operator
}

func (p sameNumbers) Protocol(k types.RequestKind, a types.Algorithm) (session.Protocol, error) {
	inner, err := p.Protocols.Protocol(k, a)
	if err != nil || k != types.KindKeygen {
		return inner, err
	}
	return sameNumbersProtocol{inner, p.pair}, nil
}

type sameNumbersProtocol struct {
	session.Protocol
	*pair
}

func (p sameNumbersProtocol) NewParty(c session.PartyConfig) (session.Party, error) {
	inner, err := p.Protocol.NewParty(c)
	if err != nil || len(p.of) == 0 {
		return inner, err
	}
	others := slices.DeleteFunc(slices.Clone(p.of), func(op types.Operator) bool { return op == c.Self })
	switch {
	case c.Self == p.victim:
		return comparingParty{inner, session.Fault{Culprits: others}}, nil
	case len(others) == len(p.of):
		return comparingParty{inner, session.Fault{Culprits: others, Among: true}}, nil
	}
	return inner, nil
}

// comparingParty finds in the first round that two have the same numbers.
type comparingParty struct {
	session.Party
	fault session.Fault
}

func (p comparingParty) Deliver(round uint32, in []session.Inbound) (session.Step, error) {
	if round == 1 {
		found := p.fault
		found.Err = fmt.Errorf("two have the same numbers")
		return session.Step{}, fmt.Errorf("%w: %w", types.ErrProtocolFault, &found)
	}
	return p.Party.Deliver(round, in)
}

// TestClashInTheLastAttempt: two members keep a key from being made by showing the same numbers,
// in the only attempts that there is time for, and behave from then on. Those that saw it accuse
// them with what is asked for after that; if one of the two is honest, the other one alone.
func TestClashInTheLastAttempt(t *testing.T) {
	for name, honest := range map[string]bool{"both know": false, "one is a victim": true} {
		t.Run(name, func(t *testing.T) {
			numbers := new(pair)
			w := sim.New(t, sim.Config{
				Seed: 71, Nodes: 5, Protocols: sameNumbers{fakeproto.Protocols{}, numbers}, Preparams: 8, Lag: 300 * time.Millisecond,
				Params: func(p *xtypes.Params) { p.KeygenAttemptBlocks, p.KeygenLifetimeBlocks = 5, 10 },
			})
			accused := []types.Operator{w.Nodes[3].Operator, w.Nodes[4].Operator}
			accusers := []types.Operator{w.Nodes[0].Operator, w.Nodes[1].Operator, w.Nodes[2].Operator}
			numbers.of = slices.Clone(accused)
			if honest {
				numbers.victim = accused[0]
				accusers, accused = append(accusers, accused[0]), accused[1:]
			}
			w.Chain.Keygen("spoiled", 2)
			require.True(t, w.Run(10*time.Minute, func() bool { return w.Chain.Open() == 0 }))
			numbers.of, numbers.victim = nil, ""
			said := func() (faults []types.Fault) {
				return slices.DeleteFunc(w.Chain.Faults(), func(f types.Fault) bool { return f.Reason != types.ErrProtocolFault })
			}
			w.Run(3*w.Timing.Stall, func() bool { return false })
			if !honest {
				require.Empty(t, said(), "there was no time")
			}
			w.Chain.Keygen("key", 2)
			require.True(t, w.Run(2*time.Minute, ready(w, "key")))
			for i := range 5 {
				signsAll(t, w, fmt.Sprintf("s-%d", i))
			}
			found := make(map[types.Operator]bool)
			for _, f := range said() {
				require.Contains(t, accusers, f.Accuser, "%v", f)
				require.Contains(t, accused, f.Participant, "%v", f)
				found[f.Participant] = true
			}
			require.Len(t, found, len(accused))
		})
	}
}
