package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// A newcomer that revokes its identity to end the reshare is not taken again when it is
// back, be the shares staged or not; the key waits no longer for that each time, and is
// reported.
func TestRevokerIsLeftOut(t *testing.T) {
	for name, staged := range map[string]bool{"PENDING": false, "TESTING": true} {
		t.Run(name, func(t *testing.T) {
			f, secret := autoResharing(t)
			weaker := f.AddValidator(5)
			f.Register(weaker)
			f.Participants[0].Jail()
			f.EndBlocks(11)
			r := requireReshare(t, f, types.AutoReshareID("k", 10), types.RESHARE_STATUS_PENDING, "")
			revoker := f.Participants[4]
			require.Equal(t, []string{revoker.Operator}, newcomers(r))
			if staged {
				f.Stage(r.Id, secret)
			}
			f.Events(&types.EventKeyEndangered{})
			for i, again := range []string{"again", "once more"} {
				require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, revoker.Operator))
				revoker.Identity = chain.IdentityKey(again)
				f.Register(revoker)
				f.EndBlocks(f.Ctx.BlockHeight() + 1)
				if i > 0 {
					break
				}
				requireReshare(t, f, r.Id, types.RESHARE_STATUS_ERROR, "identity_revoked")
				require.Equal(t, 1, f.Events(&types.EventKeyEndangered{}))
				key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
				require.NoError(t, key.Validate())
				require.EqualValues(t, 1, key.FailedReshares)
				require.Equal(t, []string{revoker.Operator}, key.AbsentOperators())
				f.EndBlocks(key.AutoReshareHeight + 1)
				r = requireReshare(t, f, types.AutoReshareID("k", key.AutoReshareHeight), types.RESHARE_STATUS_PENDING, "")
				require.Equal(t, []string{weaker.Operator}, newcomers(r))
			}
			requireReshare(t, f, r.Id, types.RESHARE_STATUS_PENDING, "")
		})
	}
}

// A participant that does so with the reshare that it should deal to is not asked to deal
// next time either, as long as t+1 others can.
func TestRevokerDealsLast(t *testing.T) {
	f, _ := autoResharing(t)
	f.Register(f.AddValidator(5))
	f.Participants[0].Jail()
	f.EndBlocks(11)
	revoker := f.Participants[1]
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, revoker.Operator))
	revoker.Identity = chain.IdentityKey("again")
	f.Register(revoker)
	f.EndBlocks(12)
	key := requireKey(t, f, "k", types.KEY_STATUS_READY, "")
	f.EndBlocks(key.AutoReshareHeight + 1)
	r := requireReshare(t, f, types.AutoReshareID("k", key.AutoReshareHeight), types.RESHARE_STATUS_PENDING, "")
	require.NotContains(t, r.Participants, revoker.Operator)
	require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, revoker.Operator))
	f.EndBlocks(key.AutoReshareHeight + 2)
	requireReshare(t, f, r.Id, types.RESHARE_STATUS_PENDING, "")
}
