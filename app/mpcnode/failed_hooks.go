package mpcnode

import (
	"context"
	"log/slog"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/libs/pubsub"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/cosmos/gogoproto/proto"

	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// blocksBehind is how many blocks may wait to be looked at for hooks that failed: more than
// come at once while a node catches up. Whoever publishes them does not wait.
const blocksBehind = 200

// oldBlock is how old a block is that a node executes while it catches up, and in which nothing
// is new: its hooks failed when others counted them. The alert looks back as far.
const oldBlock = time.Hour

// blockEvents tells of blocks that were executed. A node's event bus is one.
type blockEvents interface {
	Subscribe(ctx context.Context, subscriber string, query pubsub.Query, capacity ...int) (cmttypes.Subscription, error)
	UnsubscribeAll(ctx context.Context, subscriber string) error
}

// failedHooks counts the hooks of modules that failed, in the events of blocks: what executes
// a block counts nothing, and may execute it more than once. Old blocks, whose events look
// like those of new ones, are left out.
type failedHooks struct {
	events blockEvents
	count  func(failed int)
	log    *slog.Logger
	now    func() time.Time
}

const failedHooksSubscriber = "mpc-failed-hooks"

// run counts until the context ends. A subscription that is lost is made anew.
func (h *failedHooks) run(ctx context.Context) error {
	for ctx.Err() == nil {
		blocks, err := h.events.Subscribe(ctx, failedHooksSubscriber, cmttypes.EventQueryNewBlock, blocksBehind)
		if err != nil {
			if ctx.Err() == nil {
				h.log.Error("hooks that fail are not counted", "err", err)
			}
			return nil
		}
		if err := h.follow(ctx, blocks); err != nil {
			h.log.Warn("some blocks were not looked at for hooks that failed", "err", err)
		}
		_ = h.events.UnsubscribeAll(context.WithoutCancel(ctx), failedHooksSubscriber) // it may be gone
	}
	return nil
}

// follow counts until the context or the subscription ends; an error is of the latter.
func (h *failedHooks) follow(ctx context.Context, blocks cmttypes.Subscription) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-blocks.Canceled():
			return blocks.Err()
		case message := <-blocks.Out():
			if block, ok := message.Data().(cmttypes.EventDataNewBlock); ok && h.now().Sub(block.Block.Time) <= oldBlock {
				h.count(countFailedHooks(&block.ResultFinalizeBlock))
			}
		}
	}
}

var eventHookFailed = proto.MessageName(&mpcmodule.EventHookFailed{})

// countFailedHooks looks at the events of a block and of its transactions.
func countFailedHooks(block *abci.ResponseFinalizeBlock) (n int) {
	count := func(events []abci.Event) {
		for i := range events {
			if events[i].Type == eventHookFailed {
				n++
			}
		}
	}
	count(block.Events)
	for _, tx := range block.TxResults {
		count(tx.Events)
	}
	return n
}
