package sim_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestLyingAttester: with auto_reshare on a participant says that its share is missing,
// takes no part in the reshares that come of it, attests sessions and shares that it
// invented, and accuses all others. Whatever it says, none of those who hold the key loses
// it by that, the key goes on signing, and who is left out in the end is the liar.
func TestLyingAttester(t *testing.T) {
	w := sim.New(t, sim.Config{
		Seed: 35, Nodes: 7, Protocols: fakeproto.Protocols{}, Preparams: 40, Lag: 300 * time.Millisecond,
		Params: func(p *xtypes.Params) {
			p.RetireBlocks, p.AutoReshare, p.AutoResharePauseBlocks = 10, true, 20
			p.ReshareLifetimeBlocks, p.ReshareAttemptBlocks = 100, 20
		},
	})
	w.Chain.Keygen("key", 2, w.Nodes[:4]...)
	require.True(t, w.Run(2*time.Minute, ready(w, "key")))
	liar := &lyingAttester{world: w, node: w.Nodes[3], told: make(map[string]bool)}
	w.Lies[liar.node.Operator] = liar.tell
	liar.say(func(p *chain.Participant, s types.Context) types.Attestation { return p.AttestMissing("key", s) })
	// Its engine has the share, and takes that back, which it can do once.
	require.True(t, w.Run(time.Minute, func() bool { k, _ := w.Chain.Key("key"); return len(k.FoundShares) > 0 }))
	liar.say(func(p *chain.Participant, s types.Context) types.Attestation { return p.AttestMissingAgain("key", s) })
	signsAll(t, w, "meanwhile")
	require.True(t, w.Run(20*time.Minute, func() bool {
		liar.attest()
		key, _ := w.Chain.Key("key")
		return key.Epoch == 1
	}), "the liar keeps the key from being reshared")
	require.NotEmpty(t, liar.told)
	require.NotZero(t, liar.node.Lied)

	key, _ := w.Chain.Key("key")
	for _, n := range w.Nodes[:3] {
		require.Contains(t, key.Participants, n.Operator)
	}
	require.NotContains(t, key.Participants, liar.node.Operator)
	require.Len(t, key.Participants, 4)
	liar.node.Crash()
	signsAll(t, w, "after")
}

// lyingAttester says what it likes of reshares, in them and on chain.
type lyingAttester struct {
	world *sim.World
	node  *sim.Node
	// told are the reshares that it lied about.
	told map[string]bool
}

// tell withholds all that belongs to reshares.
func (l *lyingAttester) tell(_ *sim.Node, m *wire.Message) []*wire.Message {
	if e := m.GetEnvelope(); e != nil && types.RequestKind(e.Header.RequestKind) == types.KindReshare {
		return nil
	}
	return []*wire.Message{m}
}

func (l *lyingAttester) participant() *chain.Participant {
	all := l.world.Chain.Fixture.Participants
	return all[slices.IndexFunc(all, func(p *chain.Participant) bool { return p.Operator == string(l.node.Operator) })]
}

// say brings its word on its share of the key to the chain.
func (l *lyingAttester) say(word func(*chain.Participant, types.Context) types.Attestation) {
	l.world.Chain.Do(func(ctx sdk.Context) error {
		key, _ := l.world.Chain.Key("key")
		a := word(l.participant(), key.Session)
		return l.world.Chain.Fixture.Keeper.ApplyAttestation(ctx, &a)
	})
}

// attest lies once about the reshare that is open.
func (l *lyingAttester) attest() {
	f := l.world.Chain.Fixture
	key, err := f.Keeper.Key(f.Ctx, "key")
	if err != nil || key.ReshareId == "" || l.told[key.ReshareId] {
		return
	}
	l.told[key.ReshareId] = true
	r, err := f.Keeper.Reshare(f.Ctx, key.ReshareId)
	if err != nil || !slices.Contains(r.Participants, string(l.node.Operator)) {
		return
	}
	payload := types.KeygenPayload{PublicKey: key.PublicKey}
	for i := range r.Participants {
		payload.PublicShares = append(payload.PublicShares, chain.NewSecret(fmt.Sprint("invented ", i)).PublicKey())
	}
	l.world.Chain.Do(func(ctx sdk.Context) error {
		a := l.participant().AttestReshare(r.Id, 0, chain.Session("invented "+r.Id), payload.Encode())
		return f.Keeper.ApplyAttestation(ctx, &a)
	})
	for _, op := range r.Participants {
		if op == string(l.node.Operator) {
			continue
		}
		l.world.Chain.Do(func(ctx sdk.Context) error {
			a := l.participant().Accuse(r.RequestID(), op)
			return f.Keeper.ApplyAccusation(ctx, &a) // the first one may stand there still
		})
	}
}
