package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	geth "github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/cosmos/cosmos-sdk/server/config"
	sdk "github.com/cosmos/cosmos-sdk/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	settlementkeeper "github.com/sequencer-mpc/sequencer/x/settlement/keeper"
	"github.com/sequencer-mpc/sequencer/x/settlement/relay"
	settlementtypes "github.com/sequencer-mpc/sequencer/x/settlement/types"
)

const stateKeyID = settlementtypes.IDPrefix + "state-1"

// stateContract keeps the root of a batch under the number of its first block, and refuses
// other calls than appendStateBatch, and a root of zeros.
var stateContract = common.HexToAddress("0x00000000000000000000000000000000000000cc")

var stateDestination = settlementtypes.Destination{
	Purpose: settlementtypes.PURPOSE_STATE, Contract: strings.ToLower(stateContract.Hex()), Function: "appendStateBatch(bytes32,uint256,uint256)",
}

// codeOf: if the selector is the destination's and the root is not zero, store it, else
// revert.
func codeOf(d settlementtypes.Destination) []byte {
	return common.FromHex("600035" + "60e01c" + "63" + common.Bytes2Hex(d.Selector()) + "14" +
		"600435" + "1515" + "16" + "6019" + "57" + "600080fd" + "5b" + "600435" + "602435" + "55" + "00")
}

// settlers are a chain of three validators, whose operators the test has.
type settlers struct {
	*chainInMemory
	keys       []*secp256k1.PrivKey
	operators  []string
	accounts   []sdk.AccAddress
	sequences  []uint64
	identities map[string]ed25519.PrivateKey
	query      settlementtypes.QueryServer
}

func newSettlers(t *testing.T) *settlers {
	t.Helper()
	keys, accounts := newKeys(3)
	app := newApplication(config.BlockExecutorSequential)
	genesis, identities := withIdentities(t, app, testGenesis(t, app, accounts, accounts...), func(*mpctypes.GenesisState) {})
	s := &settlers{
		chainInMemory: startChain(t, app, genesis, 1), keys: keys, accounts: accounts, sequences: make([]uint64, 3),
		identities: identities, query: settlementkeeper.NewQueryServer(app.Settlement),
	}
	for _, a := range accounts {
		s.operators = append(s.operators, sdk.ValAddress(a).String())
	}
	return s
}

// send makes a block of one message.
func (s *settlers) send(from int, msg sdk.Msg) error {
	s.t.Helper()
	result := s.block(s.sign(s.keys[from], uint64(from), s.sequences[from], msg)).TxResults[0]
	s.sequences[from]++
	if result.Code != 0 {
		return fmt.Errorf("%s %d: %s", result.Codespace, result.Code, result.Log)
	}
	return nil
}

// govern has a proposal of the authority's messages pass: the first account has all the
// stake.
func (s *settlers) govern(msgs ...sdk.Msg) {
	s.t.Helper()
	passed := s.vote(msgs...)
	require.Equal(s.t, govv1.StatusPassed, passed.Status, passed.FailedReason)
}

// vote has all vote for a proposal: what became of it.
func (s *settlers) vote(msgs ...sdk.Msg) govv1.Proposal {
	s.t.Helper()
	deposit := sdk.NewCoins(sdk.NewInt64Coin(BondDenom, 10_000_000))
	proposal, err := govv1.NewMsgSubmitProposal(msgs, deposit, s.accounts[0].String(), "", "settlement", "settle", false)
	require.NoError(s.t, err)
	require.NoError(s.t, s.send(0, proposal))
	var id uint64
	require.NoError(s.t, s.app.Gov.Proposals.Walk(s.app.NewContext(true), nil, func(i uint64, _ govv1.Proposal) (bool, error) {
		id = i
		return false, nil
	}))
	require.NoError(s.t, s.send(0, govv1.NewMsgVote(s.accounts[0], id, govv1.OptionYes, "")))
	s.time = s.time.Add(*govv1.DefaultParams().VotingPeriod)
	s.block()
	voted, err := s.app.Gov.Proposals.Get(s.app.NewContext(true), id)
	require.NoError(s.t, err)
	return voted
}

// begin has the key of states made, by governance.
func (s *settlers) begin(secret chain.Secret, p settlementtypes.Params) {
	s.t.Helper()
	s.govern(
		&settlementtypes.MsgUpdateParams{Authority: Authority(), Params: p},
		&settlementtypes.MsgMakeKey{
			Authority: Authority(), KeyId: stateKeyID, Threshold: 1, Takes: []settlementtypes.Purpose{settlementtypes.PURPOSE_STATE},
		},
	)
	keygen := openRequest(s.t, s.app)
	s.bundle(func(b *mpctypes.BundleBuilder) bool { return attestAll(b, keygen, secret, s.identities) })
}

// propose lets all operators propose the next states.
func (s *settlers) propose(first, last uint64, root common.Hash) {
	s.t.Helper()
	s.proposeFor(settlementtypes.PURPOSE_STATE, first, last, root)
}

