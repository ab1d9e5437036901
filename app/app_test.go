package app

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math/rand"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/server/config"
	"github.com/cosmos/cosmos-sdk/testutil/mock"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const testChainID = "seq-test-1"

// testOptions is an app.toml.
type testOptions map[string]any

func (o testOptions) Get(key string) any { return o[key] }

// chainInMemory is one node's application and what CometBFT would keep.
type chainInMemory struct {
	t      *testing.T
	app    *App
	height int64
	time   time.Time
}

func newApplication(executor string) *App {
	return New(log.NewNopLogger(), dbm.NewMemDB(), true,
		testOptions{server.FlagBlockExecutor: executor, server.FlagBlockSTMWorkers: 2},
		baseapp.SetChainID(testChainID))
}

// testGenesis has three validators, all of them participants, and accounts with
// coins, of which the first may ask for keys. The validators are these accounts, if
// any are given.
func testGenesis(t *testing.T, a *App, accounts []sdk.AccAddress, operators ...sdk.AccAddress) json.RawMessage {
	t.Helper()
	var validators []*cmttypes.Validator
	for range max(3, len(operators)) {
		key, err := mock.NewPV().GetPubKey()
		require.NoError(t, err)
		validators = append(validators, cmttypes.NewValidator(key, 1))
	}
	for i, operator := range operators {
		validators[i].Address = cmttypes.Address(operator)
	}
	set := cmttypes.NewValidatorSet(validators)
	var genesisAccounts []authtypes.GenesisAccount
	var balances []banktypes.Balance
	for _, addr := range accounts {
		genesisAccounts = append(genesisAccounts, authtypes.NewBaseAccountWithAddress(addr))
		balances = append(balances, banktypes.Balance{
			Address: addr.String(), Coins: sdk.NewCoins(sdk.NewInt64Coin(BondDenom, 1_000_000_000)),
		})
	}
	state, err := simtestutil.GenesisStateWithValSet(a.Codec, a.DefaultGenesis(), set, genesisAccounts, balances...)
	require.NoError(t, err)
	// The SDK's helper counts the stake of one validator. Without a supply it is
	// summed up.
	var bank banktypes.GenesisState
	a.Codec.MustUnmarshalJSON(state[banktypes.ModuleName], &bank)
	bank.Supply = nil
	pool := authtypes.NewModuleAddress(stakingtypes.BondedPoolName).String()
	for i := range bank.Balances {
		if b := &bank.Balances[i]; b.Address == pool {
			b.Coins = b.Coins.MulInt(math.NewInt(int64(len(validators))))
		}
	}
	state[banktypes.ModuleName] = a.Codec.MustMarshalJSON(&bank)
	encoded, err := json.Marshal(state)
	require.NoError(t, err)
	for _, v := range set.Validators {
		operator := types.Operator(sdk.ValAddress(v.Address).String())
		_, key, err := ed25519.GenerateKey(nil)
		require.NoError(t, err)
		public, proof := mpcnode.ProveIdentity(key, testChainID, operator)
		encoded, err = mpcnode.AddGenesisParticipant(a.Codec, encoded, operator, public, proof)
		require.NoError(t, err)
	}
	encoded, err = mpcnode.EditMPCGenesis(a.Codec, encoded, func(g *mpctypes.GenesisState) {
		g.Params.Requesters = []string{accounts[0].String()}
	})
	require.NoError(t, err)
	return encoded
}

func startChain(t *testing.T, a *App, state json.RawMessage, initialHeight int64) *chainInMemory {
	t.Helper()
	params := ConsensusParams().ToProto()
	began := time.Unix(1_700_000_000, 0).UTC()
	_, err := a.InitChain(&abci.RequestInitChain{
		ChainId: testChainID, Time: began, InitialHeight: initialHeight, AppStateBytes: state, ConsensusParams: &params,
	})
	require.NoError(t, err)
	return &chainInMemory{t, a, initialHeight - 1, began}
}

// block makes a block of transactions and commits it.
func (c *chainInMemory) block(txs ...[]byte) *abci.ResponseFinalizeBlock {
	c.t.Helper()
	c.height++
	c.time = c.time.Add(time.Second)
	resp, err := c.app.FinalizeBlock(&abci.RequestFinalizeBlock{Height: c.height, Time: c.time, Txs: txs})
	require.NoError(c.t, err)
	_, err = c.app.Commit()
	require.NoError(c.t, err)
	return resp
}

