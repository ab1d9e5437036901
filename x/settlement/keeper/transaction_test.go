package keeper_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	ethtypes "github.com/ethereum/go-ethereum/core/types"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// A next attempt is the same transaction that offers more, never too early, never above
// the limit, one step at a time, whoever asks.
func TestBumpFee(t *testing.T) {
	f, secret := newSettling(t)
	id, second := f.accept(block(1, 1, 1)), f.accept(block(2, 2, 2))
	require.ErrorIs(t, f.bump(0, id), types.ErrStillSigning)
	first := f.sign(id, secret)
	f.sign(second, secret)
	require.ErrorIs(t, f.bump(0, id), types.ErrTooEarly)
	f.EndBlocks(f.Ctx.BlockHeight() + 5)
	require.ErrorIs(t, f.bump(0, second), types.ErrTooEarly, "another one is before it")
	require.NoError(t, f.bump(3, id))
	require.ErrorIs(t, f.bump(2, id), types.ErrStillSigning)
	bumped := f.sign(id, secret)
	require.Equal(t, []uint64{1250, 13}, []uint64{bumped.FeePerGas, bumped.TipPerGas})

	var before, after ethtypes.Transaction
	require.NoError(t, before.UnmarshalBinary(first.Raw))
	require.NoError(t, after.UnmarshalBinary(bumped.Raw))
	require.Equal(t, before.Nonce(), after.Nonce())
	require.Equal(t, before.Data(), after.Data())
	require.EqualValues(t, 1250, after.GasFeeCap().Uint64())
	require.EqualValues(t, 13, after.GasTipCap().Uint64())

	f.EndBlocks(f.Ctx.BlockHeight() + 5)
	require.ErrorIs(t, f.bump(0, id), types.ErrFeeLimit, "1300 is less than a tenth above 1250")
	f.setParams(func(p *types.Params) { p.MaxFeePerGas = 1400 })
	require.NoError(t, f.bump(0, id))
	last := f.sign(id, secret)
	require.Equal(t, []uint64{1400, 17}, []uint64{last.FeePerGas, last.TipPerGas})

	f.include(id, receipt(bumped.Hash, true)) // the one before was faster
	settled := f.tx(id)
	require.Equal(t, types.TRANSACTION_STATUS_SUCCEEDED, settled.Status)
	require.Equal(t, []types.Attempt{bumped}, settled.Attempts)
	require.ErrorIs(t, f.bump(0, id), types.ErrAlreadyIncluded)
	require.NoError(t, f.bump(0, second))
	require.ErrorIs(t, f.bump(0, 77), types.ErrUnknownTx)
}

// A signature that was not made is asked for again: the same transaction, so that it does
// not matter whether somebody has the first one.
func TestFailedSignatureIsAskedAgain(t *testing.T) {
	f, secret := newSettling(t)
	id := f.accept(block(1, 1, 1))
	first := f.tx(id)
	before, err := f.Keeper.Signature(f.Ctx, first.Current().SignatureId)
	require.NoError(t, err)
	f.expire()
	failed := f.tx(id)
	require.Len(t, failed.Attempts, 1)
	require.Equal(t, types.ATTEMPT_STATUS_FAILED, failed.Attempts[0].Status)
	require.NotEmpty(t, failed.Attempts[0].Reason)
	require.NoError(t, f.bump(1, id))
	again := f.tx(id)
	require.Len(t, again.Attempts, 1, "the failed one is not kept")
	require.EqualValues(t, 2, again.Attempts[0].Number)
	after, err := f.Keeper.Signature(f.Ctx, again.Attempts[0].SignatureId)
	require.NoError(t, err)
	require.Equal(t, before.Digest, after.Digest)
	require.Equal(t, types.ATTEMPT_STATUS_SIGNED, f.sign(id, secret).Status)
}

