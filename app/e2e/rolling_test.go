package e2e

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// rollingTimeLimit is twice what the test takes on two cores that others use, too.
	rollingTimeLimit = 15 * time.Minute
	// askedWhileAway are the requests that come while each node is stopped.
	askedWhileAway = 3
	// openAtOnce of them keep three nodes busy on two cores.
	openAtOnce = 3
)

// TestRollingRestart stops and starts the nodes one after another, as for an update of the
// program, while somebody asks for signatures all the time. Three of four sign, so
// everybody else must whenever one is away. No request fails.
func TestRollingRestart(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(context.Background(), rollingTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.BlockTime = shortBlocks
	n := startNetwork(t, ctx, cfg)
	key := n.makeKey(ctx, "rolling", 2)

	asking, stop := context.WithCancel(ctx)
	l := &load{network: n, key: key.Id, asked: make(map[string][]byte)}
	l.use(ctx, 0)
	var running sync.WaitGroup
	running.Go(func() { l.run(asking) })
	defer running.Wait()
	defer stop()

	for i := range n.Len() {
		l.use(ctx, (i+1)%n.Len())
		require.NoError(t, n.Node(i).Stop())
		before, _ := l.so()
		n.eventually(ctx, "requests while "+n.Node(i).Info().Name+" is away", func() bool {
			asked, err := l.so()
			require.NoError(t, err)
			return asked >= before+askedWhileAway
		})
		require.NoError(t, n.Node(i).Start())
		require.NoError(t, n.Node(i).WaitReady(ctx))
	}
	stop()
	running.Wait()
	require.NoError(t, l.err)
	n.connect() // to a node that was restarted, too
	n.awaitSignatures(ctx, key, l.asked)
	require.GreaterOrEqual(t, len(l.asked), askedWhileAway*n.Len())
	t.Logf("%d signatures, none failed", len(l.asked))
}

// load asks for one signature after another, over a node that is up.
type load struct {
	network *network
	key     string

	mu        sync.Mutex
	requester *localnet.Account
	asked     map[string][]byte
	err       error
}

// use sends over another node from now on, when it has the block that the last one was at:
// before, it does not know what its account sent.
func (l *load) use(ctx context.Context, node int) {
	t := l.network.t
	t.Helper()
	requester, err := l.network.Requester(node)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, requester.Close()) })
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.requester != nil {
		height, err := l.network.Node((node + l.network.Len() - 1) % l.network.Len()).Status(ctx)
		require.NoError(t, err)
		require.NoError(t, l.network.Node(node).WaitHeight(ctx, height.Height))
	}
	l.requester = requester
}

// so says how many requests there were, and the error that ended them.
func (l *load) so() (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.asked), l.err
}

// run ends with its context, or with the first request that the chain does not take.
func (l *load) run(ctx context.Context) {
	for i := 0; ctx.Err() == nil; i++ {
		if err := l.next(ctx, fmt.Sprintf("rolling-%d", i)); err != nil {
			l.mu.Lock()
			l.err = err
			l.mu.Unlock()
			return
		}
	}
}

// ask sends one request and waits for its block; what it began it ends.
func (l *load) ask(id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	digest := one(id)
	_, err := l.requester.Send(ctx, sdk.Msg(&mpctypes.MsgKeySign{
		Requester: l.requester.Address, SignatureId: id, KeyId: l.key,
		Payload: mpctypes.DigestPayload(digest[id]),
	}))
	if err != nil {
		return fmt.Errorf("ask for %s: %w", id, err)
	}
	maps.Copy(l.asked, digest)
	return nil
}

// next asks when there is room for one more, unless it is the end.
func (l *load) next(ctx context.Context, id string) error {
	if err := l.busy(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	return l.ask(id)
}

// busy waits while enough requests are open.
func (l *load) busy(ctx context.Context) error {
	for {
		l.mu.Lock()
		open, err := l.requester.Query.PendingRequests(ctx, &mpctypes.QueryPendingRequestsRequest{})
		l.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the load ended while it asked
		case err != nil:
			return fmt.Errorf("list open requests: %w", err)
		case len(open.Requests) < openAtOnce:
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(look):
		}
	}
}