// sign makes a transaction of an account.
func (c *chainInMemory) sign(key *secp256k1.PrivKey, number, sequence uint64, msgs ...sdk.Msg) []byte {
	c.t.Helper()
	// The random source makes the memo only, which is the same for all nodes.
	tx, err := simtestutil.GenSignedMockTx(rand.New(rand.NewSource(1)), c.app.TxConfig, msgs, sdk.NewCoins(),
		2_000_000, testChainID, []uint64{number}, []uint64{sequence}, key)
	require.NoError(c.t, err)
	bz, err := c.app.TxConfig.TxEncoder()(tx)
	require.NoError(c.t, err)
	return bz
}

// newKeys are the same each time: what a seed makes of them can be made again.
func newKeys(n int) (keys []*secp256k1.PrivKey, addresses []sdk.AccAddress) {
	for i := range n {
		k := secp256k1.GenPrivKeyFromSecret(fmt.Appendf(nil, "account %d", i))
		keys, addresses = append(keys, k), append(addresses, sdk.AccAddress(k.PubKey().Address()))
	}
	return keys, addresses
}

// Both executors must give the same state and the same receipts, whatever is in
// the block: CometBFT hashes both.
func TestExecutorsAgree(t *testing.T) {
	keys, accounts := newKeys(2)
	sequential := newApplication(config.BlockExecutorSequential)
	parallel := newApplication(config.BlockExecutorBlockSTM)
	genesis := testGenesis(t, sequential, accounts)
	chains := []*chainInMemory{startChain(t, sequential, genesis, 1), startChain(t, parallel, genesis, 1)}

	builder := mpctypes.NewBundleBuilder(mpctypes.DefaultParams().BundleLimits())
	require.True(t, builder.AddSignature(&types.SignatureResult{RequestID: "unknown", R: make([]byte, 32), S: make([]byte, 32)}))
	bundle, err := builder.Encode()
	require.NoError(t, err)
	send := func(c *chainInMemory, from int, sequence uint64) []byte {
		return c.sign(keys[from], uint64(from), sequence, banktypes.NewMsgSend(accounts[from], accounts[1-from],
			sdk.NewCoins(sdk.NewInt64Coin(BondDenom, 5))))
	}
	for i, txs := range [][][]byte{
		{},
		{send(chains[0], 0, 0), send(chains[0], 1, 0)},
		{bundle, send(chains[0], 0, 1)},
		{[]byte("no transaction"), send(chains[0], 1, 1), send(chains[0], 1, 1)},
	} {
		a, b := chains[0].block(txs...), chains[1].block(txs...)
		require.Equal(t, a.AppHash, b.AppHash, "block %d", i+1)
		require.Equal(t, cmttypes.NewResults(a.TxResults).Hash(), cmttypes.NewResults(b.TxResults).Hash(), "block %d", i+1)
		require.Len(t, a.TxResults, len(txs))
	}
	balance := sequential.Bank.GetBalance(sequential.NewContext(true), accounts[0], BondDenom)
	require.Equal(t, int64(1_000_000_000), balance.Amount.Int64(), "two out, two in")
}

// A state with a key that is being made starts again as it was.
func TestExportAndImport(t *testing.T) {
	keys, accounts := newKeys(2)
	app := newApplication(config.BlockExecutorSequential)
	chain := startChain(t, app, testGenesis(t, app, accounts), 1)
	result := chain.block(chain.sign(keys[0], 0, 0,
		banktypes.NewMsgSend(accounts[0], accounts[1], sdk.NewCoins(sdk.NewInt64Coin(BondDenom, 7))),
		&mpctypes.MsgKeyGen{
			Requester: accounts[0].String(), KeyId: "key", Threshold: 1, Algorithm: mpctypes.ALGORITHM_ECDSA_SECP256K1,
		}))
	require.Zero(t, result.TxResults[0].Code, result.TxResults[0].Log)
	chain.block()
	before := openRequest(t, app)

	exported, err := app.Export(false, nil, nil)
	require.NoError(t, err)
	require.Equal(t, int64(3), exported.Height, "the block after the last one")
	require.Len(t, exported.Validators, 3)
	require.Equal(t, int64(MaxBlockBytes), exported.ConsensusParams.Block.MaxBytes)

	again := newApplication(config.BlockExecutorSequential)
	next := startChain(t, again, exported.AppState, exported.Height)
	next.block()
	ctx := again.NewContext(true)
	require.Equal(t, int64(1_000_000_007), again.Bank.GetBalance(ctx, accounts[1], BondDenom).Amount.Int64())
	after := openRequest(t, again)
	before.Height, after.Height = 0, 0
	require.Equal(t, before.Commitment("chain"), after.Commitment("chain"))
	require.Equal(t, before.ExpiryHeight, after.ExpiryHeight, "heights go on, so the same block is its last")

	twice, err := again.Export(false, nil, nil)
	require.NoError(t, err)
	require.Equal(t, int64(4), twice.Height)
}