// Receipts count when more than two thirds of the power saw the same.
func TestReceipts(t *testing.T) {
	f, secret := newSettling(t)
	id := f.accept(block(1, 1, 1))
	hash := f.sign(id, secret).Hash
	lie := receipt(hash, false)
	for i, r := range []types.Receipt{lie, receipt(hash, true), receipt(hash, true)} {
		decided, err := f.report(i, id, r)
		require.NoError(t, err)
		require.False(t, decided)
	}
	seen, err := f.query.Transaction(f.Ctx, &types.QueryTransactionRequest{Id: id})
	require.NoError(t, err)
	require.Len(t, seen.Reports, 3)
	for name, c := range map[string]struct {
		operator string
		id       uint64
		r        types.Receipt
		want     error
	}{
		"not bonded":  {f.Requester, id, lie, types.ErrNotBonded},
		"unknown":     {f.Participants[0].Operator, 9, lie, types.ErrUnknownTx},
		"no hash":     {f.Participants[0].Operator, id, receipt("0x1", true), types.ErrBadReceipt},
		"large hash":  {f.Participants[0].Operator, id, receipt(strings.ToUpper(hash), true), types.ErrBadReceipt},
		"block hash":  {f.Participants[0].Operator, id, types.Receipt{Hash: hash}, types.ErrBadReceipt},
		"many digits": {f.Participants[0].Operator, id, receipt(hash+"0", true), types.ErrBadReceipt},
	} {
		_, err := f.msg.ReportReceipt(f.Ctx, &types.MsgReportReceipt{Operator: c.operator, TransactionId: c.id, Receipt: c.r})
		require.ErrorIs(t, err, c.want, name)
	}
	decided, err := f.report(3, id, receipt(hash, true))
	require.NoError(t, err)
	require.True(t, decided)
	done := f.tx(id)
	require.Equal(t, types.TRANSACTION_STATUS_SUCCEEDED, done.Status)
	require.Equal(t, receipt(hash, true), *done.Receipt)
	_, err = f.report(0, id, lie)
	require.ErrorIs(t, err, types.ErrAlreadyIncluded)
	open, err := f.query.Open(f.Ctx, &types.QueryOpenRequest{})
	require.NoError(t, err)
	require.Empty(t, open.Transactions)
}

// What was included meanwhile is not signed any more, and a signature of it is no failure.
func TestIncludedWhileSigning(t *testing.T) {
	f, secret := newSettling(t)
	id := f.accept(block(1, 1, 1))
	first := f.sign(id, secret)
	f.EndBlocks(f.Ctx.BlockHeight() + 5)
	require.NoError(t, f.bump(0, id))
	asked := f.tx(id)
	s, err := f.Keeper.Signature(f.Ctx, asked.Current().SignatureId)
	require.NoError(t, err)
	f.include(id, receipt(first.Hash, true))
	require.ErrorIs(t, f.Keeper.EngineCheckSign(f.Ctx, s.Id), mpctypes.ErrPolicy)
	f.Events(&mpctypes.EventHookFailed{})
	result := secret.Sign(s.Id, s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
	require.Zero(t, f.Events(&mpctypes.EventHookFailed{}))
	require.Equal(t, []types.Attempt{first}, f.tx(id).Attempts)
}

// A batch that the contract refused is submitted again by the authority, with the next
// nonce; one that is settled is not.
func TestResubmit(t *testing.T) {
	f, secret := newSettling(t)
	id := f.accept(block(1, 1, 1))
	again := func(authority string, batch uint64) (uint64, error) {
		answer, err := f.msg.ResubmitBatch(f.Ctx, &types.MsgResubmitBatch{Authority: authority, Purpose: types.PURPOSE_STATE, Batch: batch})
		if err != nil {
			return 0, err
		}
		return answer.TransactionId, nil
	}
	_, err := again(f.Authority, 1)
	require.ErrorIs(t, err, types.ErrNotReverted)
	f.include(id, receipt(f.sign(id, secret).Hash, false))
	require.Equal(t, types.TRANSACTION_STATUS_REVERTED, f.tx(id).Status)
	_, err = again(f.Requester, 1)
	require.ErrorIs(t, err, types.ErrUnauthorized)
	_, err = again(f.Authority, 2)
	require.ErrorIs(t, err, types.ErrUnknownBatch)

	second, err := again(f.Authority, 1)
	require.NoError(t, err)
	require.EqualValues(t, 1, f.tx(second).Nonce)
	require.Equal(t, f.tx(id).Data, f.tx(second).Data)
	f.include(second, receipt(f.sign(second, secret).Hash, true))
	_, err = again(f.Authority, 1)
	require.ErrorIs(t, err, types.ErrNotReverted)
}
