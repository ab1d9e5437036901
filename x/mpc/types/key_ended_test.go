package types_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// refresh takes a key to its next epoch at a height.
func refresh(t *testing.T, k *types.Key, height, retireHeight int64) {
	t.Helper()
	k.ReshareId = "r"
	r := types.Reshare{Id: "r", Status: types.RESHARE_STATUS_READY, Epoch: k.Epoch + 1}
	require.NoError(t, k.Switch(r, height, retireHeight, 1))
}

// endOf is from which block on nodes may destroy an epoch.
func endOf(k types.Key, epoch uint64) int64 {
	key := k.ToEngine()
	return key.EndOf(epoch)
}

// Nothing waits for a reshare any more when there was one.
func TestSwitchEndsTheWait(t *testing.T) {
	k := types.Key{Id: "k", Status: types.KEY_STATUS_READY, PublicKey: []byte{1}, EndangeredHeight: 650, AutoReshareHeight: 50, FailedReshares: 2}
	refresh(t, &k, 60, 160)
	require.Zero(t, k.EndangeredHeight)
	require.Zero(t, k.AutoReshareHeight)
	require.Zero(t, k.FailedReshares)
}

// Each epoch keeps the end that its switch gave it, whatever comes after.
func TestEndedEpochs(t *testing.T) {
	k := types.Key{Id: "k", Status: types.KEY_STATUS_READY, PublicKey: []byte{1}, DecidedHeight: 1, RetireHeight: 101}
	refresh(t, &k, 50, 150)
	refresh(t, &k, 100, 200)
	require.Equal(t, []types.EndedEpoch{{Epoch: 0, RetireHeight: 150}, {Epoch: 1, RetireHeight: 200}}, k.EndedEpochs)
	before := k
	refresh(t, &k, 120, 130)
	require.Equal(t, []types.EndedEpoch{{Epoch: 0, RetireHeight: 150}, {Epoch: 1, RetireHeight: 200}}, before.EndedEpochs, "no other value of the key changes")
	require.EqualValues(t, 200, endOf(k, 2), "no later epoch goes first")
	require.EqualValues(t, 200, k.RetireHeight)

	refresh(t, &k, 300, 600)
	require.Equal(t, []types.EndedEpoch{{Epoch: 2, RetireHeight: 200}, {Epoch: 3, RetireHeight: 600}}, k.EndedEpochs, "the newest that is over is enough")
	require.EqualValues(t, []int64{200, 200, 600}, []int64{endOf(k, 0), endOf(k, 1), endOf(k, 3)})
}

// A deletion moves no end. One that is taken back leaves time to everything of other epochs,
// and brings nothing forward.
func TestEndsAfterADeletion(t *testing.T) {
	for _, c := range []struct {
		restored      int64
		ends          []int64 // of epochs 0 to 2, and of the key
		staged, there int64   // staged_retire_height after, and before
	}{
		{160, []int64{160, 200, 300, 300}, 0, 0},
		{250, []int64{250, 250, 300, 300}, 250, 170},
		{500, []int64{500, 500, 500, 500}, 500, 170},
		{160, []int64{160, 200, 300, 300}, 170, 170},
	} {
		k := types.Key{Id: "k", Status: types.KEY_STATUS_READY, PublicKey: []byte{1}, DecidedHeight: 1, RetireHeight: 101, StagedRetireHeight: c.there}
		refresh(t, &k, 50, 150)
		refresh(t, &k, 100, 200)
		refresh(t, &k, 120, 300)
		require.NoError(t, k.Condemn(140))
		require.EqualValues(t, []int64{150, 200, 300}, []int64{endOf(k, 0), endOf(k, 1), endOf(k, 2)})
		require.Equal(t, c.there, k.StagedRetireHeight)
		before := k
		require.NoError(t, k.Restore(c.restored))
		require.Equal(t, c.ends, []int64{endOf(k, 0), endOf(k, 1), endOf(k, 2), k.RetireHeight})
		require.Equal(t, c.staged, k.StagedRetireHeight)
		require.EqualValues(t, []int64{150, 200, 300}, []int64{endOf(before, 0), endOf(before, 1), endOf(before, 2)}, "no other value of the key changes")
	}
}

// A key of before ends were kept of each epoch has one end for all, which the next switch
// leaves to them.
func TestEndedEpochsOfBefore(t *testing.T) {
	k := types.Key{Id: "k", Status: types.KEY_STATUS_READY, Epoch: 3, DecidedHeight: 50, RetireHeight: 150}
	require.EqualValues(t, []int64{150, 150}, []int64{endOf(k, 0), endOf(k, 2)})
	refresh(t, &k, 100, 200)
	require.EqualValues(t, []int64{150, 150, 200}, []int64{endOf(k, 0), endOf(k, 2), endOf(k, 3)})

	k = types.Key{Id: "k", Status: types.KEY_STATUS_READY, Epoch: 3, DecidedHeight: -50, RetireHeight: -10}
	refresh(t, &k, 100, 200)
	require.Equal(t, []types.EndedEpoch{{Epoch: 2, RetireHeight: 1}, {Epoch: 3, RetireHeight: 200}}, k.EndedEpochs)
}

// However often a key is reshared, it remembers few epochs, none goes before its time, and
// each goes within twice its time.
func TestEndedEpochsAreFew(t *testing.T) {
	const retire = 100
	for _, every := range []int64{1, 3, 7, 50, 100, 101, 500} {
		k := types.Key{Id: "k", Status: types.KEY_STATUS_READY, DecidedHeight: 1, RetireHeight: 1 + retire}
		ends := make(map[uint64]int64) // of epochs that are there, the switch that ended them
		for height := int64(10); height < 2000; height++ {
			if height%every == 0 {
				ends[k.Epoch] = height
				refresh(t, &k, height, height+retire)
				require.LessOrEqual(t, len(k.EndedEpochs), types.MaxEndedEpochs)
			}
			for epoch, ended := range ends {
				switch over := endOf(k, epoch) <= height; {
				case over && height < ended+retire:
					require.Fail(t, "gone too early", "every %d: epoch %d ended at %d, gone at %d", every, epoch, ended, height)
				case over:
					delete(ends, epoch)
				case every >= retire/(types.MaxEndedEpochs-1):
					require.Less(t, height, ended+retire, "every %d: epoch %d", every, epoch)
				default:
					require.Less(t, height, ended+2*retire, "every %d: epoch %d", every, epoch)
				}
			}
		}
	}
}