// proposeFor lets all operators propose the next batch of a purpose.
func (s *settlers) proposeFor(purpose settlementtypes.Purpose, first, last uint64, root common.Hash) {
	s.t.Helper()
	for i, operator := range s.operators {
		require.NoError(s.t, s.send(i, &settlementtypes.MsgProposeBatch{
			Operator: operator, Purpose: purpose, FirstBlock: first, LastBlock: last, StateRoot: root[:],
		}))
	}
}

// members does what the engines of the participants would: they sign what is asked for.
func (s *settlers) members(secret chain.Secret) {
	s.t.Helper()
	s.membersOf(func(types.KeyID) chain.Secret { return secret })
}

// membersOf does so of keys that have these secrets, in one block, and returns which keys signed,
// in the order of the requests.
func (s *settlers) membersOf(secret func(types.KeyID) chain.Secret) (signed []types.KeyID) {
	s.t.Helper()
	requests, err := s.app.MPCState().EngineRequests(s.app.NewContext(true))
	require.NoError(s.t, err)
	require.NotEmpty(s.t, requests)
	s.bundle(func(b *mpctypes.BundleBuilder) bool {
		for _, r := range requests {
			require.Equal(s.t, types.KindSign, r.ID.Kind)
			require.NoError(s.t, s.app.MPCState().EngineCheckSign(s.app.NewContext(true), r.ID.ID))
			result := secret(r.KeyID).Sign(r.ID.ID, r.Digest)
			if !b.AddSignature(&result) {
				return false
			}
			signed = append(signed, r.KeyID)
		}
		return true
	})
	return signed
}

func (s *settlers) transaction(id uint64) settlementtypes.Transaction {
	s.t.Helper()
	t, err := s.app.Settlement.Transaction(s.app.NewContext(true), id)
	require.NoError(s.t, err)
	return t
}

// operatorsNode is the chain as the relay of one operator sees it.
type operatorsNode struct {
	s    *settlers
	from int
}

// Open implements relay.Sequencer.
func (n *operatorsNode) Open(context.Context) ([]settlementtypes.Transaction, error) {
	answer, err := n.s.query.Open(n.s.app.NewContext(true), &settlementtypes.QueryOpenRequest{})
	if err != nil {
		return nil, err
	}
	return answer.Transactions, nil
}

// Address implements relay.Sequencer.
func (n *operatorsNode) Address(_ context.Context, keyID string) (string, error) {
	key, err := n.s.app.Settlement.Key(n.s.app.NewContext(true), keyID)
	return key.Address, err
}

// Reported implements relay.Sequencer.
func (n *operatorsNode) Reported(_ context.Context, id uint64, operator string) (*settlementtypes.Receipt, error) {
	answer, err := n.s.query.Transaction(n.s.app.NewContext(true), &settlementtypes.QueryTransactionRequest{Id: id})
	if err != nil {
		return nil, err
	}
	for _, r := range answer.Reports {
		if r.Operator == operator {
			return &r.Receipt, nil
		}
	}
	return nil, nil
}

// GasLimit implements relay.Sequencer.
func (n *operatorsNode) GasLimit(context.Context) (uint64, error) {
	params, err := n.s.app.Settlement.Params(n.s.app.NewContext(true))
	return params.GasLimit, err
}

// Send implements relay.Sequencer.
func (n *operatorsNode) Send(_ context.Context, msg sdk.Msg) error { return n.s.send(n.from, msg) }

// relays are one for each operator.
type relays struct {
	t     *testing.T
	all   []*relay.Relay
	lines []string
}

func (s *settlers) relays(l1 relay.Ethereum) *relays {
	r := &relays{t: s.t}
	for i, operator := range s.operators {
		r.all = append(r.all, relay.New(l1, &operatorsNode{s, i}, relay.Options{Operator: operator, Confirmations: 2, BumpAfter: 2, Interval: time.Hour},
			func(line string) { r.lines = append(r.lines, fmt.Sprint(i, " ", line)) }))
	}
	return r
}

// step lets each look once.
func (r *relays) step() {
	r.t.Helper()
	for _, one := range r.all {
		require.NoError(r.t, one.Step(r.t.Context()))
	}
}

// said asserts that this was said, and forgets all that was.
func (r *relays) said(part string) {
	r.t.Helper()
	require.Contains(r.t, strings.Join(r.lines, "\n"), part)
	r.lines = nil
}

// mine makes a block of the other chain, and waits until its node has indexed it: before,
// it does not say which transactions it does not know.
func mine(t *testing.T, l1 *simulated.Backend) {
	t.Helper()
	l1.Commit()
	require.Eventually(t, func() bool {
		_, err := l1.Client().TransactionReceipt(t.Context(), common.Hash{})
		return errors.Is(err, geth.NotFound)
	}, time.Minute, time.Millisecond)
}

// settlementParams offer half of what the simulated chain asks for at first, and twice as
// much each time.
func settlementParams() settlementtypes.Params {
	p := settlementtypes.DefaultParams()
	p.ChainId, p.Destinations = simulatedChain.Uint64(), []settlementtypes.Destination{stateDestination}
	p.StartFeePerGas, p.StartTipPerGas, p.BumpPercent, p.BumpBlocks = gwei.Uint64()/2, gwei.Uint64()/100, 100, 1
	return p
}

