package keeper_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// A batch needs more than two thirds of the power, not of the heads, and all of them the
// same words.
func TestProposalsDecide(t *testing.T) {
	good, bad := block(1, 10, 1), block(1, 10, 2)
	for name, c := range map[string]struct {
		powers  []int64
		says    []types.Range // by validator
		accepts int           // the validator whose word decides; -1: none
	}{
		"one of four":               {[]int64{1, 1, 1, 1}, []types.Range{good}, -1},
		"two thirds are not enough": {[]int64{1, 1, 1}, []types.Range{good, good}, -1},
		"three of four":             {[]int64{1, 1, 1, 1}, []types.Range{good, good, good}, 2},
		"one with the power":        {[]int64{7, 1, 1, 1}, []types.Range{good}, 0},
		"another root":              {[]int64{1, 1, 1, 1}, []types.Range{good, bad, good}, -1},
		"another end":               {[]int64{1, 1, 1, 1}, []types.Range{good, block(1, 11, 1), good}, -1},
		"in spite of one":           {[]int64{1, 1, 1, 1}, []types.Range{good, bad, good, good}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, c.powers...)
			f.setParams(func(*types.Params) {})
			f.readyKey(stateKey, types.PURPOSE_STATE)
			for i, r := range c.says {
				answer, err := f.propose(i, types.PURPOSE_STATE, r)
				require.NoError(t, err)
				require.Equal(t, i == c.accepts, answer.TransactionId != 0, "validator %d", i)
			}
			accepted := c.accepts >= 0
			require.Equal(t, accepted, f.line(types.PURPOSE_STATE).NextBatch == 2)
			all, err := f.query.Proposals(f.Ctx, &types.QueryProposalsRequest{Purpose: types.PURPOSE_STATE})
			require.NoError(t, err)
			if accepted {
				require.Empty(t, all.Proposals)
			} else {
				require.Len(t, all.Proposals, len(c.says))
			}
		})
	}
}

// Who thinks better of it replaces its own word; who is not bonded any more has none.
func TestProposalsAreReplaced(t *testing.T) {
	f, _ := newSettling(t)
	good, bad := block(1, 10, 1), block(1, 10, 2)
	for i, r := range []types.Range{bad, good} {
		_, err := f.propose(i, types.PURPOSE_STATE, r)
		require.NoError(t, err)
	}
	f.Participants[1].Jail()
	for _, i := range []int{0, 2} { // two of the three that remain are no more than two thirds
		answer, err := f.propose(i, types.PURPOSE_STATE, good)
		require.NoError(t, err)
		require.Zero(t, answer.TransactionId)
	}
	all, err := f.query.Proposals(f.Ctx, &types.QueryProposalsRequest{Purpose: types.PURPOSE_STATE})
	require.NoError(t, err)
	require.Len(t, all.Proposals, 2, "the jailed one's is gone")
	answer, err := f.propose(3, types.PURPOSE_STATE, good)
	require.NoError(t, err)
	require.NotZero(t, answer.TransactionId)
}

func TestProposalsAreRefused(t *testing.T) {
	f, _ := newSettling(t)
	f.accept(block(5, 10, 1)) // the first batch says where the line begins
	next := block(11, 20, 2)
	for name, c := range map[string]struct {
		operator string
		purpose  types.Purpose
		r        types.Range
		want     error
	}{
		"a gap":            {"", types.PURPOSE_STATE, block(12, 20, 2), types.ErrNotNext},
		"once more":        {"", types.PURPOSE_STATE, block(5, 10, 1), types.ErrNotNext},
		"backwards":        {"", types.PURPOSE_STATE, block(11, 10, 2), types.ErrBadBatch},
		"for ever":         {"", types.PURPOSE_STATE, block(11, ^uint64(0), 2), types.ErrBadBatch},
		"short root":       {"", types.PURPOSE_STATE, types.Range{FirstBlock: 11, LastBlock: 20, StateRoot: []byte{1}}, types.ErrBadBatch},
		"no key":           {"", types.PURPOSE_REWARD, next, types.ErrNotConfigured},
		"unknown purpose":  {"", 9, next, types.ErrNotConfigured},
		"not a validator":  {f.Authority, types.PURPOSE_STATE, next, types.ErrNotBonded},
		"not bonded":       {"seqvaloper1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqp2dd2u", types.PURPOSE_STATE, next, types.ErrNotBonded},
		"no operator":      {" ", types.PURPOSE_STATE, next, types.ErrNotBonded},
		"no purpose at al": {"", types.PURPOSE_UNSPECIFIED, next, types.ErrNotConfigured},
	} {
		t.Run(name, func(t *testing.T) {
			operator := c.operator
			if operator == "" {
				operator = f.Participants[0].Operator
			}
			_, err := f.msg.ProposeBatch(f.Ctx, &types.MsgProposeBatch{
				Operator: operator, Purpose: c.purpose, FirstBlock: c.r.FirstBlock, LastBlock: c.r.LastBlock, StateRoot: c.r.StateRoot,
			})
			require.ErrorIs(t, err, c.want)
		})
	}
	require.Equal(t, types.Line{Purpose: types.PURPOSE_STATE, KeyId: stateKey, NextBatch: 2, NextBlock: 11}, f.line(types.PURPOSE_STATE))
}

