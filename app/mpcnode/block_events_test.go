package mpcnode

import (
	"context"
	"log/slog"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/libs/pubsub"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// sdkMode is what the SDK adds to each event of a block's end, and is no JSON.
var sdkMode = abci.EventAttribute{Key: "mode", Value: "EndBlock", Index: true}

// typedEvent is an event of a block's end.
func typedEvent(t *testing.T, message proto.Message) abci.Event {
	t.Helper()
	e, err := sdk.TypedEventToEvent(message)
	require.NoError(t, err)
	e.Attributes = append(e.Attributes, sdkMode)
	return abci.Event(e)
}

// hookEvents are what a block has of so many hooks that failed, among others.
func hookEvents(t *testing.T, failed int) []abci.Event {
	t.Helper()
	events := []abci.Event{typedEvent(t, &mpcmodule.EventKeyDeleted{KeyId: "k"})}
	for range failed {
		events = append(events, typedEvent(t, &mpcmodule.EventHookFailed{Module: "settlement", Hook: "AfterKeyReady", Id: "k", Error: "out of gas"}))
	}
	return events
}

// watchedBus says when somebody subscribed.
type watchedBus struct {
	*cmttypes.EventBus
	subscribed chan struct{}
}

func (b watchedBus) Subscribe(ctx context.Context, subscriber string, query pubsub.Query, capacity ...int) (cmttypes.Subscription, error) {
	s, err := b.EventBus.Subscribe(ctx, subscriber, query, capacity...)
	b.subscribed <- struct{}{}
	return s, err
}

// Hooks that failed are counted in the blocks of the node's own bus, also after it gave up on
// who counts because it was slow, or somebody else who looks at the events panicked.
func TestFailedHooksAreCounted(t *testing.T) {
	bus := watchedBus{cmttypes.NewEventBus(), make(chan struct{})}
	require.NoError(t, bus.Start())
	t.Cleanup(func() { require.NoError(t, bus.Stop()) })
	m := newMetrics("seq-1")
	total := func() float64 {
		return gather(t, m)["sequencer_mpc_hooks_failed_total"].Metric[0].GetCounter().GetValue()
	}
	require.Zero(t, total(), "it is there before the first one")
	counted := make(chan int)
	now := time.Unix(1_800_000_000, 0)
	blocks := &blockEvents{bus, []blockLook{
		func(int64, *abci.ResponseFinalizeBlock) { panic("a mistake") },
		failedHooks(func(failed int) { m.hooksFailed(failed); counted <- failed }),
	}, slog.New(slog.DiscardHandler), func() time.Time { return now }}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- blocks.run(ctx) }()
	publishOf := func(age time.Duration, inBlock, inTx int) {
		t.Helper()
		result := abci.ResponseFinalizeBlock{Events: hookEvents(t, inBlock), TxResults: []*abci.ExecTxResult{{}, {Events: hookEvents(t, inTx)}}}
		block := cmttypes.MakeBlock(1, []cmttypes.Tx{{1}, {2}}, &cmttypes.Commit{}, nil)
		block.Time = now.Add(-age)
		require.NoError(t, bus.PublishEventNewBlock(cmttypes.EventDataNewBlock{Block: block, ResultFinalizeBlock: result}))
	}
	publish := func(inBlock, inTx int) {
		t.Helper()
		publishOf(time.Second, inBlock, inTx)
	}
	<-bus.subscribed
	publish(0, 0)
	require.Zero(t, <-counted)
	publish(1, 2)
	require.Equal(t, 3, <-counted)
	publishOf(oldBlock+1, 2, 2)
	publishOf(oldBlock, 0, 0)
	require.Zero(t, <-counted, "a node that catches up does not count what failed long ago")

	for range blocksBehind + 3 { // one is being counted, and one may be on its way
		publish(0, 0)
	}
	for again := false; !again; {
		select {
		case <-counted:
		case <-bus.subscribed:
			again = true
		}
	}
	publish(0, 1)
	failed := 0
	for failed == 0 { // some of the many may have come to the new subscription
		failed = <-counted
	}
	require.Equal(t, 1, failed)
	require.InDelta(t, 4, total(), 0)

	cancel()
	require.NoError(t, <-done)
	require.Zero(t, bus.NumClientSubscriptions(blockEventsSubscriber))
}
