package mpcnode

import (
	"context"
	"log/slog"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/libs/pubsub"
	cmttypes "github.com/cometbft/cometbft/types"
)

// blocksBehind is how many blocks may wait to be looked at: more than come at once while a node
// catches up. Whoever publishes them does not wait.
const blocksBehind = 200

// oldBlock is how old a block is that a node executes while it catches up, and in which nothing
// is new: others told of its events when they happened. Alerts look back as far.
const oldBlock = time.Hour

// blockBus tells of blocks that were executed. A node's event bus is one.
type blockBus interface {
	Subscribe(ctx context.Context, subscriber string, query pubsub.Query, capacity ...int) (cmttypes.Subscription, error)
	UnsubscribeAll(ctx context.Context, subscriber string) error
}

// blockLook looks for something in the events of a block.
type blockLook func(height int64, block *abci.ResponseFinalizeBlock)

// blockEvents shows the events of blocks to those who count and log some of them: what executes
// a block does neither, since it may execute it more than once and must not wait. Old blocks,
// whose events look like those of new ones, are left out.
type blockEvents struct {
	bus   blockBus
	looks []blockLook
	log   *slog.Logger
	now   func() time.Time
}

const blockEventsSubscriber = "mpc-block-events"

// run looks until the context ends. A subscription that is lost is made anew.
func (b *blockEvents) run(ctx context.Context) error {
	for ctx.Err() == nil {
		blocks, err := b.bus.Subscribe(ctx, blockEventsSubscriber, cmttypes.EventQueryNewBlock, blocksBehind)
		if err != nil {
			if ctx.Err() == nil {
				b.log.Error("hooks that fail and keys that get no reshare are not told of; start the node again", "err", err)
			}
			return nil
		}
		if err := b.follow(ctx, blocks); err != nil {
			b.log.Warn("some blocks were not looked at for hooks that failed and keys that get no reshare", "err", err)
		}
		_ = b.bus.UnsubscribeAll(context.WithoutCancel(ctx), blockEventsSubscriber) // it may be gone
	}
	return nil
}

// follow looks until the context or the subscription ends; an error is of the latter.
func (b *blockEvents) follow(ctx context.Context, blocks cmttypes.Subscription) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-blocks.Canceled():
			return blocks.Err()
		case message := <-blocks.Out():
			if block, ok := message.Data().(cmttypes.EventDataNewBlock); ok && b.now().Sub(block.Block.Time) <= oldBlock {
				b.show(block.Block.Height, &block.ResultFinalizeBlock)
			}
		}
	}
}

// show has everybody look at a block; one who panics keeps neither the others nor the node.
func (b *blockEvents) show(height int64, block *abci.ResponseFinalizeBlock) {
	for _, look := range b.looks {
		_ = safely(b.log, "events of a block", func() error { // it is in the log
			look(height, block)
			return nil
		})
	}
}

// eventsOf lists the events of a type that a block has, its own and those of its transactions.
func eventsOf(block *abci.ResponseFinalizeBlock, name string) (found []abci.Event) {
	add := func(events []abci.Event) {
		for i := range events {
			if events[i].Type == name {
				found = append(found, events[i])
			}
		}
	}
	add(block.Events)
	for _, tx := range block.TxResults {
		add(tx.Events)
	}
	return found
}
