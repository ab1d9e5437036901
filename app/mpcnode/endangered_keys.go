package mpcnode

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/gogoproto/proto"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// maxEndangeredLogged bounds the lines of one block; the rest is counted. A block's end looks at
// 10 keys, and what participants say of their shares, or a reshare that fails, adds some.
const maxEndangeredLogged = 20

// reasonUnknown labels a reason that is none of the module's.
const reasonUnknown types.Reason = "unknown"

var eventKeyEndangered = proto.MessageName(&mpcmodule.EventKeyEndangered{})

// endangeredKeys logs and counts what the module tells of keys that need a reshare and get none
// by itself. What is wrong with each is in committed state too, but nobody looks there unasked.
type endangeredKeys struct {
	count func(types.Reason)
	log   *slog.Logger
}

// look is a blockLook.
func (k endangeredKeys) look(height int64, block *abci.ResponseFinalizeBlock) {
	events := eventsOf(block, eventKeyEndangered)
	for i, raw := range events {
		e, err := readEndangered(raw)
		k.count(endangeredReason(e))
		switch {
		case i >= maxEndangeredLogged:
		case err != nil:
			k.log.Error("an event of a key that gets no reshare cannot be read; please report this", "height", height, "err", err)
		default:
			k.tell(height, e)
		}
	}
	if more := len(events) - maxEndangeredLogged; more > 0 {
		k.log.Warn("more keys need a reshare and get none by themselves; the events of the block have all of them", "height", height, "more", more,
			"remedy", types.ForProgram(fmt.Sprintf("sequencerd query block-results %d", height)))
	}
}

func (k endangeredKeys) tell(height int64, e *mpcmodule.EventKeyEndangered) {
	k.log.Warn("a key needs a reshare and gets none by itself",
		"key", e.KeyId, "owner", e.Owner, "height", height, "reason", endangeredReason(e), "detail", e.Reason,
		"able", e.Able, "participants", e.Participants, "threshold", e.Threshold,
		"remedy", types.ForProgram(fmt.Sprintf("look at sequencerd query mpc key %s, and see MPCKeyNotReshared in the runbook", e.KeyId)))
}

// readEndangered makes the event of its attributes. The SDK adds some that are not the event's,
// and of those the mode of a block's end is no JSON.
func readEndangered(raw abci.Event) (*mpcmodule.EventKeyEndangered, error) {
	raw.Attributes = slices.DeleteFunc(slices.Clone(raw.Attributes), func(a abci.EventAttribute) bool { return !json.Valid([]byte(a.Value)) })
	message, err := sdk.ParseTypedEvent(raw)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", raw.Type, err)
	}
	e, ok := message.(*mpcmodule.EventKeyEndangered)
	if !ok {
		return nil, fmt.Errorf("read %s: it is a %T", raw.Type, message)
	}
	return e, nil
}

// endangeredReason is one of a closed set, since it is the label of a metric. The event is nil
// if it could not be read.
func endangeredReason(e *mpcmodule.EventKeyEndangered) types.Reason {
	if e != nil && slices.Contains(mpcmodule.EndangeredReasons(), types.Reason(e.TypedReason)) {
		return types.Reason(e.TypedReason)
	}
	return reasonUnknown
}
