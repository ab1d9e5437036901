package sim_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakeproto"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// past is a network whose past does not stay as it was: its chain is rolled back, or its
// databases are older or of another chain.
type past struct {
	*sim.World
	ledger *fakeproto.Ledger
	log    *bytes.Buffer
	// reuses, if set, is a node whose old database brought back pre-parameters that were
	// used. What destroys those when a node starts is outside of the engine, in
	// app/mpcnode: TestFolderIsPutBack.
	reuses *sim.Node
}

func newPast(t *testing.T, seed uint64, more ...func(*xtypes.Params)) *past {
	p := &past{ledger: fakeproto.NewLedger(), log: &bytes.Buffer{}}
	p.World = sim.New(t, sim.Config{
		Seed: seed, Nodes: 4, Protocols: fakeproto.Protocols{Ledger: p.ledger}, Preparams: 60, KeepStates: true,
		Lag: 300 * time.Millisecond, Log: slog.New(slog.NewTextHandler(p.log, nil)),
		Params: func(p *xtypes.Params) {
			for _, change := range more {
				change(p)
			}
			p.RetireBlocks, p.SignAttemptBlocks, p.SignLifetimeBlocks = 30, 6, 60
			p.KeygenAttemptBlocks, p.KeygenLifetimeBlocks = 10, 100
			p.ReshareAttemptBlocks, p.ReshareLifetimeBlocks = 10, 100
		},
	})
	return p
}

// backTo takes the chain back to a height, on all nodes. Somebody kept all results that
// were told until then, and tells them again.
func (p *past) backTo(height int64) {
	old := p.Told()
	p.Chain.Rollback(p.Chain.Height() - height)
	p.Remind(old, 40, p.BlockTime/2)
}

// blocks lets some pass.
func (p *past) blocks(n int64) {
	end := p.Chain.Height() + n
	p.Run(time.Duration(n+1)*p.BlockTime, func() bool { return p.Chain.Height() >= end })
}

// told: an operator reads this in the log of its node.
func (p *past) told(n *sim.Node, text string) bool {
	for _, line := range strings.Split(p.log.String(), "\n") {
		if strings.Contains(line, "node="+string(n.Operator)) && strings.Contains(line, text) {
			return true
		}
	}
	return false
}

// sound: the key has this epoch, each of its members signs with its share of it, whoever
// else is away, and nobody ever worked on two digests of a request, used pre-parameters
// twice or contradicted itself.
func (p *past) sound(t *testing.T, epoch uint64, members ...*sim.Node) {
	t.Helper()
	require.True(t, p.Run(5*time.Minute, func() bool { return allUp(p.World) && promoted(p.World, epoch, members...) && idle(p.World) }))
	key, _ := p.Chain.Key("key")
	require.Equal(t, types.KeyReady, key.Status)
	require.Equal(t, epoch, key.Epoch)
	for i := range members {
		var away []*sim.Node
		for j := range len(members) - key.Threshold - 1 {
			away = append(away, members[(i+1+j)%len(members)])
		}
		for _, n := range away {
			n.Crash()
		}
		id := fmt.Sprintf("sound-%d-%d", p.Chain.Height(), i)
		signsAll(t, p.World, id)
		require.Equal(t, []uint64{epoch}, p.ledger.Epochs(types.RequestID{Kind: types.KindSign, ID: id}))
		for _, n := range away {
			n.Start()
		}
	}
	require.True(t, p.Run(time.Minute, func() bool { return idle(p.World) }))
	for _, broken := range p.ledger.Broken() {
		if p.reuses == nil || broken != string(p.reuses.Operator)+" used pre-parameters twice" {
			require.Fail(t, broken)
		}
	}
	require.Empty(t, p.Broken())
	for _, n := range p.Nodes {
		for _, reason := range []types.Reason{types.ErrProtocolFault, types.ErrBroadcastDiffer, types.ErrStorage} {
			require.Zero(t, n.Ended[reason], "%s ended sessions with %s", n.Operator, reason)
		}
	}
}

// bonded are those that a reshare may go to.
func (p *past) bonded(nodes []*sim.Node) (list []*sim.Node) {
	for _, n := range nodes {
		for _, v := range p.Chain.Fixture.Participants {
			if v.Operator == string(n.Operator) && !v.Staked.Jailed {
				list = append(list, n)
			}
		}
	}
	return list
}

// shares lists the shares of "key" that a node has on disk.
func shares(t *testing.T, n *sim.Node) []types.Record {
	t.Helper()
	records, err := n.Store.Records()
	require.NoError(t, err)
	return slices.DeleteFunc(records, func(r types.Record) bool { return r.KeyID != "key" || !r.HasData })
}

// keeps: a node has the share of a session on disk.
func keeps(t *testing.T, n *sim.Node, context types.Context) bool {
	t.Helper()
	return slices.ContainsFunc(shares(t, n), func(r types.Record) bool { return r.Context == context })
}
