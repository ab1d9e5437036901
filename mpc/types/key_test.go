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

func TestStagedEnd(t *testing.T) {
	for name, c := range map[string]struct {
		staged, retire int64 // of the key
		reshare        EndedReshare
		end            int64
	}{
		"its own":                          {0, 40, EndedReshare{"key", 100}, 100},
		"a later one failed":               {300, 40, EndedReshare{"key", 100}, 100},
		"a deletion was taken back":        {300, 200, EndedReshare{"key", 100}, 200},
		"before it was kept":               {300, 40, EndedReshare{"key", 0}, 300},
		"before it was kept, one is open":  {0, 40, EndedReshare{"key", 0}, 0},
		"pruned":                           {300, 40, EndedReshare{}, 300},
		"pruned, and another one is open":  {0, 40, EndedReshare{}, 0},
		"of another key":                   {300, 40, EndedReshare{"other", 100}, 300},
		"of another key, with one open":    {0, 40, EndedReshare{"other", 100}, 0},
		"on a chain that starts over anew": {1, -40, EndedReshare{"key", 1}, 1},
	} {
		key := Key{ID: "key", StagedRetireHeight: c.staged, RetireHeight: c.retire}
		require.Equal(t, c.end, key.StagedEnd(c.reshare), name)
	}
}
