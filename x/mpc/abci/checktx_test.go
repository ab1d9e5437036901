package abci_test

import (
	"testing"

	cmtabci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/mpc/abci"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// runs is a transaction that goes well, with events.
func runs(events []cmtabci.Event) sdk.RunTx {
	return func([]byte, sdk.Tx) (sdk.GasInfo, *sdk.Result, []cmtabci.Event, error) {
		return sdk.GasInfo{GasWanted: 7, GasUsed: 5}, &sdk.Result{Log: "ran", Events: events}, nil, nil
	}
}

// failing is one that fails.
func failing(err error) sdk.RunTx {
	return func([]byte, sdk.Tx) (sdk.GasInfo, *sdk.Result, []cmtabci.Event, error) {
		return sdk.GasInfo{GasWanted: 7}, nil, nil, err
	}
}

func TestCheckTxRefusesBundles(t *testing.T) {
	c := newScene(t)
	run := runs(nil)
	fails := failing(types.ErrBadID)
	inner := func(sdk.RunTx, *cmtabci.RequestCheckTx) (*cmtabci.ResponseCheckTx, error) {
		return &cmtabci.ResponseCheckTx{Log: "inner"}, nil
	}
	h := c.handlers(nil)
	resp, err := h.CheckTx(inner)(run, &cmtabci.RequestCheckTx{Tx: bundle(t, c.results)})
	require.NoError(t, err)
	require.Equal(t, types.ErrBadBundle.ABCICode(), resp.Code)
	require.Equal(t, types.ModuleName, resp.Codespace)
	resp, err = h.CheckTx(inner)(run, &cmtabci.RequestCheckTx{Tx: txsOf(1, 50)[0]})
	require.NoError(t, err)
	require.Equal(t, "inner", resp.Log)
	resp, err = h.CheckTx(nil)(run, &cmtabci.RequestCheckTx{Tx: txsOf(1, 50)[0]})
	require.NoError(t, err)
	require.Equal(t, cmtabci.ResponseCheckTx{GasWanted: 7, GasUsed: 5, Log: "ran", Events: []cmtabci.Event{}}, *resp)
	resp, err = h.CheckTx(nil)(fails, &cmtabci.RequestCheckTx{Tx: txsOf(1, 50)[0]})
	require.NoError(t, err)
	require.Equal(t, types.ErrBadID.ABCICode(), resp.Code)
}

// The default answers as baseapp does with the node's settings.
func TestDefaultCheckTx(t *testing.T) {
	check := func(h sdk.CheckTxHandler, run sdk.RunTx) *cmtabci.ResponseCheckTx {
		resp, err := h(run, &cmtabci.RequestCheckTx{})
		require.NoError(t, err)
		return resp
	}
	refused := failing(types.ErrBadID.Wrap("-"))
	require.NotContains(t, check(abci.DefaultCheckTx(false, nil), refused).Log, ".go:")
	require.Contains(t, check(abci.DefaultCheckTx(true, nil), refused).Log, "checktx_test.go:", "where the error comes from")

	paid := runs([]cmtabci.Event{{Type: "tx", Attributes: []cmtabci.EventAttribute{{Key: "fee"}, {Key: "payer"}}}})
	for _, c := range []struct {
		index      []string
		fee, payer bool
	}{
		{nil, true, true},
		{[]string{"tx.fee"}, true, false},
	} {
		attributes := check(abci.DefaultCheckTx(false, c.index), paid).Events[0].Attributes
		require.Equal(t, c.fee, attributes[0].Index)
		require.Equal(t, c.payer, attributes[1].Index)
	}
}
