package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/testutil/mock"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/sequencer-mpc/sequencer/app"
)

// someBlocks gives a full node's home the state of a chain after its first blocks.
func someBlocks(t *testing.T, home string, blocks int64) {
	t.Helper()
	db, err := dbm.NewDB("application", dbm.GoLevelDBBackend, filepath.Join(home, "data"))
	require.NoError(t, err)
	a := app.New(log.NewNopLogger(), db, true, simtestutil.EmptyAppOptions{}, baseapp.SetChainID("seq-1"))
	key, err := mock.NewPV().GetPubKey()
	require.NoError(t, err)
	account := sdk.AccAddress(key.Address())
	state, err := simtestutil.GenesisStateWithValSet(a.Codec, a.DefaultGenesis(),
		cmttypes.NewValidatorSet([]*cmttypes.Validator{cmttypes.NewValidator(key, 1)}),
		[]authtypes.GenesisAccount{authtypes.NewBaseAccountWithAddress(account)},
		banktypes.Balance{Address: account.String(), Coins: sdk.NewCoins(sdk.NewInt64Coin(app.BondDenom, 5))})
	require.NoError(t, err)
	encoded, err := json.Marshal(state)
	require.NoError(t, err)
	params := app.ConsensusParams().ToProto()
	began := time.Unix(1_700_000_000, 0).UTC()
	_, err = a.InitChain(&abci.RequestInitChain{
		ChainId: "seq-1", Time: began, InitialHeight: 1, AppStateBytes: encoded, ConsensusParams: &params,
	})
	require.NoError(t, err)
	for height := range blocks {
		_, err = a.FinalizeBlock(&abci.RequestFinalizeBlock{Height: height + 1, Time: began.Add(time.Duration(height+1) * time.Second)})
		require.NoError(t, err)
		_, err = a.Commit()
		require.NoError(t, err)
	}
	require.NoError(t, a.Close())
}

// What export writes to standard output is a genesis file and nothing else.
func TestExportIsAGenesisFile(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"--log_level", "debug", "--log_format", "json"}, {"--height", "1"}} {
		home := fullNode(t) // the SDK's export leaves the database open until the process ends
		someBlocks(t, home, 1)
		out, err := run(t, home, append([]string{"export"}, flags...)...)
		require.NoError(t, err, flags)
		require.True(t, json.Valid([]byte(out)), "%v: it begins with %.80s", flags, out)
		file := filepath.Join(t.TempDir(), "genesis.json")
		require.NoError(t, os.WriteFile(file, []byte(out), 0o600))
		genesis, err := genutiltypes.AppGenesisFromFile(file)
		require.NoError(t, err)
		require.Equal(t, int64(2), genesis.InitialHeight, "the block after the last one")
		require.Len(t, genesis.Consensus.Validators, 1)
		_, err = run(t, home, "genesis", "validate", file)
		require.NoError(t, err, flags)
	}
}
