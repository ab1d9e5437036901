package types_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestKeyStatusTransitions(t *testing.T) {
	type pair struct{ from, to types.KeyStatus }
	allowed := []pair{
		{types.KEY_STATUS_UNSPECIFIED, types.KEY_STATUS_PENDING},
		{types.KEY_STATUS_PENDING, types.KEY_STATUS_READY},
		{types.KEY_STATUS_PENDING, types.KEY_STATUS_ERROR},
		{types.KEY_STATUS_READY, types.KEY_STATUS_DELETING},
		{types.KEY_STATUS_ERROR, types.KEY_STATUS_DELETING},
		{types.KEY_STATUS_DELETING, types.KEY_STATUS_DELETED},
	}
	for from := range types.KeyStatus_name {
		for to := range types.KeyStatus_name {
			p := pair{types.KeyStatus(from), types.KeyStatus(to)}
			require.Equal(t, slices.Contains(allowed, p), p.from.CanMoveTo(p.to), "%s to %s", p.from, p.to)
		}
	}
}

func TestSignatureStatusTransitions(t *testing.T) {
	type pair struct{ from, to types.SignatureStatus }
	allowed := []pair{
		{types.SIGNATURE_STATUS_UNSPECIFIED, types.SIGNATURE_STATUS_PENDING},
		{types.SIGNATURE_STATUS_PENDING, types.SIGNATURE_STATUS_READY},
		{types.SIGNATURE_STATUS_PENDING, types.SIGNATURE_STATUS_ERROR},
	}
	for from := range types.SignatureStatus_name {
		for to := range types.SignatureStatus_name {
			p := pair{types.SignatureStatus(from), types.SignatureStatus(to)}
			require.Equal(t, slices.Contains(allowed, p), p.from.CanMoveTo(p.to), "%s to %s", p.from, p.to)
		}
	}
}

// The methods that change a status go through the table.
func TestForbiddenMoves(t *testing.T) {
	ready := types.Key{Id: "k", Status: types.KEY_STATUS_READY}
	require.Error(t, ready.Fail("expired", 1, 2))
	require.Error(t, ready.Bury())
	require.Equal(t, types.KEY_STATUS_READY, ready.Status)
	require.Zero(t, ready.RetireHeight)
	deleted := types.Key{Id: "k", Status: types.KEY_STATUS_DELETED}
	require.Error(t, deleted.Condemn(1))
	done := types.Signature{Id: "s", Status: types.SIGNATURE_STATUS_READY}
	require.Error(t, done.Fail("expired", 1))
	require.Equal(t, types.SIGNATURE_STATUS_READY, done.Status)
}
