package cmd

import (
	"regexp"
	"slices"
	"strings"
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

// A plan without links to a program is refused by the client, unless it is told not to look
// for them: the README's proposal is one that can be sent.
func TestReadmeProposesAnUpgrade(t *testing.T) {
	home := fullNode(t)
	_, err := run(t, home, "keys", "add", "alice", "--keyring-backend", "test")
	require.NoError(t, err)
	all := commands(t, "README.md")
	i := slices.IndexFunc(all, func(line string) bool { return strings.HasPrefix(line, "tx upgrade software-upgrade ") })
	require.GreaterOrEqual(t, i, 0)
	line := strings.ReplaceAll(all[i], " --gas auto --gas-adjustment 1.5", "") // that asks a node
	shown := stdout(t, func() {
		_, err = run(t, home, append(wordsOf(line), "--generate-only", "--keyring-backend", "test")...)
	})
	require.NoError(t, err)
	require.Contains(t, shown, "/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade")
	require.Contains(t, shown, `"name":"`+app.UpgradeName+`"`)
}
