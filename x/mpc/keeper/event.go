package keeper

import (
	"context"

	"github.com/cosmos/gogoproto/proto"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// emit adds a typed event. It can fail only on a message that was not generated
// with its descriptor, which every test that emits it would show; events are no
// part of the state, so this is not worth failing a block.
func (k *Keeper) emit(ctx context.Context, event proto.Message) {
	if err := sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(event); err != nil {
		k.logger(ctx).Error("an event could not be encoded", "event", proto.MessageName(event), "err", err)
	}
}
