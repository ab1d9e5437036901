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

	// The deletion goes by its own height, and what had ended by the one that it had, taken back or not.
	require.NoError(t, k.Condemn(140))
	require.EqualValues(t, 150, endOf(k, 0))
	require.NoError(t, k.Restore(500))
	require.EqualValues(t, 500, k.RetireHeight)
	require.EqualValues(t, []int64{150, 200, 200}, []int64{endOf(k, 0), endOf(k, 1), endOf(k, 2)})

	refresh(t, &k, 300, 600)
	require.Equal(t, []types.EndedEpoch{{Epoch: 2, RetireHeight: 200}, {Epoch: 3, RetireHeight: 600}}, k.EndedEpochs, "the newest that is over is enough")
	require.EqualValues(t, []int64{200, 200, 600}, []int64{endOf(k, 0), endOf(k, 1), endOf(k, 3)})
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