// What is signed is the one call that the parameters name.
func TestTransactionOfBatch(t *testing.T) {
	f, secret := newSettling(t)
	r := block(1, 300, 9)
	id := f.accept(r)
	attempt := f.sign(id, secret)
	require.Equal(t, types.ATTEMPT_STATUS_SIGNED, attempt.Status)

	var tx ethtypes.Transaction
	require.NoError(t, tx.UnmarshalBinary(attempt.Raw))
	require.Equal(t, attempt.Hash, tx.Hash().Hex())
	require.EqualValues(t, ethtypes.DynamicFeeTxType, tx.Type())
	require.EqualValues(t, 1337, tx.ChainId().Uint64())
	require.Equal(t, common.HexToAddress(contract), *tx.To())
	require.Zero(t, tx.Value().Sign())
	require.Zero(t, tx.Nonce())
	require.EqualValues(t, 1000, tx.GasFeeCap().Uint64())
	require.EqualValues(t, 10, tx.GasTipCap().Uint64())
	want := append(types.Destination{Function: function}.Selector(), bytes.Repeat([]byte{9}, 32)...)
	want = append(append(want, common.LeftPadBytes([]byte{1}, 32)...), common.LeftPadBytes([]byte{1, 44}, 32)...)
	require.Equal(t, want, tx.Data())
	require.Equal(t, common.FromHex("a9059cbb"), types.Destination{Function: "transfer(address,uint256)"}.Selector(), "as everybody knows it")
	sender, err := ethtypes.Sender(ethtypes.LatestSignerForChainID(tx.ChainId()), &tx)
	require.NoError(t, err)
	keys, err := f.query.Keys(f.Ctx, &types.QueryKeysRequest{})
	require.NoError(t, err)
	require.Len(t, keys.Keys, 1)
	require.Equal(t, keys.Keys[0].Address, sender.Hex())

	batch, err := f.query.Batch(f.Ctx, &types.QueryBatchRequest{Purpose: types.PURPOSE_STATE, Number: 1})
	require.NoError(t, err)
	require.Equal(t, r, batch.Batch.Range)
	require.Equal(t, id, batch.Transaction.Id)
}

// Batches wait for room among the open transactions of their key, and lose nothing by it.
func TestOpenTransactionsAreBounded(t *testing.T) {
	f, secret := newSettling(t)
	f.setParams(func(p *types.Params) { p.MaxOpen = 1 })
	id := f.accept(block(1, 1, 1))
	for i := range 2 {
		_, err := f.propose(i, types.PURPOSE_STATE, block(2, 2, 2))
		require.NoError(t, err)
	}
	cached, _ := f.Ctx.CacheContext() // as of a transaction that fails
	_, err := f.msg.ProposeBatch(cached, &types.MsgProposeBatch{
		Operator: f.Participants[2].Operator, Purpose: types.PURPOSE_STATE, FirstBlock: 2, LastBlock: 2, StateRoot: block(2, 2, 2).StateRoot,
	})
	require.ErrorIs(t, err, types.ErrTooManyOpen)
	f.include(id, receipt(f.sign(id, secret).Hash, true))
	answer, err := f.propose(2, types.PURPOSE_STATE, block(2, 2, 2))
	require.NoError(t, err)
	require.EqualValues(t, 1, f.tx(answer.TransactionId).Nonce)
}
