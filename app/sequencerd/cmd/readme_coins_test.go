package cmd

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"github.com/sequencer-mpc/sequencer/app"
)

// coins are those that a pattern finds in the README.
func coins(t *testing.T, pattern string) sdk.Coin {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(readText(t, "README.md"))
	require.Len(t, m, 2, pattern)
	c, err := sdk.ParseCoinNormalized(m[1])
	require.NoError(t, err)
	return c
}

// No module mints coins: whoever begins or joins a chain as the README says keeps enough
// to propose something, or nobody could ever change a parameter or the program.
func TestReadmeLeavesADeposit(t *testing.T) {
	tool := app.NewTool()
	var gov govv1.GenesisState
	tool.Codec.MustUnmarshalJSON(tool.DefaultGenesis()[govtypes.ModuleName], &gov)
	deposit := coins(t, `--deposit (\S+) --from alice`)
	require.Equal(t, sdk.NewCoins(deposit), sdk.NewCoins(gov.Params.MinDeposit...), "nobody votes before it is whole")
	founder := coins(t, `add-genesis-account alice (\S+)`).Sub(coins(t, `gentx alice (\S+)`))
	joiner := coins(t, `bank send THEIRS ADDRESS (\S+)`).Sub(coins(t, `"amount": "(\S+)"`))
	for _, left := range []sdk.Coin{founder, joiner} {
		require.True(t, left.IsGTE(deposit), "%s are left beside what is bonded", left)
	}
}
