package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// lose has hooks fail while something is done, and at least one of them does.
func (f *fixture) lose(do func()) {
	f.t.Helper()
	f.Events(&mpctypes.EventHookFailed{})
	f.hooks.fail = true
	do()
	f.hooks.fail = false
	require.Positive(f.t, f.Events(&mpctypes.EventHookFailed{}))
}

// A signature that is there without the module having been told is found by the next
// MsgBumpFee, which offers nothing more.
func TestLostSignature(t *testing.T) {
	f, secret := newSettling(t)
	id := f.accept(block(1, 1, 1))
	f.accept(block(2, 2, 2))
	f.lose(func() { require.Equal(t, types.ATTEMPT_STATUS_SIGNING, f.sign(id, secret).Status) })
	f.EndBlocks(f.Ctx.BlockHeight() + 100)
	answer, err := f.msg.BumpFee(f.Ctx, &types.MsgBumpFee{Operator: f.Participants[0].Operator, TransactionId: id})
	require.NoError(t, err)
	require.Equal(t, types.MsgBumpFeeResponse{FeePerGas: 1000, TipPerGas: 10, GasLimit: 200_000}, *answer)
	found := f.tx(id)
	require.Len(t, found.Attempts, 1)
	require.Equal(t, types.ATTEMPT_STATUS_SIGNED, found.Attempts[0].Status)
	require.NotEmpty(t, found.Attempts[0].Raw)
	require.Equal(t, f.Ctx.BlockHeight(), found.Attempts[0].DecidedHeight)
	require.ErrorIs(t, f.bump(1, id), types.ErrTooEarly, "bump_blocks begin now")

	s, err := f.Keeper.Signature(f.Ctx, found.Attempts[0].SignatureId)
	require.NoError(t, err)
	f.EndBlocks(f.Ctx.BlockHeight() + 5)
	require.NoError(t, f.k.AfterSignatureReady(f.Ctx, s), "the hook had to wait, and comes now")
	require.Equal(t, found, f.tx(id))
	require.NoError(t, f.bump(1, id))
	require.NoError(t, f.k.AfterSignatureReady(f.Ctx, s), "or later still")
	require.Equal(t, types.ATTEMPT_STATUS_SIGNED, f.sign(id, secret).Status)
	f.include(id, receipt(found.Attempts[0].Hash, true))
}

// A request that failed, or that x/mpc has forgotten by now, is made again with the same fees.
func TestLostFailure(t *testing.T) {
	for name, forgotten := range map[string]bool{"failed": false, "forgotten": true} {
		t.Run(name, func(t *testing.T) {
			f, secret := newSettling(t)
			id := f.accept(block(1, 1, 1))
			asked := f.tx(id)
			f.lose(func() {
				if forgotten {
					f.sign(id, secret)
				} else {
					f.expire()
				}
			})
			if forgotten {
				p, err := f.Keeper.Params(f.Ctx)
				require.NoError(t, err)
				p.RetentionBlocks = 10
				require.NoError(t, f.Keeper.SetParams(f.Ctx, p))
				f.EndBlocks(f.Ctx.BlockHeight() + 12)
				_, err = f.Keeper.Signature(f.Ctx, asked.Current().SignatureId)
				require.ErrorIs(t, err, mpctypes.ErrPruned)
			}
			require.Equal(t, asked, f.tx(id))
			require.NoError(t, f.bump(0, id))
			again := f.tx(id)
			require.Len(t, again.Attempts, 1)
			require.EqualValues(t, 2, again.Attempts[0].Number)
			require.Equal(t, asked.Attempts[0].FeePerGas, again.Attempts[0].FeePerGas)
			require.Equal(t, types.ATTEMPT_STATUS_SIGNED, f.sign(id, secret).Status)
		})
	}
}

// What waits is not taken for lost, and what is included is left as it is.
func TestNothingIsLost(t *testing.T) {
	f, secret := newSettling(t)
	id := f.accept(block(1, 1, 1))
	require.ErrorIs(t, f.bump(0, id), types.ErrStillSigning)
	f.lose(func() { f.sign(id, secret) })
	f.include(id, receipt("0x3333333333333333333333333333333333333333333333333333333333333333", true))
	done := f.tx(id)
	require.ErrorIs(t, f.bump(0, id), types.ErrAlreadyIncluded)
	require.Equal(t, done, f.tx(id))
}

