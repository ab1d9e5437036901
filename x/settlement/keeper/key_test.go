package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// A key is rotated by making another: the purpose moves when that is READY, and what was
// open goes on with the old one.
func TestKeyIsRotated(t *testing.T) {
	f, old := newSettling(t)
	first := f.accept(block(1, 1, 1))
	const next = types.IDPrefix + "state-2"
	require.NoError(t, f.makeKey(next, types.PURPOSE_STATE))
	require.Equal(t, stateKey, f.line(types.PURPOSE_STATE).KeyId, "not before it is READY")
	_, err := f.msg.SetPurpose(f.Ctx, &types.MsgSetPurpose{Authority: f.Authority, Purpose: types.PURPOSE_BLOB, KeyId: next})
	require.ErrorIs(t, err, types.ErrKeyNotReady)

	secret := chainSecret(next)
	f.AttestAll(next, secret)
	require.Equal(t, next, f.line(types.PURPOSE_STATE).KeyId)
	second := f.accept(block(2, 2, 2))
	require.Equal(t, next, f.tx(second).KeyId)
	require.Zero(t, f.tx(second).Nonce, "nonces are the key's")
	require.Equal(t, types.ATTEMPT_STATUS_SIGNED, f.sign(first, old).Status)
	require.Equal(t, types.ATTEMPT_STATUS_SIGNED, f.sign(second, secret).Status)

	_, err = f.msg.SetPurpose(f.Ctx, &types.MsgSetPurpose{Authority: f.Authority, Purpose: types.PURPOSE_STATE, KeyId: stateKey})
	require.NoError(t, err)
	require.EqualValues(t, 1, f.tx(f.accept(block(3, 3, 3))).Nonce)
}

// A key that never comes to be takes over nothing.
func TestKeyFails(t *testing.T) {
	f, _ := newSettling(t)
	const next = types.IDPrefix + "state-2"
	require.NoError(t, f.makeKey(next, types.PURPOSE_STATE))
	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	f.EndBlocks(f.Ctx.BlockHeight() + int64(params.KeygenLifetimeBlocks) + 1)
	key, err := f.k.Key(f.Ctx, next)
	require.NoError(t, err)
	require.Equal(t, types.KEY_STATUS_FAILED, key.Status)
	require.NotEmpty(t, key.Reason)
	require.Equal(t, stateKey, f.line(types.PURPOSE_STATE).KeyId)
}

// With a deleted key nothing waits for ever: its batch is settled by another.
func TestKeyIsDeleted(t *testing.T) {
	f, _ := newSettling(t)
	id := f.accept(block(1, 1, 1))
	deletion, err := f.Msg.KeyDelete(f.Ctx, &mpctypes.MsgKeyDelete{Requester: f.Authority, KeyId: stateKey})
	require.NoError(t, err)
	f.EndBlocks(deletion.RetireHeight + 1)
	key, err := f.k.Key(f.Ctx, stateKey)
	require.NoError(t, err)
	require.Equal(t, types.KEY_STATUS_DELETED, key.Status)
	require.Empty(t, f.line(types.PURPOSE_STATE).KeyId)
	require.Equal(t, types.ATTEMPT_STATUS_FAILED, f.tx(id).Attempts[0].Status)
	require.ErrorIs(t, f.bump(0, id), mpctypes.ErrKeyDeleted)

	again := &types.MsgResubmitBatch{Authority: f.Authority, Purpose: types.PURPOSE_STATE, Batch: 1}
	cached, _ := f.Ctx.CacheContext() // as of a transaction that fails
	_, err = f.msg.ResubmitBatch(cached, again)
	require.ErrorIs(t, err, types.ErrNotConfigured)
	f.readyKey(types.IDPrefix+"state-2", types.PURPOSE_STATE)
	_, err = f.msg.ResubmitBatch(f.Ctx, again)
	require.NoError(t, err)
	require.Equal(t, types.TRANSACTION_STATUS_ABANDONED, f.tx(id).Status)
	batch, err := f.k.Batch(f.Ctx, types.PURPOSE_STATE, 1)
	require.NoError(t, err)
	require.Equal(t, types.IDPrefix+"state-2", f.tx(batch.TransactionId).KeyId)
}

func TestAuthorityAlone(t *testing.T) {
	f, _ := newSettling(t)
	_, err := f.msg.MakeKey(f.Ctx, &types.MsgMakeKey{Authority: f.Requester, KeyId: types.IDPrefix + "x", Threshold: 1})
	require.ErrorIs(t, err, types.ErrUnauthorized)
	_, err = f.msg.SetPurpose(f.Ctx, &types.MsgSetPurpose{Authority: f.Requester, Purpose: types.PURPOSE_STATE})
	require.ErrorIs(t, err, types.ErrUnauthorized)
	_, err = f.msg.UpdateParams(f.Ctx, &types.MsgUpdateParams{Authority: f.Requester, Params: testParams()})
	require.ErrorIs(t, err, types.ErrUnauthorized)

	require.ErrorIs(t, f.makeKey("treasury"), types.ErrBadKeyID)
	require.ErrorIs(t, f.makeKey(types.IDPrefix), types.ErrBadKeyID)
	require.ErrorIs(t, f.makeKey(types.IDPrefix+"x", types.PURPOSE_STATE, types.PURPOSE_COMMON), types.ErrBadKeyID)
	require.ErrorIs(t, f.makeKey(stateKey), types.ErrIDTaken)
	require.Error(t, f.makeKey(types.IDPrefix+"a b"), "x/mpc judges ids")
	_, err = f.msg.SetPurpose(f.Ctx, &types.MsgSetPurpose{Authority: f.Authority, Purpose: types.PURPOSE_STATE, KeyId: "none"})
	require.ErrorIs(t, err, types.ErrUnknownKey)
	_, err = f.msg.SetPurpose(f.Ctx, &types.MsgSetPurpose{Authority: f.Authority, Purpose: types.PURPOSE_STATE})
	require.NoError(t, err)
	_, err = f.propose(0, types.PURPOSE_STATE, block(1, 1, 1))
	require.ErrorIs(t, err, types.ErrNotConfigured)
}
