package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	ethtypes "github.com/ethereum/go-ethereum/core/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// gasOf is the gas of a signed attempt.
func gasOf(t *testing.T, a types.Attempt) uint64 {
	t.Helper()
	var tx ethtypes.Transaction
	require.NoError(t, tx.UnmarshalBinary(a.Raw))
	require.Equal(t, a.GasLimit, tx.Gas())
	return tx.Gas()
}

// Too little gas for the other chain strands no nonce: x/mpc signs the next attempt with that of
// the parameters of then. It never has less than one before, which x/mpc would refuse.
func TestGasOfTheNextAttempt(t *testing.T) {
	f, secret := newSettling(t)
	f.setParams(func(p *types.Params) { p.GasLimit = 21_000 })
	id := f.accept(block(1, 1, 1))
	require.EqualValues(t, 21_000, gasOf(t, f.sign(id, secret)))
	for _, c := range []struct {
		gas, max      uint64
		fee, tip, has uint64
		refused       error
	}{
		{gas: 90_000, max: 1300, fee: 1250, tip: 13, has: 90_000},
		{gas: 90_000, max: 1300, refused: types.ErrFeeLimit},
		{gas: 100_000, max: 1249, refused: types.ErrFeeLimit},            // it would offer more than is allowed
		{gas: 80_000, max: 1300, refused: types.ErrFeeLimit},             // nothing would be more
		{gas: 100_000, max: 1250, fee: 1250, tip: 13, has: 100_000},      // more gas, and the same fee
		{gas: 100_000, max: 1_000_000, fee: 1563, tip: 17, has: 100_000}, // the same gas, and a higher fee
		{gas: 21_000, max: 1_000_000, fee: 1954, tip: 22, has: 100_000},  // a lower gas_limit takes nothing from it
		{gas: types.MaxGasLimit, max: 1954, fee: 1954, tip: 22, has: types.MaxGasLimit},
		{gas: 21_000, max: 1_000_000, fee: 2443, tip: 28, has: types.MaxGasLimit},
	} {
		f.setParams(func(p *types.Params) { p.GasLimit, p.MaxFeePerGas = c.gas, c.max })
		f.EndBlocks(f.Ctx.BlockHeight() + 5)
		if c.refused != nil {
			require.ErrorIs(t, f.bump(0, id), c.refused)
			continue
		}
		answer, err := f.msg.BumpFee(f.Ctx, &types.MsgBumpFee{Operator: f.Participants[1].Operator, TransactionId: id})
		require.NoError(t, err)
		require.Equal(t, types.MsgBumpFeeResponse{FeePerGas: c.fee, TipPerGas: c.tip, GasLimit: c.has}, *answer)
		signed := f.sign(id, secret)
		require.Equal(t, c.has, gasOf(t, signed))
		require.LessOrEqual(t, signed.FeePerGas, c.max)
	}
	require.Len(t, f.tx(id).Attempts, 7)
	f.include(id, receipt(f.tx(id).Attempts[2].Hash, true))
	require.EqualValues(t, 100_000, f.tx(id).Attempts[0].GasLimit, "the one that was included remains")
}

// What failed is asked for again with the gas that it had: somebody may have its signature.
func TestGasOfAFailedAttempt(t *testing.T) {
	f, secret := newSettling(t)
	id := f.accept(block(1, 1, 1))
	f.expire()
	for _, gas := range []uint64{100_000, 300_000} { // its place is taken with 200,000
		f.setParams(func(p *types.Params) { p.GasLimit = gas })
		require.NoError(t, f.bump(0, id))
		require.EqualValues(t, 200_000, f.tx(id).Attempts[0].GasLimit)
		if gas == 100_000 {
			f.expire()
		}
	}
	require.EqualValues(t, 200_000, gasOf(t, f.sign(id, secret)))
	f.EndBlocks(f.Ctx.BlockHeight() + 5)
	require.NoError(t, f.bump(0, id))
	require.EqualValues(t, 300_000, gasOf(t, f.sign(id, secret)))
}
