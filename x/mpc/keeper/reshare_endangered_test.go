package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// A key that has no reshare because one is not possible says so itself, for as long as that is
// so, and the module tells of it again in the block that it names.
func TestKeyThatCannotBeResharedSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		leave, comeBack func(*testing.T, *chain.Fixture, *chain.Participant)
		who             []int
		why             string
	}{
		"too few are left": {
			who: []int{0, 1, 4}, why: "too_few_participants: ",
			leave:    leavings["unbonding"],
			comeBack: func(_ *testing.T, _ *chain.Fixture, p *chain.Participant) { p.Staked.Status = stakingtypes.Bonded },
		},
		"too few can deal": {
			who: []int{0, 1}, why: "2 have an identity: too_few_participants: ",
			leave: leavings["revoked"],
			comeBack: func(_ *testing.T, f *chain.Fixture, p *chain.Participant) {
				p.Identity = chain.IdentityKey("again " + p.Operator)
				f.Register(p)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := autoResharing(t)
			setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks = 50 })
			for _, i := range c.who {
				c.leave(t, f, f.Participants[i])
			}
			f.Events(&types.EventKeyEndangered{})
			for _, height := range []int64{11, 61, 111} {
				f.EndBlocks(height - 1)
				require.Zero(t, f.Events(&types.EventKeyEndangered{}))
				f.EndBlocks(height)
				require.Contains(t, reasonOf(t, f, &types.EventKeyEndangered{}), c.why)
				require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
				key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
				require.Equal(t, height+49, key.EndangeredHeight)
				require.Equal(t, height+49, key.AutoReshareHeight)
				require.NoError(t, key.Validate())
			}
			for _, i := range c.who {
				c.comeBack(t, f, f.Participants[i])
			}
			f.EndBlocks(161)
			require.Zero(t, f.Events(&types.EventKeyEndangered{}))
			require.Zero(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").EndangeredHeight)
		})
	}
}

// A key that waits long for room is reported, and asked for as soon as there is some.
func TestKeyThatWaitsIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		fill func(*testing.T, *chain.Fixture)
		free func(*testing.T, *chain.Fixture)
		why  string
	}{
		"the owner's": {
			fill: func(t *testing.T, f *chain.Fixture) {
				setParams(t, f, func(p *types.Params) { p.MaxPendingPerRequester = 1 })
				f.KeyGen("pending", 2)
			},
			free: func(t *testing.T, f *chain.Fixture) {
				setParams(t, f, func(p *types.Params) { p.MaxPendingPerRequester = 2 })
			},
			why: "too_many_pending: ",
		},
		"the module's own": {
			fill: func(t *testing.T, f *chain.Fixture) {
				for i := range keeper.MaxOpenAutoReshares {
					f.ReadyKey(fmt.Sprint("a", i), 2)
				}
			},
			free: func(t *testing.T, f *chain.Fixture) {
				id := autoReshares(t, f, "a0")[0].Id
				_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: id})
				require.NoError(t, err)
			},
			why: "4 reshares that the module asked for are open, the limit: too_many_pending: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := autoResharing(t)
			setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks = 50 })
			c.fill(t, f)
			f.Participants[0].Jail()
			f.Events(&types.EventKeyEndangered{})
			f.EndBlocks(60)
			require.Zero(t, f.Events(&types.EventKeyEndangered{}), "it may have room soon")
			f.EndBlocks(61)
			events := f.Ctx.EventManager().Events()
			require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
			said, _ := events[len(events)-1].GetAttribute("reason")
			require.Contains(t, said.Value, c.why)
			f.EndBlocks(110)
			require.Zero(t, f.Events(&types.EventKeyEndangered{}))
			f.EndBlocks(111)
			require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
			require.Empty(t, autoReshares(t, f, "k"))
			c.free(t, f)
			f.EndBlocks(112)
			require.Len(t, autoReshares(t, f, "k"), 1)
			require.Zero(t, requireKey(t, f, "k", types.KEY_STATUS_READY, "").EndangeredHeight)
		})
	}
}