// A request by message costs its fee, once, and the collector has it until distribution
// takes it; who cannot pay changes nothing.
func TestRequestFees(t *testing.T) {
	keys, accounts := newKeys(1)
	app := newApplication(config.BlockExecutorSequential)
	fee := sdk.NewCoins(sdk.NewInt64Coin(BondDenom, 600_000_000))
	state, err := mpcnode.EditMPCGenesis(app.Codec, testGenesis(t, app, accounts), func(g *mpctypes.GenesisState) { g.Params.KeygenFee = fee })
	require.NoError(t, err)
	chain := startChain(t, app, state, 1)
	ask := func(sequence uint64, id string) *abci.ExecTxResult {
		return chain.block(chain.sign(keys[0], 0, sequence, &mpctypes.MsgKeyGen{
			Requester: accounts[0].String(), KeyId: id, Threshold: 1, Algorithm: mpctypes.ALGORITHM_ECDSA_SECP256K1,
		})).TxResults[0]
	}
	balance := func(of sdk.AccAddress) int64 {
		return app.Bank.GetBalance(app.NewContext(true), of, BondDenom).Amount.Int64()
	}
	for sequence := range uint64(2) {
		result := ask(sequence, "key")
		require.Zero(t, result.Code, result.Log)
		require.EqualValues(t, 400_000_000, balance(accounts[0]))
		if sequence == 0 {
			require.EqualValues(t, 600_000_000, balance(authtypes.NewModuleAddress(authtypes.FeeCollectorName)))
		}
	}
	refused := ask(2, "another")
	require.Equal(t, mpctypes.ErrFeeNotPaid.ABCICode(), refused.Code, refused.Log)
	require.Equal(t, mpctypes.ModuleName, refused.Codespace)
	require.EqualValues(t, 400_000_000, balance(accounts[0]))
	require.Equal(t, types.KeyID("key"), openRequest(t, app).KeyID)
}

// openRequest is the only open request.
func openRequest(t *testing.T, a *App) types.Request {
	t.Helper()
	requests, err := a.MPCState().EngineRequests(a.NewContext(true))
	require.NoError(t, err)
	require.Len(t, requests, 1)
	require.Len(t, requests[0].Members, 3)
	return requests[0]
}

func TestExportForZeroHeightIsRefused(t *testing.T) {
	a := NewTool()
	_, err := a.Export(true, nil, nil)
	require.ErrorIs(t, err, ErrZeroHeight)
	_, err = a.Export(false, []string{"seqvaloper1"}, nil)
	require.ErrorIs(t, err, ErrZeroHeight)
}

// A node that was killed loads its last block and goes on.
func TestRestart(t *testing.T) {
	_, accounts := newKeys(1)
	db := dbm.NewMemDB()
	open := func() *App {
		return New(log.NewNopLogger(), db, true, testOptions{}, baseapp.SetChainID(testChainID))
	}
	app := open()
	chain := startChain(t, app, testGenesis(t, app, accounts), 1)
	chain.block()
	last := chain.block()

	again := open()
	require.Equal(t, int64(2), again.LastBlockHeight())
	require.Equal(t, last.AppHash, again.LastCommitID().Hash)
	chain.app = again
	chain.block()
	ctx, err := again.CreateQueryContext(again.LastBlockHeight(), false)
	require.NoError(t, err)
	require.Equal(t, int64(3), ctx.BlockHeight())
	require.Equal(t, chain.time, ctx.BlockTime(), "the engine judges by it whether the node is behind")
}

// A message without a declared signer could be sent by anybody.
func TestMessagesDeclareTheirSigners(t *testing.T) {
	files, err := proto.MergedRegistry()
	require.NoError(t, err)
	require.NoError(t, msgservice.ValidateProtoAnnotations(files))
	require.NoError(t, NewTool().InterfaceRegistry.SigningContext().Validate())
}

func TestDefaultGenesisIsValid(t *testing.T) {
	a := NewTool()
	require.NoError(t, a.Basics().ValidateGenesis(a.Codec, a.TxConfig, a.DefaultGenesis()))
	require.Equal(t, BondDenom, sdk.DefaultBondDenom)
	require.Equal(t, "seq1", sdk.AccAddress(make([]byte, 20)).String()[:4])
}

// The fee collector and the pools must not be sent coins; x/gov may.
func TestBlockedAddresses(t *testing.T) {
	blocked := blockedAddresses()
	require.True(t, blocked[authtypes.NewModuleAddress(authtypes.FeeCollectorName).String()])
	require.False(t, blocked[Authority()])
}
