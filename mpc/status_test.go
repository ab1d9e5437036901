package mpc

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// A node with thousands of shares and tombstones copies and sorts them when they change,
// not whenever it says how it is.
func TestStatusOfManyRecords(t *testing.T) {
	const many = 2000
	d := newDesk(t, 2)
	d.start()
	record := func(i int) types.Record {
		return types.Record{
			RecordKey: types.RecordKey{KeyID: types.KeyID(fmt.Sprintf("key-%04d", i)), Session: types.SessionID{1}},
			Status:    types.StatusPending, Algorithm: types.ECDSASecp256k1, PublicKey: []byte{2}, Participants: d.ops,
		}
	}
	for i := range many {
		d.core.know(record(many - i))
		d.core.tombstones[types.KeyID(fmt.Sprintf("gone-%04d", many-i))] = true
	}
	first := d.core.Status()
	require.Len(t, first.Records, many)
	require.Len(t, first.Tombstones, many)
	require.IsIncreasing(t, first.Tombstones)
	require.Equal(t, types.KeyID("key-0001"), first.Records[0].KeyID)
	require.Less(t, testing.AllocsPerRun(10, func() { d.core.Status(); d.core.recordKeys() }), 100.0)

	failed := record(1)
	failed.Status = types.StatusError
	d.core.know(failed)
	d.core.know(record(0))
	d.core.forget(record(2).RecordKey)
	d.core.tombstones["gone"] = false
	next := d.core.Status()
	require.Len(t, next.Records, many)
	require.Equal(t, []types.KeyID{"key-0000", "key-0001", "key-0003"}, []types.KeyID{next.Records[0].KeyID, next.Records[1].KeyID, next.Records[2].KeyID})
	require.Equal(t, types.StatusError, next.Records[1].Status)
	require.Equal(t, types.KeyID("gone"), next.Tombstones[0])
	require.Equal(t, types.StatusPending, first.Records[0].Status, "what was said before stays")
	require.Len(t, first.Tombstones, many)
}
