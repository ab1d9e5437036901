package app

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/testutil/mock"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// testChainID is that of chains in memory.
const testChainID = "example-1"

// newChain is a chain at its genesis.
func newChain(t *testing.T) *App {
	t.Helper()
	return beginChain(t, dbm.NewMemDB(), 1)
}

// beginChain is one in this database, with so many validators.
func beginChain(t *testing.T, db dbm.DB, validators int) *App {
	t.Helper()
	app := New(log.NewNopLogger(), db, baseapp.SetChainID(testChainID))
	var all []*cmttypes.Validator
	for range validators {
		key, err := mock.NewPV().GetPubKey()
		require.NoError(t, err)
		all = append(all, cmttypes.NewValidator(key, 1))
	}
	account := sdk.AccAddress(all[0].Address)
	state, err := simtestutil.GenesisStateWithValSet(app.Codec, app.Basics.DefaultGenesis(app.Codec), cmttypes.NewValidatorSet(all),
		[]authtypes.GenesisAccount{authtypes.NewBaseAccountWithAddress(account)},
		banktypes.Balance{Address: account.String(), Coins: sdk.NewCoins(sdk.NewInt64Coin(bondDenom, 5))})
	require.NoError(t, err)
	// The SDK's helper counts the stake of one validator. Without a supply it is summed up.
	var bank banktypes.GenesisState
	app.Codec.MustUnmarshalJSON(state[banktypes.ModuleName], &bank)
	bank.Supply = nil
	pool := authtypes.NewModuleAddress(stakingtypes.BondedPoolName).String()
	for i := range bank.Balances {
		if b := &bank.Balances[i]; b.Address == pool {
			b.Coins = b.Coins.MulInt(math.NewInt(int64(validators)))
		}
	}
	state[banktypes.ModuleName] = app.Codec.MustMarshalJSON(&bank)
	encoded, err := json.Marshal(state)
	require.NoError(t, err)
	params := cmttypes.DefaultConsensusParams().ToProto()
	_, err = app.InitChain(&abci.RequestInitChain{ChainId: testChainID, InitialHeight: 1, AppStateBytes: encoded, ConsensusParams: &params})
	require.NoError(t, err)
	return app
}

// What the chain did with proposals before x/mpc came it does still, and what only looks
// like a bundle is refused beside.
func TestProposalHandlersAreWrapped(t *testing.T) {
	app := newChain(t)
	txs := make([][]byte, MaxTxs+10)
	for i := range txs {
		tx := app.TxConfig.NewTxBuilder()
		tx.SetMemo(fmt.Sprintf("transaction %d", i))
		encoded, err := app.TxConfig.TxEncoder()(tx.GetTx())
		require.NoError(t, err)
		txs[i] = encoded
	}
	at := time.Unix(1_700_000_000, 0)
	proposed, err := app.PrepareProposal(&abci.RequestPrepareProposal{Height: 1, Time: at, Txs: txs, MaxTxBytes: 1 << 20})
	require.NoError(t, err)
	require.Len(t, proposed.Txs, MaxTxs)
	require.Equal(t, txs[:MaxTxs], proposed.Txs)

	answer := func(txs [][]byte) abci.ResponseProcessProposal_ProposalStatus {
		resp, err := app.ProcessProposal(&abci.RequestProcessProposal{Height: 1, Time: at, Txs: txs})
		require.NoError(t, err)
		return resp.Status
	}
	require.Equal(t, abci.ResponseProcessProposal_ACCEPT, answer(txs[:MaxTxs]))
	require.Equal(t, abci.ResponseProcessProposal_REJECT, answer(txs[:MaxTxs+1]))
	like := []byte(mpctypes.BundlePrefix + " and no bundle")
	require.True(t, mpctypes.IsBundle(like))
	require.Equal(t, abci.ResponseProcessProposal_REJECT, answer([][]byte{like}))
}
