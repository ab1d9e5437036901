package cmd

import (
	"bytes"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// waitingKeys are the keys that the runbook's line on keys that wait for a reshare lists, asked
// of what the chain has.
func waitingKeys(t *testing.T, f *chain.Fixture) []string {
	t.Helper()
	line := regexp.MustCompile(`(?s)sequencerd query mpc keys --status ready --page-limit 1000 -o json \| jq -r '([^']+)'`).
		FindStringSubmatch(readText(t, "app/ops/RUNBOOK.md"))
	require.Len(t, line, 2)
	answer, err := f.Query.Keys(f.Ctx, &mpctypes.QueryKeysRequest{Status: mpctypes.KEY_STATUS_READY})
	require.NoError(t, err)
	text, err := app.NewTool().Codec.MarshalJSON(answer)
	require.NoError(t, err)
	jq := exec.CommandContext(t.Context(), "jq", "-r", line[1])
	jq.Stdin = bytes.NewReader(text)
	out, err := jq.Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}

// The runbook's line names each key that the chain tells of, and no other one.
func TestRunbookListsKeysThatWait(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("there is no jq, with which the runbook lists keys")
	}
	for name, c := range map[string]struct {
		change func(f *chain.Fixture, p *mpctypes.Params)
		want   []string
	}{
		"healthy": {func(*chain.Fixture, *mpctypes.Params) {}, nil},
		"too few are left": {func(f *chain.Fixture, _ *mpctypes.Params) {
			for _, p := range f.Participants[:3] {
				p.Staked.Status = stakingtypes.Unbonded
			}
		}, []string{"k"}},
		"nobody is there to add":   {func(_ *chain.Fixture, p *mpctypes.Params) { p.AutoReshareMargin = 3 }, []string{"k"}},
		"one left, it is reshared": {func(f *chain.Fixture, _ *mpctypes.Params) { f.Participants[0].Jail() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 5)
			f.ReadyKey("k", 2)
			params, err := f.Keeper.Params(f.Ctx)
			require.NoError(t, err)
			params.AutoReshare = true
			c.change(f, &params)
			require.NoError(t, f.Keeper.SetParams(f.Ctx, params))
			f.Events(&mpctypes.EventKeyEndangered{})
			f.EndBlocks(3)
			told := f.Events(&mpctypes.EventKeyEndangered{}) > 0
			require.Equal(t, c.want != nil, told)
			require.ElementsMatch(t, c.want, waitingKeys(t, f))
		})
	}
}
