package abci_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	cmtabci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	cosmoslog "cosmossdk.io/log/v2"

	"github.com/sequencer-mpc/sequencer/x/mpc/abci"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// logLine is one of the log.
type logLine struct {
	Level, Message, Err, Stack string
}

// logged runs what logs and returns the lines.
func logged(t *testing.T, run func(cosmoslog.Logger)) []logLine {
	t.Helper()
	var out bytes.Buffer
	run(cosmoslog.NewLogger(&out, cosmoslog.OutputJSONOption()))
	var lines []logLine
	for decoder := json.NewDecoder(&out); decoder.More(); {
		var l logLine
		require.NoError(t, decoder.Decode(&l))
		lines = append(lines, l)
	}
	return lines
}

// What a result is left out for is everyday if it has a reason, and to be reported if
// it has none; of a panic the stack is there.
func TestLogOfResultsLeftOut(t *testing.T) {
	c := newScene(t)
	block := &cmtabci.RequestFinalizeBlock{Height: 2, Txs: [][]byte{bundle(t, c.results)}}
	late := types.ErrAlreadyDecided.Wrap("before")
	spoiled := func(fail func() error) func(*testing.T) {
		return func(t *testing.T) {
			c.Spoiled = func([]byte) error { return fail() }
			t.Cleanup(func() { c.Spoiled = nil })
		}
	}
	for name, tt := range map[string]struct {
		keeper  abci.Keeper
		prepare func(*testing.T)
		reason  bool
		stack   bool
	}{
		"reason":              {keeper: brokenKeeper{err: late}, reason: true},
		"error":               {keeper: brokenKeeper{}},
		"panic":               {keeper: brokenKeeper{panics: true}, stack: true},
		"store that fails":    {keeper: c.Keeper, prepare: spoiled(func() error { return errors.New("no disk") })},
		"store that panics":   {keeper: c.Keeper, prepare: spoiled(func() error { panic("no disk") }), stack: true},
		"panic with a reason": {keeper: brokenKeeper{panics: true, err: late}, stack: true},
	} {
		for phase, run := range map[string]func(*abci.Handlers){
			"a result of the block's bundle is skipped": func(h *abci.Handlers) {
				_, err := h.PreBlocker(nil)(c.Ctx, block)
				require.NoError(t, err)
			},
			"a result does not go into the bundle": func(h *abci.Handlers) {
				resp, err := h.PrepareProposal(all)(c.Ctx, &cmtabci.RequestPrepareProposal{MaxTxBytes: roomy})
				require.NoError(t, err)
				require.Empty(t, resp.Txs)
			},
		} {
			t.Run(name+"/"+phase, func(t *testing.T) {
				if tt.prepare != nil {
					tt.prepare(t)
				}
				lines := logged(t, func(l cosmoslog.Logger) { run(abci.NewHandlers(paramsOf{tt.keeper}, source(c.results), l)) })
				left, stacks := 0, 0
				for _, l := range lines {
					if l.Stack != "" {
						stacks++
						require.Equal(t, "error", l.Level)
						require.Contains(t, l.Message, "please report this")
						require.Contains(t, l.Stack, "abci")
						continue
					}
					left++
					want := logLine{Level: "error", Message: phase + "; please report this", Err: l.Err}
					if tt.reason {
						want = logLine{Level: "debug", Message: phase, Err: l.Err}
					}
					require.Equal(t, want, l)
				}
				require.Equal(t, 6, left, "each result")
				require.Equal(t, tt.stack, stacks > 0)
			})
		}
	}
}

// paramsOf has parameters that can be read, whatever else is broken.
type paramsOf struct{ abci.Keeper }

func (paramsOf) Params(context.Context) (types.Params, error) { return types.DefaultParams(), nil }
