package cmd

import (
	"bytes"
	"encoding/hex"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
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

// What the README says of a vote is so in a new genesis, and who begins a chain has the deposit
// of an expedited one: an hour is over before any of them, and with it a deletion's way back.
func TestReadmeVotes(t *testing.T) {
	tool := app.NewTool()
	var gov govv1.GenesisState
	tool.Codec.MustUnmarshalJSON(tool.DefaultGenesis()[govtypes.ModuleName], &gov)
	text := readText(t, "README.md")
	require.Equal(t, 48*time.Hour, *gov.Params.VotingPeriod)
	require.Contains(t, text, "for two days in a new genesis")
	require.Equal(t, 24*time.Hour, *gov.Params.ExpeditedVotingPeriod)
	require.Contains(t, text, "`--expedited` makes that one day in a new genesis")
	require.Equal(t, "0.667000000000000000", gov.Params.ExpeditedThreshold)
	deposit := coins(t, `--deposit (\S+) --expedited`)
	require.Equal(t, sdk.NewCoins(deposit), sdk.NewCoins(gov.Params.ExpeditedMinDeposit...))
	require.Equal(t, coins(t, `--deposit (\S+) --from alice`).Amount.MulRaw(5), deposit.Amount)
	founder := coins(t, `add-genesis-account alice (\S+)`).Sub(coins(t, `gentx alice (\S+)`))
	require.True(t, founder.IsGTE(deposit))
	params := mpctypes.DefaultParams()
	require.EqualValues(t, 3600, params.RetireBlocks)
	require.Contains(t, text, "`retire_blocks`, 3,600 by default, which is an hour")
	require.EqualValues(t, 600, params.ReshareLifetimeBlocks)
	require.Contains(t, text, "`reshare_lifetime_blocks`, 600")
}

// Deposits in the help are of the chain's coin, where they name one.
func TestHelpDepositsTheCoinOfTheChain(t *testing.T) {
	examples, _ := helpTexts(t, commandTree())
	named, left := 0, 0
	for _, line := range examples {
		m := regexp.MustCompile(`--deposit (\S+)`).FindStringSubmatch(line)
		switch {
		case m == nil:
		case m[1] == "AMOUNT":
			left++
		default:
			deposit, err := sdk.ParseCoinNormalized(m[1])
			require.NoError(t, err, line)
			require.Equal(t, app.BondDenom, deposit.Denom, line)
			named++
		}
	}
	require.GreaterOrEqual(t, left, 5)
	require.Positive(t, named)
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

// The policy that the module's README proposes passes with all other parameters, for a key
// that does not exist yet, replaces what the key had, and allows what it says and no more.
func TestReadmeProposesAPolicy(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("there is no jq, with which the README writes parameters down")
	}
	const key = "bridge"
	f := chain.New(t, 1)
	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	params.Policies = []mpctypes.KeyPolicy{{KeyId: "after", MaxFee: "1"}, {KeyId: key, MaxFee: "1"}, {KeyId: "treasury", MaxFee: "1"}}
	for _, before := range [][]mpctypes.KeyPolicy{nil, params.Policies} {
		params.Policies = before
		msg := proposedParams(t, filtered(t, params))
		msg.Authority = f.Authority
		_, err = keeper.NewMsgServer(f.Keeper).UpdateParams(f.Ctx, &msg)
		require.NoError(t, err)
		params, err = f.Keeper.Params(f.Ctx)
		require.NoError(t, err)
		require.Len(t, params.Policies, max(1, len(before)))
		for _, p := range before {
			if p.KeyId != key {
				require.Equal(t, p, *params.PolicyOf(p.KeyId))
			}
		}
		params.Policies = before
		msg.Authority, msg.Params.Policies = "", before
		require.Equal(t, params, msg.Params, "nothing else changes")
		params, err = f.Keeper.Params(f.Ctx)
		require.NoError(t, err)
	}
	_, err = f.Keeper.Key(f.Ctx, key)
	require.ErrorIs(t, err, mpctypes.ErrUnknownKey)

	policy := params.PolicyOf(key).ToEngine()
	check := func(flags ...string) error {
		out, err := run(t, t.TempDir(), append([]string{"mpc", "payload", "ethereum-tx", "--nonce", "0", "--to", policy.To[0],
			"--gas", "60000", "--max-priority-fee", "1gwei"}, flags...)...)
		require.NoError(t, err)
		data, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(out), "0x"))
		require.NoError(t, err)
		decoded, err := types.NewPayloadKinds(ethereum.Kinds()...).Decode(types.Payload{Kind: "ethereum-tx", Data: data})
		require.NoError(t, err)
		return policy.Check("ethereum-tx", decoded.Claims())
	}
	const sepolia, mainnet, transfer, approve = "--chain-id=11155111", "--chain-id=1", "--data=0xa9059cbb", "--data=0x095ea7b3"
	require.NoError(t, check(sepolia, transfer, "--max-fee=300gwei"))
	require.ErrorIs(t, check(mainnet, transfer, "--max-fee=300gwei"), types.ErrWrongChain)
	require.ErrorIs(t, check(sepolia, approve, "--max-fee=300gwei"), types.ErrPolicy)
	require.ErrorIs(t, check(sepolia, transfer, "--max-fee=400gwei"), types.ErrPolicy)
	require.ErrorIs(t, check(sepolia, transfer, "--max-fee=300gwei", "--value=1"), types.ErrPolicy)
}

// moduleReadme is that of x/mpc.
const moduleReadme = "x/mpc/README.md"

// filtered are the parameters as the filter of its line on policies writes them.
func filtered(t *testing.T, params mpctypes.Params) string {
	t.Helper()
	filter := regexp.MustCompile(`sequencerd query mpc params -o json \| jq -c '(\.params \| \.policies [^']+)' > params\.json`).FindStringSubmatch(readText(t, moduleReadme))
	require.Len(t, filter, 2)
	text, err := app.NewTool().Codec.MarshalJSON(&mpctypes.QueryParamsResponse{Params: params})
	require.NoError(t, err)
	jq := exec.CommandContext(t.Context(), "jq", "-c", filter[1])
	jq.Stdin = bytes.NewReader(text)
	out, err := jq.Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

// proposedParams is the message that the line after it proposes.
func proposedParams(t *testing.T, params string) mpctypes.MsgUpdateParams {
	t.Helper()
	home := fullNode(t)
	_, err := run(t, home, "keys", "add", "alice", "--keyring-backend", "test")
	require.NoError(t, err)
	all := commands(t, moduleReadme)
	i := slices.IndexFunc(all, func(line string) bool { return strings.HasPrefix(line, "tx mpc update-params-proposal ") })
	require.GreaterOrEqual(t, i, 0)
	line := strings.ReplaceAll(all[i], " --gas auto --gas-adjustment 1.5", "") // that asks a node
	words := wordsOf(line)
	words[slices.Index(words, answer)] = params
	shown, err := run(t, home, append(words, "--generate-only", "--keyring-backend", "test")...)
	require.NoError(t, err)
	tx, err := app.NewTool().TxConfig.TxJSONDecoder()([]byte(shown))
	require.NoError(t, err)
	require.Len(t, tx.GetMsgs(), 1)
	proposal, ok := tx.GetMsgs()[0].(*govv1.MsgSubmitProposal)
	require.True(t, ok)
	proposed, err := proposal.GetMsgs()
	require.NoError(t, err)
	require.Len(t, proposed, 1)
	msg, ok := proposed[0].(*mpctypes.MsgUpdateParams)
	require.True(t, ok)
	require.NotEmpty(t, msg.Authority)
	return *msg
}
