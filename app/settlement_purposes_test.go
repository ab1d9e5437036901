package app

import (
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	settlementtypes "github.com/sequencer-mpc/sequencer/x/settlement/types"
)

const (
	commonKeyID = settlementtypes.IDPrefix + "common-1"
	rewardKeyID = settlementtypes.IDPrefix + "reward-1"
	nextKeyID   = settlementtypes.IDPrefix + "both-2"
)

// Two purposes, each with a contract of its own.
var (
	commonDestination = settlementtypes.Destination{
		Purpose: settlementtypes.PURPOSE_COMMON, Contract: "0x00000000000000000000000000000000000000c0", Function: "appendBatch(bytes32,uint256,uint256)",
	}
	rewardDestination = settlementtypes.Destination{
		Purpose: settlementtypes.PURPOSE_REWARD, Contract: "0x00000000000000000000000000000000000000d0", Function: "distribute(bytes32,uint256,uint256)",
	}
)

// ofItsOwn is the secret of a key, which is made of its id.
func ofItsOwn(id types.KeyID) chain.Secret { return chain.NewSecret(string(id)) }

// addressOf is what a key sends from on the other chain.
func addressOf(t *testing.T, id types.KeyID) common.Address {
	t.Helper()
	public, err := crypto.DecompressPubkey(ofItsOwn(id).PublicKey())
	require.NoError(t, err)
	return crypto.PubkeyToAddress(*public)
}

// participants makes the keys that are asked for, in one block.
func (s *settlers) participants(keys int) {
	s.t.Helper()
	requests, err := s.app.MPCState().EngineRequests(s.app.NewContext(true))
	require.NoError(s.t, err)
	var keygens []types.Request
	for _, r := range requests {
		if r.ID.Kind == types.KindKeygen {
			keygens = append(keygens, r)
		}
	}
	require.Len(s.t, keygens, keys)
	s.bundle(func(b *mpctypes.BundleBuilder) bool {
		for _, r := range keygens {
			if !attestAll(b, r, ofItsOwn(r.KeyID), s.identities) {
				return false
			}
		}
		return true
	})
}

func (s *settlers) line(purpose settlementtypes.Purpose) settlementtypes.Line {
	s.t.Helper()
	answer, err := s.query.Lines(s.app.NewContext(true), &settlementtypes.QueryLinesRequest{})
	require.NoError(s.t, err)
	return answer.Lines[purpose-1]
}

// Two purposes are settled at once, each with its key and by its contract. While both have open
// transactions, which offer too little, another key takes both: the keys of before go on with
// what they have open and sign it again for more, and what is new is the other one's.
func TestTwoPurposesAndARotationOfBoth(t *testing.T) {
	s := newSettlers(t)
	funds := ethtypes.GenesisAlloc{}
	for _, id := range []types.KeyID{commonKeyID, rewardKeyID, nextKeyID} {
		funds[addressOf(t, id)] = ethtypes.Account{Balance: ether(1)}
	}
	for _, d := range []settlementtypes.Destination{commonDestination, rewardDestination} {
		funds[common.HexToAddress(d.Contract)] = ethtypes.Account{Code: codeOf(d), Balance: new(big.Int)}
	}
	l1 := simulated.NewBackend(funds)
	defer func() { require.NoError(t, l1.Close()) }()
	mine(t, l1)

	takes := func(id string, purposes ...settlementtypes.Purpose) *settlementtypes.MsgMakeKey {
		return &settlementtypes.MsgMakeKey{Authority: Authority(), KeyId: id, Threshold: 1, Takes: purposes}
	}
	p := settlementParams()
	p.Destinations = []settlementtypes.Destination{commonDestination, rewardDestination}
	s.govern(
		&settlementtypes.MsgUpdateParams{Authority: Authority(), Params: p},
		takes(commonKeyID, settlementtypes.PURPOSE_COMMON), takes(rewardKeyID, settlementtypes.PURPOSE_REWARD),
	)
	s.participants(2)
	require.Equal(t, commonKeyID, s.line(settlementtypes.PURPOSE_COMMON).KeyId)
	require.Equal(t, rewardKeyID, s.line(settlementtypes.PURPOSE_REWARD).KeyId)

	// The lines are of different blocks, and their nonces of different keys.
	batches := []struct {
		settlementtypes.Destination
		first, last uint64
		root        common.Hash
		key         types.KeyID
		nonce       uint64
	}{
		{commonDestination, 1, 100, common.Hash{1}, commonKeyID, 0},
		{rewardDestination, 1, 10, common.Hash{2}, rewardKeyID, 0},
		{rewardDestination, 11, 20, common.Hash{3}, rewardKeyID, 1},
		{commonDestination, 101, 200, common.Hash{4}, commonKeyID, 1},
		{rewardDestination, 21, 30, common.Hash{5}, nextKeyID, 0},
		{commonDestination, 201, 300, common.Hash{6}, nextKeyID, 1},
	}
	for _, b := range batches[:4] {
		s.proposeFor(b.Purpose, b.first, b.last, b.root)
	}
	require.ElementsMatch(t, []types.KeyID{commonKeyID, commonKeyID, rewardKeyID, rewardKeyID}, s.membersOf(ofItsOwn))
	r := s.relays(l1.Client())
	r.step()

	s.govern(takes(nextKeyID, settlementtypes.PURPOSE_COMMON, settlementtypes.PURPOSE_REWARD))
	s.participants(1)
	require.Equal(t, nextKeyID, s.line(settlementtypes.PURPOSE_COMMON).KeyId)
	require.Equal(t, nextKeyID, s.line(settlementtypes.PURPOSE_REWARD).KeyId)
	for _, b := range batches[4:] {
		s.proposeFor(b.Purpose, b.first, b.last, b.root)
	}
	mine(t, l1)
	mine(t, l1)
	r.step()
	require.ElementsMatch(t, []types.KeyID{commonKeyID, rewardKeyID, nextKeyID, nextKeyID}, s.membersOf(ofItsOwn),
		"the first ones of the keys of before are signed again, those that wait for them are not")

	for range 10 {
		r.step()
		mine(t, l1)
	}
	r.step()
	for i, b := range batches {
		settled := s.transaction(uint64(i + 1))
		require.Equal(t, settlementtypes.TRANSACTION_STATUS_SUCCEEDED, settled.Status, "batch %d", i)
		require.Equal(t, string(b.key), settled.KeyId, "batch %d", i)
		require.Equal(t, b.nonce, settled.Nonce, "batch %d", i)
		tx, _, err := l1.Client().TransactionByHash(t.Context(), common.HexToHash(settled.Receipt.Hash))
		require.NoError(t, err)
		from, err := ethtypes.Sender(ethtypes.LatestSignerForChainID(simulatedChain), tx)
		require.NoError(t, err)
		require.Equal(t, addressOf(t, b.key), from)
		require.Equal(t, b.Contract, strings.ToLower(tx.To().Hex()))
		stored, err := l1.Client().StorageAt(t.Context(), *tx.To(), common.BigToHash(new(big.Int).SetUint64(b.first)), nil)
		require.NoError(t, err)
		require.Equal(t, b.root[:], stored)
	}
	for id := uint64(1); id <= 2; id++ {
		first := s.transaction(id)
		require.EqualValues(t, 2, first.Current().Number, "what was signed after the rotation was included")
	}
	for _, id := range []types.KeyID{commonKeyID, rewardKeyID, nextKeyID} {
		nonce, err := l1.Client().NonceAt(t.Context(), addressOf(t, id), nil)
		require.NoError(t, err)
		require.EqualValues(t, 2, nonce)
	}
}
