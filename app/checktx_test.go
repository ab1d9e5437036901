package app

import (
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/server"
	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// A bundle of results does not get into the mempool, transactions do, with the node's
// settings.
func TestCheckTx(t *testing.T) {
	keys, accounts := newKeys(1)
	builder := mpctypes.NewBundleBuilder(mpctypes.DefaultParams().BundleLimits())
	require.True(t, builder.AddSignature(&types.SignatureResult{RequestID: "unknown", R: make([]byte, 32), S: make([]byte, 32)}))
	bundle, err := builder.Encode()
	require.NoError(t, err)
	for _, trace := range []bool{false, true} {
		app := New(log.NewNopLogger(), dbm.NewMemDB(), true, testOptions{server.FlagTrace: trace}, baseapp.SetChainID(testChainID))
		chain := startChain(t, app, testGenesis(t, app, accounts), 1)
		chain.block()
		check := func(tx []byte) *abci.ResponseCheckTx {
			resp, err := app.CheckTx(&abci.RequestCheckTx{Tx: tx, Type: abci.CheckTxType_New})
			require.NoError(t, err)
			return resp
		}
		refused := check(bundle)
		require.EqualValues(t, 27, refused.Code, refused.Log)
		require.Equal(t, mpctypes.ModuleName, refused.Codespace)

		passed := check(chain.sign(keys[0], 0, 0,
			banktypes.NewMsgSend(accounts[0], accounts[0], sdk.NewCoins(sdk.NewInt64Coin(BondDenom, 1)))))
		require.Zero(t, passed.Code, passed.Log)
		require.EqualValues(t, signedGas, passed.GasWanted)

		none := check([]byte("no transaction"))
		require.NotZero(t, none.Code)
		require.Equal(t, trace, strings.Contains(none.Log, ".go:"), "where the error comes from: %s", none.Log)
	}
}
