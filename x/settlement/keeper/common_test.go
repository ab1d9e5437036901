package keeper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/settlement/keeper"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

const (
	contract = "0x00000000000000000000000000000000000000aa"
	function = "appendStateBatch(bytes32,uint256,uint256)"
	stateKey = types.IDPrefix + "state-1"
)

// fixture is a chain whose x/mpc has the module. What members of x/mpc would do, the test
// does with a key of its own.
type fixture struct {
	*chain.Fixture
	t     *testing.T
	k     *keeper.Keeper
	msg   types.MsgServer
	query types.QueryServer
	store *storetypes.KVStoreKey
	hooks *lossy
}

// lossy are the module's hooks, which fail when they are done while a test wants it.
type lossy struct {
	mpctypes.Hooks
	fail bool
}

func (l *lossy) lose(err error) error {
	if err == nil && l.fail {
		return errors.New("lost")
	}
	return err
}

func (l *lossy) AfterKeyReady(ctx context.Context, key mpctypes.Key) error {
	return l.lose(l.Hooks.AfterKeyReady(ctx, key))
}

func (l *lossy) AfterKeyDeleted(ctx context.Context, key mpctypes.Key) error {
	return l.lose(l.Hooks.AfterKeyDeleted(ctx, key))
}

func (l *lossy) AfterSignatureReady(ctx context.Context, s mpctypes.Signature) error {
	return l.lose(l.Hooks.AfterSignatureReady(ctx, s))
}

func (l *lossy) AfterSignFailed(ctx context.Context, s mpctypes.Signature) error {
	return l.lose(l.Hooks.AfterSignFailed(ctx, s))
}

// clear empties the module's store.
func (f *fixture) clear() {
	f.t.Helper()
	store := f.Ctx.KVStore(f.store)
	var keys [][]byte
	entries := store.Iterator(nil, nil)
	for ; entries.Valid(); entries.Next() {
		keys = append(keys, entries.Key())
	}
	require.NoError(f.t, entries.Close())
	for _, key := range keys {
		store.Delete(key)
	}
}

// export is the state after the block that the chain is at, as of a node that stopped then.
func (f *fixture) export() types.GenesisState {
	f.t.Helper()
	height := f.Ctx.BlockHeight()
	f.EndBlocks(height + 1)
	g, err := f.k.ExportGenesis(f.Ctx.WithBlockHeight(height))
	require.NoError(f.t, err)
	require.NoError(f.t, g.Validate())
	return *g
}

// restart imports a state into the empty store of a chain whose first block has this height.
func (f *fixture) restart(g types.GenesisState, first int64) {
	f.t.Helper()
	f.clear()
	_, err := f.k.Params(f.Ctx)
	require.Error(f.t, err, "nothing is left")
	f.Ctx = f.Ctx.WithBlockHeight(first)
	require.NoError(f.t, f.k.InitGenesis(f.Ctx, g))
}

// newFixture has four validators of this power that settle nothing yet.
func newFixture(t *testing.T, powers ...int64) *fixture {
	t.Helper()
	store := storetypes.NewKVStoreKey(types.StoreKey)
	f := &fixture{Fixture: chain.NewBeside(t, len(powers), store), t: t, store: store}
	for i, power := range powers {
		f.Participants[i].Staked.Tokens = math.NewInt(power)
	}
	f.Keeper.SetPayloadKinds(ethereum.Kinds()...)
	f.k = keeper.NewKeeper(f.Cdc, runtime.NewKVStoreService(store), f.Staking, f.Keeper.ForModule(types.ModuleName), f.Authority,
		address.NewBech32Codec("seqvaloper"))
	f.hooks = &lossy{Hooks: f.k}
	f.Keeper.AddHooks(types.ModuleName, f.hooks).AddPolicy(types.ModuleName, f.k)
	f.msg, f.query = keeper.NewMsgServer(f.k), keeper.NewQueryServer(f.k)
	require.NoError(t, f.k.InitGenesis(f.Ctx, *types.DefaultGenesis()))
	return f
}

// newSettling is one of four equal validators with a READY key that settles states.
func newSettling(t *testing.T) (*fixture, chain.Secret) {
	t.Helper()
	f := newFixture(t, 1, 1, 1, 1)
	f.setParams(func(*types.Params) {})
	return f, f.readyKey(stateKey, types.PURPOSE_STATE)
}

func testParams() types.Params {
	p := types.DefaultParams()
	p.ChainId, p.StartFeePerGas, p.StartTipPerGas, p.MaxFeePerGas, p.BumpBlocks = 1337, 1000, 10, 1300, 5
	p.Destinations = []types.Destination{{Purpose: types.PURPOSE_STATE, Contract: contract, Function: function}}
	return p
}

