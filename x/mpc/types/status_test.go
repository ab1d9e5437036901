package types_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
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
		{types.KEY_STATUS_DELETING, types.KEY_STATUS_READY},
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

func TestReshareStatusTransitions(t *testing.T) {
	type pair struct{ from, to types.ReshareStatus }
	allowed := []pair{
		{types.RESHARE_STATUS_UNSPECIFIED, types.RESHARE_STATUS_PENDING},
		{types.RESHARE_STATUS_PENDING, types.RESHARE_STATUS_TESTING},
		{types.RESHARE_STATUS_PENDING, types.RESHARE_STATUS_ERROR},
		{types.RESHARE_STATUS_TESTING, types.RESHARE_STATUS_READY},
		{types.RESHARE_STATUS_TESTING, types.RESHARE_STATUS_ERROR},
	}
	for from := range types.ReshareStatus_name {
		for to := range types.ReshareStatus_name {
			p := pair{types.ReshareStatus(from), types.ReshareStatus(to)}
			require.Equal(t, slices.Contains(allowed, p), p.from.CanMoveTo(p.to), "%s to %s", p.from, p.to)
		}
	}
}

// The methods that change a status go through the table.
func TestForbiddenMoves(t *testing.T) {
	ready := types.Key{Id: "k", Status: types.KEY_STATUS_READY}
	require.Error(t, ready.Fail("expired", 1, 2))
	require.Error(t, ready.Bury(2))
	require.Equal(t, types.KEY_STATUS_READY, ready.Status)
	require.Zero(t, ready.RetireHeight)
	deleted := types.Key{Id: "k", Status: types.KEY_STATUS_DELETED}
	require.Error(t, deleted.Condemn(1))
	require.Error(t, deleted.Restore(1))
	require.Error(t, (&types.Key{Id: "k", Status: types.KEY_STATUS_DELETING}).Win(&mpctypes.Attestation{}, mpctypes.KeygenPayload{}, 1, 2))
	pending := types.Reshare{Id: "r", Status: types.RESHARE_STATUS_PENDING, Epoch: 1}
	require.Error(t, pending.Finish(1))
	require.Error(t, (&types.Key{Id: "k", Status: types.KEY_STATUS_READY, ReshareId: "r"}).Switch(pending, 1, 2, 1))
	failed := types.Reshare{Id: "r", Status: types.RESHARE_STATUS_ERROR}
	require.Error(t, failed.Fail("expired", 1, 2))
	require.Error(t, failed.Stage(&mpctypes.Attestation{}, mpctypes.KeygenPayload{}))
	switched := types.Reshare{Id: "r", Status: types.RESHARE_STATUS_READY, Epoch: 1}
	for _, k := range []types.Key{
		{Status: types.KEY_STATUS_DELETING, ReshareId: "r"}, {Status: types.KEY_STATUS_READY, ReshareId: "other"},
		{Status: types.KEY_STATUS_READY, ReshareId: "r", Epoch: 1},
	} {
		require.Error(t, k.Switch(switched, 1, 2, 1))
	}
	done := types.Signature{Id: "s", Status: types.SIGNATURE_STATUS_READY}
	require.Error(t, done.Fail("expired", 1))
	require.Equal(t, types.SIGNATURE_STATUS_READY, done.Status)
}

// A key is over where no decision makes it sign again.
func TestOver(t *testing.T) {
	for _, k := range []types.Key{
		{Status: types.KEY_STATUS_PENDING}, {Status: types.KEY_STATUS_READY, PublicKey: []byte{2}}, {Status: types.KEY_STATUS_DELETING, PublicKey: []byte{2}},
	} {
		require.NoError(t, k.Over(), k.Status)
	}
	for _, k := range []types.Key{{Status: types.KEY_STATUS_ERROR}, {Status: types.KEY_STATUS_DELETING}} {
		require.ErrorIs(t, k.Over(), types.ErrKeyFailed, k.Status)
		require.Error(t, k.Restore(1))
	}
	for _, public := range [][]byte{nil, {2}} {
		deleted := types.Key{Status: types.KEY_STATUS_DELETED, PublicKey: public}
		require.ErrorIs(t, deleted.Over(), types.ErrKeyDeleted)
		require.Error(t, deleted.Restore(1))
	}
}
