package types

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEndOf(t *testing.T) {
	key := Key{Epoch: 6, RetireHeight: 500}
	require.EqualValues(t, 500, key.EndOf(0), "of a chain that knows no ends of epochs")
	key.EndedEpochs = []EndedEpoch{{Epoch: 2, RetireHeight: 100}, {Epoch: 5, RetireHeight: 300}}
	for epoch, end := range map[uint64]int64{0: 100, 2: 100, 3: 300, 5: 300, 6: 500} {
		require.Equal(t, end, key.EndOf(epoch), "epoch %d", epoch)
	}
}