// What the validators propose is in the contract of the other chain, and this chain knows:
// a key is made by governance, batches are accepted and signed, relays send them, offer
// more where that is not enough, and report what became of them.
func TestSettlement(t *testing.T) {
	s := newSettlers(t)
	secret := chain.NewSecret(stateKeyID)
	public, err := crypto.DecompressPubkey(secret.PublicKey())
	require.NoError(t, err)
	from := crypto.PubkeyToAddress(*public)
	l1 := simulated.NewBackend(ethtypes.GenesisAlloc{
		from: {Balance: ether(1)}, stateContract: {Code: codeOf(stateDestination), Balance: new(big.Int)},
	})
	defer func() { require.NoError(t, l1.Close()) }()
	client := l1.Client()
	mine(t, l1)

	s.begin(secret, settlementParams())
	key, err := s.app.Settlement.Key(s.app.NewContext(true), stateKeyID)
	require.NoError(t, err)
	require.Equal(t, from.Hex(), key.Address)

	root := common.HexToHash("0x1111111111111111111111111111111111111111111111111111111111111111")
	s.propose(1, 100, root)
	r := s.relays(client)
	r.step()
	r.said("is being signed")
	s.members(secret)
	first := s.transaction(1)
	r.step()
	r.said("sent: nonce 0, " + first.Current().Hash)
	r.step()
	require.Empty(t, r.lines, "what did not change is not said again")

	// The other chain asks for more. One of the relays starts anew meanwhile.
	mine(t, l1)
	r.step()
	r.all[2] = s.relays(client).all[2]
	mine(t, l1)
	r.step()
	r.said("asked for a signature with a higher fee")
	bumped := s.transaction(1)
	require.Len(t, bumped.Attempts, 2)
	require.Equal(t, gwei.Uint64(), bumped.Current().FeePerGas, "the others came too late to ask, too")
	s.members(secret)
	r.step()
	bumped = s.transaction(1)
	mine(t, l1)
	r.step()
	r.said("included in block 4, waits for 2 confirmations")
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_OPEN, s.transaction(1).Status)
	mine(t, l1)
	r.step()
	r.said("included in block 4, success true: reported")

	settled := s.transaction(1)
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_SUCCEEDED, settled.Status)
	require.Equal(t, []settlementtypes.Attempt{*bumped.Current()}, settled.Attempts)
	receipt, err := client.TransactionReceipt(t.Context(), common.HexToHash(settled.Receipt.Hash))
	require.NoError(t, err)
	require.Equal(t, receipt.BlockHash.Hex(), settled.Receipt.BlockHash)
	require.Equal(t, receipt.GasUsed, settled.Receipt.GasUsed)
	stored, err := client.StorageAt(t.Context(), stateContract, common.BigToHash(big.NewInt(1)), nil)
	require.NoError(t, err)
	require.Equal(t, root[:], stored)
	r.step()
	r.said("transaction 1: SUCCEEDED: it was included, batch 1 of state is settled")

	// By now it asks for less. The next ones go together. The contract refuses one of them.
	s.propose(101, 200, common.Hash{})
	s.propose(201, 300, root)
	s.members(secret)
	r.step()
	mine(t, l1)
	mine(t, l1)
	r.step()
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_REVERTED, s.transaction(2).Status)
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_SUCCEEDED, s.transaction(3).Status)
	r.step()
	r.said("transaction 2: REVERTED: it was included, and batch 2 of state is not settled: the contract " + stateDestination.Contract + " refused it in block")
	nonce, err := client.NonceAt(t.Context(), from, nil)
	require.NoError(t, err)
	key, err = s.app.Settlement.Key(s.app.NewContext(true), stateKeyID)
	require.NoError(t, err)
	require.Equal(t, nonce, key.NextNonce)
}

// A signature whose request failed here was made all the same, and a member sends it. The
// relays find it by the nonce, and report it.
func TestLeakedSignatureIsReported(t *testing.T) {
	s, secret, l1 := settlingOn(t)
	s.propose(1, 100, common.Hash{1})
	tx := s.leaked(secret, 1, 0)
	params, err := s.app.MPC.Params(s.app.NewContext(true))
	require.NoError(t, err)
	for range params.SignLifetimeBlocks + 1 {
		s.block()
	}
	failed := s.transaction(1)
	require.Equal(t, settlementtypes.ATTEMPT_STATUS_FAILED, failed.Current().Status)
	require.NoError(t, l1.Client().SendTransaction(t.Context(), tx))
	for range 5 {
		mine(t, l1)
	}
	r := s.relays(l1.Client())
	r.step()
	r.said(tx.Hash().Hex() + ", which this chain did not get the signature of")
	settled := s.transaction(1)
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_SUCCEEDED, settled.Status)
	require.Equal(t, strings.ToLower(tx.Hash().Hex()), settled.Receipt.Hash)
}
