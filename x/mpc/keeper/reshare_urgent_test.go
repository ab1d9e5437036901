package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// failed is a chain with auto_reshare on and a pause of 50 blocks, on which three reshares of
// the key k failed, one after the other: its first participant is jailed, of four. It tells
// the height at which the last one failed, and that before which the key is left alone.
func failed(t *testing.T) (f *chain.Fixture, at, until int64) {
	t.Helper()
	f, _ = autoResharing(t)
	setParams(t, f, func(p *types.Params) {
		p.AutoResharePauseBlocks, p.ReshareLifetimeBlocks, p.ReshareAttemptBlocks = 50, 5, 2
	})
	f.Participants[0].Staked.Status = stakingtypes.Unbonding
	for range 3 {
		key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
		f.EndBlocks(max(key.AutoReshareHeight, 10) + 6)
	}
	key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	require.Len(t, autoReshares(t, f, "k"), 3)
	require.EqualValues(t, 3, key.FailedReshares)
	at = f.Ctx.BlockHeight() - 1
	require.Equal(t, at+4*50, key.AutoReshareHeight)
	f.Events(&types.EventKeyEndangered{})
	return f, at, key.AutoReshareHeight
}

// Participants leave while the key is left alone. One pause after the failure it is reshared
// all the same where t+1 of them or fewer are left, once for each that left; if it is too
// late, it is reported.
func TestFewAreNotLeftAlone(t *testing.T) {
	for name, c := range map[string]struct {
		leave    int
		reshared bool
		reason   string
	}{
		"as many as at the failure": {},
		"t are left":                {leave: 1, reshared: true},
		"one is left":               {leave: 2, reason: "too_few"},
	} {
		t.Run(name, func(t *testing.T) {
			f, at, until := failed(t)
			for _, p := range f.Participants[1 : 1+c.leave] {
				p.Staked.Status = stakingtypes.Unbonding
			}
			f.EndBlocks(at + 50)
			require.Len(t, autoReshares(t, f, "k"), 3)
			f.EndBlocks(at + 52)
			if c.reshared {
				require.Len(t, autoReshares(t, f, "k"), 4)
				f.EndBlocks(until)
				require.Len(t, autoReshares(t, f, "k"), 4, "it failed, and nobody left since")
				return
			}
			f.EndBlocks(until)
			require.Len(t, autoReshares(t, f, "k"), 3)
			want := 0
			if c.reason != "" {
				want = 3
				require.Contains(t, reasonOf(t, f, &types.EventKeyEndangered{}), c.reason)
			}
			require.Equal(t, want, f.Events(&types.EventKeyEndangered{}), "once in each pause")
		})
	}
}

// Who comes and goes makes the module ask no more often than it fails.
func TestWhoComesAndGoesHastensOnce(t *testing.T) {
	f, at, until := failed(t)
	toggle := f.Participants[1]
	for height := at + 50; height < until; height += 10 {
		toggle.Staked.Status = stakingtypes.Unbonding
		f.EndBlocks(height + 2)
		unjail(toggle)
		f.EndBlocks(height + 10)
	}
	require.Len(t, autoReshares(t, f, "k"), 4)
}

// What the owner gives up, or takes back the deletion of, is no failure.
func TestGivenUpIsNoFailure(t *testing.T) {
	for name, give := range map[string]func(*testing.T, *chain.Fixture, string){
		"cancelled": func(t *testing.T, f *chain.Fixture, id string) {
			_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: f.Requester, ReshareId: id})
			require.NoError(t, err)
		},
		"deleted, and taken back": func(t *testing.T, f *chain.Fixture, _ string) {
			deleteK(t, f)
			f.EndBlocks(f.Ctx.BlockHeight() + 1)
			undeleteKey(t, f, "k")
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := autoResharing(t)
			setParams(t, f, func(p *types.Params) { p.AutoResharePauseBlocks, p.AutoReshareMargin = 50, 0 })
			f.Participants[0].Staked.Status = stakingtypes.Unbonding
			f.Participants[1].Staked.Status = stakingtypes.Unbonding
			f.Register(f.AddValidator(5))
			height := int64(10)
			for range 3 {
				f.EndBlocks(height + 1)
				id := requireKey(t, f, "k", types.KEY_STATUS_READY, "").ReshareId
				require.NotEmpty(t, id)
				require.Len(t, requireReshare(t, f, id, types.RESHARE_STATUS_PENDING, "").Participants, 4)
				give(t, f, id)
				key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
				require.Zero(t, key.FailedReshares)
				require.Empty(t, key.ReshareId)
				require.LessOrEqual(t, key.AutoReshareHeight, f.Ctx.BlockHeight()+50)
				height = key.AutoReshareHeight
			}
		})
	}
}
