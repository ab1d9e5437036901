package mpcnode

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	chaintest "github.com/sequencer-mpc/sequencer/testutil/chain"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// toldOf are the lines that a block's events are worth in the log, and what was counted.
func toldOf(t *testing.T, block *abci.ResponseFinalizeBlock) (lines []string, counted map[string]float64) {
	t.Helper()
	var out bytes.Buffer
	m := newMetrics("seq-1")
	for _, look := range (&member{metrics: m, log: slog.New(slog.NewTextHandler(&out, nil))}).blockLooks() {
		look(7, block)
	}
	counted = make(map[string]float64)
	for _, c := range happened(gather(t, m)["sequencer_mpc_keys_not_reshared_total"]) {
		counted[labels(c)["reason"]] = c.GetCounter().GetValue()
	}
	return strings.FieldsFunc(out.String(), func(r rune) bool { return r == '\n' }), counted
}

// What the module says of a key that is reshared to fewer if who is jailed does not come back is
// in the log of a node and in its metrics, once.
func TestEndangeredKeyIsToldOf(t *testing.T) {
	f := chaintest.New(t, 4)
	f.ReadyKey("k", 2)
	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	params.AutoReshare = true
	_, err = f.Msg.UpdateParams(f.Ctx, &mpcmodule.MsgUpdateParams{Authority: f.Authority, Params: params})
	require.NoError(t, err)
	f.Participants[0].Jail()
	f.EndBlocks(f.Ctx.BlockHeight() + 1)
	block := &abci.ResponseFinalizeBlock{Events: f.Ctx.EventManager().ABCIEvents()}
	for i := range block.Events {
		block.Events[i].Attributes = append(block.Events[i].Attributes, sdkMode)
	}

	lines, counted := toldOf(t, block)
	require.Equal(t, map[string]float64{"too_few_participants": 1}, counted)
	require.Len(t, lines, 1)
	for _, said := range []string{
		"level=WARN", "key=k ", "height=7 ", "reason=too_few_participants ", "able=3 participants=4 threshold=2 ",
		f.Participants[0].Operator, "is reshared to fewer at height", types.ErrTooFewParticipants.Remedy(),
		"sequencerd query mpc key k", "MPCKeyNotReshared",
	} {
		require.Contains(t, lines[0], said)
	}
}

// Each event is counted, in transactions too; of a block with very many some are logged, and how
// many are not. No event makes a label of its own.
func TestManyEndangeredKeys(t *testing.T) {
	reasons := append(mpcmodule.EndangeredReasons(), "made_up", "")
	block := &abci.ResponseFinalizeBlock{TxResults: []*abci.ExecTxResult{{}, {}}}
	for i := range 4 * maxEndangeredLogged {
		e := typedEvent(t, &mpcmodule.EventKeyEndangered{
			KeyId: fmt.Sprintf("k%02d", i), Reason: "what is wrong", TypedReason: string(reasons[i%len(reasons)]),
		})
		block.TxResults[i%2].Events = append(block.TxResults[i%2].Events, e)
	}
	block.Events = append(hookEvents(t, 2), abci.Event{Type: eventKeyEndangered, Attributes: []abci.EventAttribute{{Key: "able", Value: `"many"`}}})

	lines, counted := toldOf(t, block)
	require.Len(t, counted, len(mpcmodule.EndangeredReasons())+1)
	for _, reason := range mpcmodule.EndangeredReasons() {
		require.InDelta(t, 10, counted[string(reason)], 0, reason)
	}
	require.InDelta(t, 21, counted["unknown"], 0)
	require.Len(t, lines, maxEndangeredLogged+1)
	require.Contains(t, lines[0], "level=ERROR")
	require.Contains(t, lines[0], "cannot be read")
	require.Contains(t, lines[1], "key=k00 ")
	require.Contains(t, lines[maxEndangeredLogged], "more=61 ")
	require.Contains(t, lines[maxEndangeredLogged], "sequencerd query block-results 7")

	lines, counted = toldOf(t, &abci.ResponseFinalizeBlock{Events: hookEvents(t, 2)})
	require.Empty(t, lines)
	require.Empty(t, counted)
}

// The reasons are there before the first event, which increase() would not see otherwise.
func TestEndangeredReasonsBegin(t *testing.T) {
	there := gather(t, newMetrics("seq-1"))["sequencer_mpc_keys_not_reshared_total"]
	require.Len(t, there.GetMetric(), len(mpcmodule.EndangeredReasons())+1)
	require.Empty(t, happened(there))
}
