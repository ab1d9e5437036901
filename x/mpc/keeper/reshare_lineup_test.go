package keeper_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Who is taken last to deal, since it did not come, is asked until t+1 are there who have a
// share, and who has none only where that is not enough.
func TestAutoReshareLinesUpShares(t *testing.T) {
	for name, c := range map[string]struct {
		leave, missing, revoked []int // of five, the first two of whom are accused
		dealers                 []int // beside the new committee
		reason                  string
	}{
		"all of the new committee have shares": {leave: []int{4}, dealers: []int{4}},
		"one of it has none":                   {missing: []int{2}, dealers: []int{0}},
		"nor has one who comes last":           {missing: []int{0, 2}, dealers: []int{1}},
		"nor has who left":                     {leave: []int{4}, missing: []int{4}, dealers: []int{0, 4}},
		"nor has who left and comes last":      {leave: []int{0, 4}, missing: []int{0, 4}, dealers: []int{1, 4}},
		"one who comes last revoked":           {missing: []int{2}, revoked: []int{0}, dealers: []int{1}},
		"too few have shares":                  {missing: []int{0, 2}, revoked: []int{1}, reason: "too_few_signers: "},
	} {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 5)
			f.ReadyKey("k", 2)
			holders := f.Sorted() // equals are taken in the order of their addresses
			f = withAccused(t, f, 1, holders[:2]...)
			for i, p := range holders {
				holders[i] = p.On(f)
			}
			for i := 5; i < 7; i++ {
				f.Register(f.AddValidator(i))
			}
			f.EndBlocks(60)
			for _, i := range c.leave {
				holders[i].Jail()
			}
			for _, i := range c.missing {
				miss(t, f, holders[i])
			}
			for _, i := range c.revoked {
				require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, holders[i].Operator))
			}
			setParams(t, f, func(p *types.Params) { p.AutoReshare, p.AutoResharePauseBlocks = true, 5 })
			f.Events(&types.EventKeyEndangered{})
			f.EndBlocks(61)
			require.Contains(t, reasonOf(f, &types.EventKeyEndangered{}), c.reason)
			if c.reason != "" {
				require.Empty(t, autoReshares(t, f, "k"))
				return
			}
			all := autoReshares(t, f, "k")
			require.Len(t, all, 1)
			var want, dealers []string
			for _, i := range c.dealers {
				want = append(want, holders[i].Operator)
			}
			for _, m := range engineRequest(t, f, mpctypes.KindReshare, all[0].Id).Members {
				if !slices.Contains(all[0].Participants, string(m.Operator)) {
					dealers = append(dealers, string(m.Operator))
				}
			}
			require.ElementsMatch(t, want, dealers)
		})
	}
}