// A key that is READY without the module having been told gets a purpose when the authority
// says so, and none that it was made for: that may have gone elsewhere since.
func TestLostKey(t *testing.T) {
	f, _ := newSettling(t)
	const next = types.IDPrefix + "state-2"
	secret := chainSecret(next)
	f.lose(func() { f.readyKey(next, types.PURPOSE_STATE, types.PURPOSE_BLOB) })
	require.Equal(t, stateKey, f.line(types.PURPOSE_STATE).KeyId)
	lost, err := f.k.Key(f.Ctx, next)
	require.NoError(t, err)
	require.Equal(t, types.KEY_STATUS_PENDING, lost.Status)

	move := &types.MsgSetPurpose{Authority: f.Authority, Purpose: types.PURPOSE_STATE, KeyId: next}
	_, err = f.msg.SetPurpose(f.Ctx, move)
	require.NoError(t, err)
	require.Equal(t, next, f.line(types.PURPOSE_STATE).KeyId)
	require.Empty(t, f.line(types.PURPOSE_BLOB).KeyId)
	found, err := f.k.Key(f.Ctx, next)
	require.NoError(t, err)
	made, err := f.Keeper.Key(f.Ctx, next)
	require.NoError(t, err)
	address, err := mpctypes.EthereumAddress(made.PublicKey)
	require.NoError(t, err)
	require.Equal(t, types.Key{Id: next, Status: types.KEY_STATUS_READY, Address: address}, found)
	id := f.accept(block(1, 1, 1))
	require.Equal(t, types.ATTEMPT_STATUS_SIGNED, f.sign(id, secret).Status)

	used, err := f.k.Key(f.Ctx, next)
	require.NoError(t, err)
	require.NoError(t, f.k.AfterKeyReady(f.Ctx, made), "the hook had to wait, and comes now")
	again, err := f.k.Key(f.Ctx, next)
	require.NoError(t, err)
	require.Equal(t, used, again)
}

// A key that is still being made, or never came to be, signs for no purpose, whoever was not
// told.
func TestLostKeyThatNeverWas(t *testing.T) {
	f, _ := newSettling(t)
	const next = types.IDPrefix + "state-2"
	require.NoError(t, f.makeKey(next))
	move := &types.MsgSetPurpose{Authority: f.Authority, Purpose: types.PURPOSE_STATE, KeyId: next}
	_, err := f.msg.SetPurpose(f.Ctx, move)
	require.ErrorIs(t, err, types.ErrKeyNotReady)
	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	f.EndBlocks(f.Ctx.BlockHeight() + int64(params.KeygenLifetimeBlocks) + 1)
	_, err = f.msg.SetPurpose(f.Ctx, move)
	require.ErrorIs(t, err, types.ErrKeyNotReady)
	require.Equal(t, stateKey, f.line(types.PURPOSE_STATE).KeyId)
}

// The batches of a key that was deleted without the module having been told are submitted
// again like others.
func TestLostDeletion(t *testing.T) {
	f, _ := newSettling(t)
	id := f.accept(block(1, 1, 1))
	deletion, err := f.Msg.KeyDelete(f.Ctx, &mpctypes.MsgKeyDelete{Requester: f.Authority, KeyId: stateKey})
	require.NoError(t, err)
	again := &types.MsgResubmitBatch{Authority: f.Authority, Purpose: types.PURPOSE_STATE, Batch: 1}
	cached, _ := f.Ctx.CacheContext() // as of a transaction that fails
	_, err = f.msg.ResubmitBatch(cached, again)
	require.ErrorIs(t, err, types.ErrNotReverted, "it may be taken back")
	f.lose(func() { f.EndBlocks(deletion.RetireHeight + 1) })
	require.Equal(t, stateKey, f.line(types.PURPOSE_STATE).KeyId)

	f.readyKey(types.IDPrefix+"state-2", types.PURPOSE_STATE)
	answer, err := f.msg.ResubmitBatch(f.Ctx, again)
	require.NoError(t, err)
	require.Equal(t, types.TRANSACTION_STATUS_ABANDONED, f.tx(id).Status)
	require.Equal(t, types.IDPrefix+"state-2", f.tx(answer.TransactionId).KeyId)
	gone, err := f.k.Key(f.Ctx, stateKey)
	require.NoError(t, err)
	require.Equal(t, types.KEY_STATUS_DELETED, gone.Status)

	made, err := f.Keeper.Key(f.Ctx, stateKey)
	require.NoError(t, err)
	require.NoError(t, f.k.AfterKeyReady(f.Ctx, made), "a hook that had to wait until now")
	still, err := f.k.Key(f.Ctx, stateKey)
	require.NoError(t, err)
	require.Equal(t, gone, still)
}