func (f *fixture) setParams(change func(*types.Params)) {
	f.t.Helper()
	p := testParams()
	change(&p)
	_, err := f.msg.UpdateParams(f.Ctx, &types.MsgUpdateParams{Authority: f.Authority, Params: p})
	require.NoError(f.t, err)
}

func (f *fixture) makeKey(id string, takes ...types.Purpose) error {
	_, err := f.msg.MakeKey(f.Ctx, &types.MsgMakeKey{Authority: f.Authority, KeyId: id, Threshold: 1, Takes: takes})
	return err
}

func (f *fixture) readyKey(id string, takes ...types.Purpose) chain.Secret {
	f.t.Helper()
	require.NoError(f.t, f.makeKey(id, takes...))
	secret := chain.NewSecret(id)
	f.AttestAll(id, secret)
	return secret
}

// block is a range whose root is made of its name.
func block(first, last uint64, root byte) types.Range {
	return types.Range{FirstBlock: first, LastBlock: last, StateRoot: bytes.Repeat([]byte{root}, types.RootBytes)}
}

// propose lets validator i propose.
func (f *fixture) propose(i int, purpose types.Purpose, r types.Range) (*types.MsgProposeBatchResponse, error) {
	return f.msg.ProposeBatch(f.Ctx, &types.MsgProposeBatch{
		Operator: f.Participants[i].Operator, Purpose: purpose, FirstBlock: r.FirstBlock, LastBlock: r.LastBlock, StateRoot: r.StateRoot,
	})
}

// accept lets three of four validators propose, and returns the transaction.
func (f *fixture) accept(r types.Range) uint64 {
	f.t.Helper()
	var id uint64
	for i := range 3 {
		answer, err := f.propose(i, types.PURPOSE_STATE, r)
		require.NoError(f.t, err)
		id = answer.TransactionId
	}
	require.NotZero(f.t, id)
	return id
}

func (f *fixture) tx(id uint64) types.Transaction {
	f.t.Helper()
	t, err := f.k.Transaction(f.Ctx, id)
	require.NoError(f.t, err)
	return t
}

// sign signs the newest attempt of a transaction, as members would.
func (f *fixture) sign(id uint64, secret chain.Secret) types.Attempt {
	f.t.Helper()
	t := f.tx(id)
	s, err := f.Keeper.Signature(f.Ctx, t.Current().SignatureId)
	require.NoError(f.t, err)
	require.Equal(f.t, mpctypes.SIGNATURE_STATUS_PENDING, s.Status)
	require.NoError(f.t, f.Keeper.EngineCheckSign(f.Ctx, s.Id), "members may sign it")
	result := secret.Sign(s.Id, s.Digest)
	require.NoError(f.t, f.Keeper.ApplySignature(f.Ctx, &result))
	t = f.tx(id)
	return *t.Current()
}

// expire lets the requests for signatures that are open run out.
func (f *fixture) expire() {
	f.t.Helper()
	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(f.t, err)
	f.EndBlocks(f.Ctx.BlockHeight() + int64(params.SignLifetimeBlocks) + 1)
}

func (f *fixture) bump(i int, id uint64) error {
	_, err := f.msg.BumpFee(f.Ctx, &types.MsgBumpFee{Operator: f.Participants[i].Operator, TransactionId: id})
	return err
}

func (f *fixture) report(i int, id uint64, r types.Receipt) (bool, error) {
	answer, err := f.msg.ReportReceipt(f.Ctx, &types.MsgReportReceipt{Operator: f.Participants[i].Operator, TransactionId: id, Receipt: r})
	if err != nil {
		return false, err
	}
	return answer.Decided, nil
}

func receipt(hash string, success bool) types.Receipt {
	return types.Receipt{Hash: hash, Success: success, BlockNumber: 7, BlockHash: fmt.Sprintf("0x%064d", 7), GasUsed: 50_000}
}

// include lets three of four validators report.
func (f *fixture) include(id uint64, r types.Receipt) {
	f.t.Helper()
	for i := range 3 {
		decided, err := f.report(i, id, r)
		require.NoError(f.t, err)
		require.Equal(f.t, i == 2, decided)
	}
}

func (f *fixture) line(purpose types.Purpose) types.Line {
	f.t.Helper()
	answer, err := f.query.Lines(f.Ctx, &types.QueryLinesRequest{})
	require.NoError(f.t, err)
	require.Len(f.t, answer.Lines, len(types.Purposes()))
	return answer.Lines[purpose-1]
}
