package mpcnode

import (
	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/gogoproto/proto"

	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

var eventHookFailed = proto.MessageName(&mpcmodule.EventHookFailed{})

// failedHooks is a blockLook that counts the hooks of modules that failed; the module logs them.
func failedHooks(count func(failed int)) blockLook {
	return func(_ int64, block *abci.ResponseFinalizeBlock) { count(len(eventsOf(block, eventHookFailed))) }
}
