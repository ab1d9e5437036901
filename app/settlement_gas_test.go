package app

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

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

// Gas that the other chain does not take holds up no nonce: it says so, the authority sets
// gas_limit, and the relay has the same call signed with that.
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

	gas(90_000_000) // more than a transaction may have there
	r.step()
	r.said("it has 21000 gas, asked for a signature with 90000000")
	s.members(secret)
	r.step()
	r.said("transaction gas limit too high (cap: 16777216, tx: 90000000); it has 90000000 gas, and gas_limit is 90000000: the authority must set a lower one")

	gas(100_000)
	r.step()
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
	for id, attempts := range map[uint64]uint32{1: 3, 2: 2} {
		settled := s.transaction(id)
		require.EqualValues(t, 100_000, settled.Current().GasLimit)
		require.Equal(t, attempts, settled.Current().Number)
	}
}
