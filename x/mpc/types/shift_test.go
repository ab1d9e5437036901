package types_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// Wherever a chain that starts anew has its first block, what was decided before it is no
// undecided thing there, and a key ends after its decision.
func TestShiftedDecisionsAreDecided(t *testing.T) {
	f := chain.New(t, 3)
	secret := f.ReadyKey("k", 1)
	asked := f.KeySign("s", "k", "text")
	result := secret.Sign("s", asked.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	decided, err := f.Keeper.Key(f.Ctx, "k")
	require.NoError(t, err)
	signed, err := f.Keeper.Signature(f.Ctx, "s")
	require.NoError(t, err)
	for blocks := -decided.RetireHeight - 2; blocks <= 2; blocks++ {
		key, s := decided, signed
		key.Shift(blocks)
		require.NotZero(t, key.DecidedHeight, "shifted by %d", blocks)
		require.NotZero(t, key.RetireHeight, "shifted by %d", blocks)
		require.NoError(t, key.Validate())
		require.InDelta(t, decided.RetireHeight+blocks, key.RetireHeight, 1)
		s.Shift(blocks)
		require.NotZero(t, s.DecidedHeight, "shifted by %d", blocks)
	}
	adjacent := decided
	adjacent.DecidedHeight, adjacent.RetireHeight = 10, 11
	for blocks := int64(-13); blocks <= 0; blocks++ {
		key := adjacent
		key.Shift(blocks)
		require.NoError(t, key.Validate())
	}
	pending := types.Signature{Status: types.SIGNATURE_STATUS_PENDING}
	pending.Shift(5)
	require.Zero(t, pending.DecidedHeight)
}

// endsOf are the heights of a key from which on something of it is over.
func endsOf(k *types.Key) map[string]*int64 {
	ends := map[string]*int64{
		"retire_height": &k.RetireHeight, "ready_retire_height": &k.ReadyRetireHeight, "staged_retire_height": &k.StagedRetireHeight,
		"auto_reshare_height": &k.AutoReshareHeight, "urgent_height": &k.UrgentHeight,
		"endangered_height": &k.EndangeredHeight, "return_height": &k.ReturnHeight,
	}
	for i := range k.EndedEpochs {
		ends[fmt.Sprint("ended_epochs ", i)] = &k.EndedEpochs[i].RetireHeight
	}
	for i := range k.Absentees {
		ends[fmt.Sprint("absentees ", i)] = &k.Absentees[i].UntilHeight
	}
	for i := range k.Repairs {
		ends[fmt.Sprint("repairs ", i)] = &k.Repairs[i].UntilHeight
	}
	return ends
}

// A chain may start anew at a lower height, and from there at a higher one: what was over stays
// over, what was not is as far away as it was, and the key can be exported and imported each time.
func TestKeysShiftDownAndUp(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("k", 1)
	made, err := f.Keeper.Key(f.Ctx, "k")
	require.NoError(t, err)
	const now = 50
	keyOf := func(end int64) types.Key {
		k := made
		k.Epoch, k.DecidedHeight, k.RetireHeight = 2, 10, end
		k.EndedEpochs = []types.EndedEpoch{{Epoch: 0, RetireHeight: end - 9}, {Epoch: 1, RetireHeight: end}}
		k.StagedRetireHeight, k.AutoReshareHeight, k.UrgentHeight = end+1, end+2, end+3
		k.EndangeredHeight, k.ReturnHeight = end+4, end+5
		k.FailedReshares, k.FailedAble, k.Awaited = 1, 1, k.Participants[:1]
		k.Absentees = []types.Absentee{{Operator: "a", UntilHeight: end + 6}}
		k.Repairs = []types.ShareRepair{{Operator: k.Participants[0], Times: 1, UntilHeight: end + 7}}
		return k
	}
	for _, end := range []int64{15, now - 8, now - 3, now, now + 1, now + 20} {
		for _, deleting := range []bool{false, true} {
			for down := int64(-now); down <= 0; down++ {
				for up := int64(0); up <= 2*now; up += 7 {
					k := keyOf(end)
					if deleting {
						require.NoError(t, k.Condemn(now+10))
					}
					file, before := k, make(map[string]int64)
					for name, height := range endsOf(&file) {
						before[name] = *height
					}
					for _, blocks := range []int64{down, up} {
						k.Shift(blocks)
						require.NoError(t, k.Validate(), "ends %d, %d down, %d up", end, down, up)
					}
					for name, height := range endsOf(&file) {
						require.Equal(t, before[name], *height, "an import changes the file: %s", name)
					}
					require.LessOrEqual(t, k.DecidedHeight, now+down+up)
					for name, height := range endsOf(&k) {
						switch was := before[name]; {
						case was == 0:
							require.Zero(t, *height, name)
						case was > now:
							require.Equal(t, was+down+up, *height, "%s %d, %d down, %d up", name, was, down, up)
						default:
							require.LessOrEqual(t, *height, now+down+up+1, "%s %d, %d down, %d up: not over in the first block", name, was, down, up)
						}
					}
				}
			}
		}
	}
}
