package e2e

import (
	"context"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	coretypes "github.com/sequencer-mpc/sequencer/mpc/types"
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

// What the load asks for is understood, has the digest that is expected, and takes no place
// twice: a digest, a message and a transaction are among any three.
func TestLoadHasPayloads(t *testing.T) {
	l, kinds, places, forms := &load{}, coretypes.NewPayloadKinds(ethereum.Kinds()...), map[string]bool{}, map[string]int{}
	for i := range 9 {
		payload, digest, err := l.payload(i, fmt.Sprint("rolling-", i))
		require.NoError(t, err)
		typed := payload.GetTyped()
		if typed == nil {
			forms["digest"]++
			continue
		}
		forms[typed.Kind]++
		decoded, err := kinds.Decode(coretypes.Payload{Kind: typed.Kind, Data: typed.Data})
		require.NoError(t, err)
		want := decoded.Digest()
		require.Equal(t, want[:], digest)
		if place := decoded.Claims().Place; place != "" {
			require.False(t, places[place], place)
			places[place] = true
		}
	}
	require.Equal(t, map[string]int{"digest": 3, ethereum.MessageKind: 3, ethereum.TransactionKind: 3}, forms)
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

// payload is what the request of a number is for, in turn a digest as it is, a message and
// a transaction of an account that sends one after another, and its digest.
func (l *load) payload(number int, id string) (mpctypes.SignPayload, []byte, error) {
	switch number % 3 {
	case 1:
		return mpctypes.KindPayload(ethereum.MessageKind, []byte(id)), accounts.TextHash([]byte(id)), nil
	case 2:
		tx := ethtypes.NewTx(&ethtypes.DynamicFeeTx{
			ChainID: big.NewInt(11155111), Nonce: uint64(number / 3), To: new(common.Address), Gas: 21000, GasFeeCap: big.NewInt(1), GasTipCap: big.NewInt(1),
		})
		data, err := ethereum.UnsignedTransaction(tx, tx.ChainId())
		return mpctypes.KindPayload(ethereum.TransactionKind, data), ethtypes.LatestSignerForChainID(tx.ChainId()).Hash(tx).Bytes(), err
	}
	digest := one(id)[id]
	return mpctypes.DigestPayload(digest), digest, nil
}

// ask sends one request and waits for its block; what it began it ends.
func (l *load) ask(id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	payload, digest, err := l.payload(len(l.asked), id)
	if err != nil {
		return err
	}
	_, err = l.requester.Send(ctx, sdk.Msg(&mpctypes.MsgKeySign{
		Requester: l.requester.Address, SignatureId: id, KeyId: l.key, Payload: payload,
	}))
	if err != nil {
		return fmt.Errorf("ask for %s: %w", id, err)
	}
	l.asked[id] = digest
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
