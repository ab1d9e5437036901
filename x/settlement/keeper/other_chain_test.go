package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// A key's nonces are of one chain: where another one is settled on, another key begins at 0, and
// the first one goes on when its chain is back.
func TestAnotherChain(t *testing.T) {
	f, secret := newSettling(t)
	chainOf := func(key string) uint64 {
		k, err := f.k.Key(f.Ctx, key)
		require.NoError(t, err)
		return k.ChainId
	}
	require.Zero(t, chainOf(stateKey))
	first := f.accept(block(1, 1, 1))
	require.EqualValues(t, 1337, chainOf(stateKey))
	f.include(first, receipt(f.sign(first, secret).Hash, false))

	f.setParams(func(p *types.Params) { p.ChainId = 1 })
	for i := range 2 {
		_, err := f.propose(i, types.PURPOSE_STATE, block(2, 2, 2))
		require.NoError(t, err)
	}
	cached, _ := f.Ctx.CacheContext() // as of a transaction that fails
	_, err := f.msg.ProposeBatch(cached, &types.MsgProposeBatch{
		Operator: f.Participants[2].Operator, Purpose: types.PURPOSE_STATE, FirstBlock: 2, LastBlock: 2, StateRoot: block(2, 2, 2).StateRoot,
	})
	require.ErrorIs(t, err, types.ErrOtherChain)
	require.ErrorContains(t, err, "key settlement:state-1 has 1 nonces on chain 1337, chain_id is 1")
	cached, _ = f.Ctx.CacheContext()
	again := &types.MsgResubmitBatch{Authority: f.Authority, Purpose: types.PURPOSE_STATE, Batch: 1}
	_, err = f.msg.ResubmitBatch(cached, again)
	require.ErrorIs(t, err, types.ErrOtherChain)

	const other = types.IDPrefix + "state-2"
	f.readyKey(other, types.PURPOSE_STATE)
	answer, err := f.msg.ResubmitBatch(f.Ctx, again)
	require.NoError(t, err)
	made := f.tx(answer.TransactionId)
	require.Equal(t, []any{other, uint64(0), uint64(1)}, []any{made.KeyId, made.Nonce, made.ChainId})
	require.EqualValues(t, 1, chainOf(other))

	f.setParams(func(*types.Params) {})
	_, err = f.msg.SetPurpose(f.Ctx, &types.MsgSetPurpose{Authority: f.Authority, Purpose: types.PURPOSE_STATE, KeyId: stateKey})
	require.NoError(t, err)
	back := f.tx(f.accept(block(2, 2, 2)))
	require.Equal(t, []any{stateKey, uint64(1), uint64(1337)}, []any{back.KeyId, back.Nonce, back.ChainId})
}
