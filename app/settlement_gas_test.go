package app

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	settlementtypes "github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// setParams has the authority set parameters.
func (s *settlers) setParams(change func(*settlementtypes.Params)) {
	s.t.Helper()
	params, err := s.app.Settlement.Params(s.app.NewContext(true))
	require.NoError(s.t, err)
	change(&params)
	s.govern(&settlementtypes.MsgUpdateParams{Authority: Authority(), Params: params})
}

// Too little gas for the other chain holds up no nonce: its node says so, the authority sets
// gas_limit, and the relay has the same call signed with that. A lower gas_limit afterwards takes
// nothing from it.
func TestGasIsNotTaken(t *testing.T) {
	s, secret, l1 := settlingOn(t)
	gas := func(n uint64) { s.setParams(func(p *settlementtypes.Params) { p.GasLimit = n }) }
	gas(21_000)
	s.propose(1, 100, common.Hash{1})
	s.propose(101, 200, common.Hash{2})
	s.members(secret)
	r := s.relays(l1.Client())
	r.step()
	r.said("intrinsic gas too low")
	for range 5 {
		mine(t, l1)
	}
	r.step()
	require.Len(t, s.transaction(1).Attempts, 1, "more is offered in vain")

	gas(100_000)
	r.step()
	r.said("it has 21000 gas, asked for a signature with 100000")
	s.members(secret)
	gas(90_000)
	operator := s.operators[0]
	require.NoError(t, s.send(0, &settlementtypes.MsgBumpFee{Operator: operator, TransactionId: 1}), "never place_taken")
	again := s.transaction(1)
	require.EqualValues(t, 100_000, again.Current().GasLimit)
	s.members(secret)
	r.step()
	r.said("transaction 1: sent: nonce 0")
	mine(t, l1)
	mine(t, l1)
	r.step()
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_SUCCEEDED, s.transaction(1).Status)

	r.step() // and now the one that waited for it
	s.members(secret)
	r.step()
	mine(t, l1)
	mine(t, l1)
	r.step()
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_SUCCEEDED, s.transaction(2).Status)
	for id, want := range map[uint64]struct {
		attempts uint32
		gas      uint64
	}{1: {3, 100_000}, 2: {2, 90_000}} {
		settled := s.transaction(id)
		require.Equal(t, want.gas, settled.Current().GasLimit)
		require.Equal(t, want.attempts, settled.Current().Number)
	}
}

// On a chain whose blocks take less than a gas_limit that was signed, another key settles the
// batches.
func TestMoreGasThanABlockHas(t *testing.T) {
	s := newSettlers(t)
	funds := ethtypes.GenesisAlloc{stateContract: {Code: codeOf(stateDestination), Balance: new(big.Int)}}
	for _, id := range []types.KeyID{stateKeyID, nextKeyID} {
		funds[addressOf(t, id)] = ethtypes.Account{Balance: ether(1)}
	}
	l1 := simulated.NewBackend(funds, simulated.WithBlockGasLimit(1_000_000))
	t.Cleanup(func() { require.NoError(t, l1.Close()) })
	mine(t, l1)
	p := settlementParams()
	p.StartFeePerGas, p.GasLimit = 10*p.StartFeePerGas, settlementtypes.MaxGasLimit
	s.begin(ofItsOwn(stateKeyID), p)
	s.propose(1, 100, common.Hash{1})
	s.members(ofItsOwn(stateKeyID))
	r := s.relays(l1.Client())
	r.step()
	r.said("exceeds block gas limit; it has 16777216 gas, and gas_limit is 16777216: nothing is signed for its nonce with less")

	// As it says.
	p.GasLimit = 100_000
	s.govern(&settlementtypes.MsgUpdateParams{Authority: Authority(), Params: p}, &settlementtypes.MsgMakeKey{
		Authority: Authority(), KeyId: nextKeyID, Threshold: 1, Takes: []settlementtypes.Purpose{settlementtypes.PURPOSE_STATE},
	})
	r.step()
	require.Len(t, s.transaction(1).Attempts, 1)
	s.participants(1)
	s.govern(&mpctypes.MsgKeyDelete{Requester: Authority(), KeyId: stateKeyID})
	deleted, err := s.app.MPC.Key(s.app.NewContext(true), stateKeyID)
	require.NoError(t, err)
	for s.app.LastBlockHeight() <= deleted.RetireHeight {
		s.block()
	}
	s.govern(&settlementtypes.MsgResubmitBatch{Authority: Authority(), Purpose: settlementtypes.PURPOSE_STATE, Batch: 1})
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_ABANDONED, s.transaction(1).Status)
	s.members(ofItsOwn(nextKeyID))
	r.step()
	mine(t, l1)
	mine(t, l1)
	r.step()
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_SUCCEEDED, s.transaction(2).Status)
}
