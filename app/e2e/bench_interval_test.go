package e2e

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// measuredBlocks are measured without and with work, measuredTurns times in turn.
	measuredBlocks, measuredTurns = 30, 3
	// loadAtOnce signatures are open at most, and half as many at least: when half of them
	// are done, as many more are asked for.
	loadAtOnce = 30
	// onePreparams is a pool that a keygen empties and one search fills.
	onePreparams = 1
	// mostOfIdle is how long blocks may take under full load, of what they take without.
	mostOfIdle = 1.2
)

// intervalNetwork is four nodes on two cores together, a second between blocks, that keep
// this many pre-parameters, and presignatures of each key.
func intervalNetwork(t *testing.T, ctx context.Context, preparams int, presignatures uint32) *network {
	t.Helper()
	cfg := localnet.DefaultConfig("", "")
	cores, err := localnet.FirstCores(twoCores)
	require.NoError(t, err)
	cfg.Cores = cores
	cfg.Params = func(p *mpctypes.Params) { p.PresignTarget = presignatures }
	cfg.Tune = func(_ int, c *localnet.NodeConfig) { c.App.MPC.PreparamsTarget = preparams }
	return startNetwork(t, ctx, cfg)
}

// fullPreparams waits until no pre-parameters are made any more.
func (n *network) fullPreparams(ctx context.Context) {
	n.t.Helper()
	n.all(ctx, "no pre-parameters are made any more", func(s mpcnode.StatusReport) bool { return s.Preparams >= onePreparams })
}

// stretch measures the next blocks but those at its beginning.
func (n *network) stretch(ctx context.Context, blocks int64) intervals {
	n.t.Helper()
	from := n.height(ctx) + warmUpBlocks
	require.NoError(n.t, n.WaitHeight(ctx, from+blocks))
	return measure(n.t, ctx, n.Node(0), from, from+blocks)
}

// reportIntervals prints the bar of blocks with work, and fails if it is too high.
func reportIntervals(t *testing.T, name string, busy, idle intervals, turns int) {
	t.Helper()
	t.Logf("%s: idle: %s; with work: %s", name, idle, busy)
	ratio := busy.p95().Seconds() / idle.p95().Seconds()
	fmt.Printf("bench %s ours=%.4fs base=%.4fs ratio=%.4f most=%.2f cores=%d of=%d-and-%d-blocks-in-%d-turns\n",
		name, busy.p95().Seconds(), idle.p95().Seconds(), ratio, mostOfIdle, twoCores, len(busy.all), len(idle.all), turns)
	require.LessOrEqual(t, ratio, mostOfIdle, name)
}

// TestBenchBlockInterval compares the time between blocks under as many ordinary
// signatures as the default limits let run with that of the idle network. It runs with
// MPC_BENCH=1.
func TestBenchBlockInterval(t *testing.T) {
	whenAsked(t)
	ctx, cancel := context.WithTimeout(context.Background(), benchTimeLimit)
	defer cancel()
	n := intervalNetwork(t, ctx, onePreparams, 0)
	key := n.makeKey(ctx, "key", 2)
	n.fullPreparams(ctx)
	var idle, busy intervals
	var signed int
	var worked time.Duration
	for turn := range measuredTurns {
		idle.add(n.stretch(ctx, measuredBlocks))

		l := fullLoad{network: n, key: key, name: fmt.Sprint("load-", turn), asked: make(map[string][]byte)}
		l.ask(ctx, loadAtOnce)
		from := l.newest + 1 // the first block after the one that brought work
		l.keep(ctx, from+measuredBlocks)
		under := measure(t, ctx, n.Node(0), from, from+measuredBlocks)
		n.awaitSignatures(ctx, key, l.asked)
		signed += l.decidedIn(ctx, from, from+measuredBlocks)
		worked += under.sum()
		busy.add(under)
	}
	fmt.Printf("bench signatures-under-load signed=%d per-second=%.2f open=%d-to-%d blocks=%d failed-rounds=%d cores=%d\n",
		signed, float64(signed)/worked.Seconds(), loadAtOnce/2, loadAtOnce, len(busy.all), busy.failed(), twoCores)
	reportIntervals(t, "block-interval-p95", busy, idle, measuredTurns)
}

// fullLoad are signatures that are asked for so that nodes never wait for more.
type fullLoad struct {
	*network
	key   mpctypes.Key
	name  string
	asked map[string][]byte
	// newest is the height of what was asked for last.
	newest int64
}

func (l *fullLoad) ask(ctx context.Context, more int) {
	l.t.Helper()
	some := digests(fmt.Sprintf("%s-%d", l.name, len(l.asked)), more)
	l.askSignatures(ctx, l.key.Id, some)
	maps.Copy(l.asked, some)
	l.newest = l.height(ctx)
}

// keep asks for more until there is a block.
func (l *fullLoad) keep(ctx context.Context, height int64) {
	l.t.Helper()
	l.eventually(ctx, fmt.Sprintf("block %d under load", height), func() bool {
		s, err := l.Node(0).MPC().Status(ctx)
		require.NoError(l.t, err)
		if s.Height >= l.newest && s.OpenRequests <= loadAtOnce/2 {
			l.ask(ctx, loadAtOnce/2)
		}
		return l.height(ctx) >= height
	})
}

// decidedIn counts what was decided after one block, up to another.
func (l *fullLoad) decidedIn(ctx context.Context, after, upTo int64) (n int) {
	l.t.Helper()
	for id := range l.asked {
		if h := l.decided(ctx, id).DecidedHeight; h > after && h <= upTo {
			n++
		}
	}
	return n
}

// TestBenchFillInterval compares the time between blocks while all nodes make
// presignatures and look for pre-parameters, as much as they can, with that of an idle
// network just before. It runs with MPC_BENCH=1.
func TestBenchFillInterval(t *testing.T) {
	whenAsked(t)
	ctx, cancel := context.WithTimeout(context.Background(), benchTimeLimit)
	defer cancel()
	var idle, busy intervals
	t.Run("idle", func(t *testing.T) {
		n := intervalNetwork(t, ctx, onePreparams, 0)
		n.fullPreparams(ctx)
		idle = n.stretch(ctx, measuredBlocks)
	})
	t.Run("filling", func(t *testing.T) {
		n := intervalNetwork(t, ctx, mpcnode.MaxPreparamsTarget, mpctypes.MaxPresignTarget)
		n.makeKey(ctx, "key", 2)
		presignatures, preparams := n.stock(ctx)
		busy = n.stretch(ctx, 2*measuredBlocks)
		morePresignatures, morePreparams := n.stock(ctx)
		made, sets := morePresignatures-presignatures, morePreparams-preparams
		fmt.Printf("bench pools-filling presignatures=%d preparams=%d blocks=%d failed-rounds=%d cores=%d\n", made, sets, len(busy.all), busy.failed(), twoCores)
		require.Positive(t, made, "presignatures were made")
		require.Positive(t, sets, "pre-parameters were made")
	})
	reportIntervals(t, "fill-interval-p95", busy, idle, 1)
}

// stock is what all nodes together have ready.
func (n *network) stock(ctx context.Context) (presignatures, preparams int) {
	n.t.Helper()
	for i := range n.Len() {
		s, err := n.Node(i).MPC().Status(ctx)
		require.NoError(n.t, err)
		presignatures, preparams = presignatures+s.PresignaturesReady, preparams+s.Preparams
	}
	return presignatures, preparams
}
