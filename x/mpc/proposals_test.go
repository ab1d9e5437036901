package mpc_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec/address"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func govAddress() string {
	gov, err := address.NewBech32Codec("seq").BytesToString(authtypes.NewModuleAddress(govtypes.ModuleName))
	if err != nil {
		panic(err)
	}
	return gov
}

// governed is a chain whose authority is x/gov, as its keeper was made, where the module vault
// has the key vault:k, with a node that answers.
func governed(t *testing.T) commandLine {
	t.Helper()
	c := newCommandLine(t)
	c.fixture = chain.NewPlain(t, 3)
	f := c.fixture
	govv1.RegisterInterfaces(f.Cdc.InterfaceRegistry())
	f.GiveTo(govAddress())
	_, err := f.Keeper.ForModule("vault").KeyGen(f.Ctx, "vault:k", types.ALGORITHM_ECDSA_SECP256K1, 1, nil)
	require.NoError(t, err)
	f.AttestAll("vault:k", chain.NewSecret("vault:k"))
	c.ask(newFixtureNode(f))
	return c
}

// ask has commands ask a node, which has x/gov, too.
func (c *commandLine) ask(node fixtureNode) {
	govv1.RegisterQueryServer(node.queries, &govQueries{})
	c.node = node
}

// govQueries answers how long votes take.
type govQueries struct{ govv1.UnimplementedQueryServer }

func (*govQueries) Params(context.Context, *govv1.QueryParamsRequest) (*govv1.QueryParamsResponse, error) {
	ordinary, expedited := 48*time.Hour, 24*time.Hour
	return &govv1.QueryParamsResponse{Params: &govv1.Params{VotingPeriod: &ordinary, ExpeditedVotingPeriod: &expedited}}, nil
}

// proposed runs a command that proposes, and returns the one message of its proposal.
func (c commandLine) proposed(args ...string) (sdk.Msg, *govv1.MsgSubmitProposal) {
	c.t.Helper()
	args = append(args, "--from", c.fixture.Requester, "--title", "short", "--summary", "long", "--deposit", "5stake", "--generate-only")
	_, made, _ := strings.Cut(c.run(c.addTx, args...), "{") // what it tells comes before
	proposal, ok := c.message("{" + made).(*govv1.MsgSubmitProposal)
	require.True(c.t, ok)
	require.Equal(c.t, c.fixture.Requester, proposal.Proposer)
	require.Equal(c.t, []string{"short", "long", "5stake"}, []string{proposal.Title, proposal.Summary, sdk.NewCoins(proposal.InitialDeposit...).String()})
	messages, err := proposal.GetMsgs()
	require.NoError(c.t, err)
	require.Len(c.t, messages, 1)
	return messages[0], proposal
}

// Whatever the owner of a key may but have it sign can be proposed, in the name of x/gov, and
// the chain takes that for a key that a module owns.
func TestProposals(t *testing.T) {
	c := governed(t)
	f, gov := c.fixture, govAddress()
	key, err := f.Keeper.Key(f.Ctx, "vault:k")
	require.NoError(t, err)
	f.Register(f.AddValidator(3))

	refresh, proposal := c.proposed("refresh-proposal", "r", "vault:k", "--chain-id", chain.ChainID)
	require.False(t, proposal.Expedited)
	require.Equal(t, &types.MsgKeyReshare{Requester: gov, ReshareId: "r", KeyId: "vault:k", Threshold: 1, Participants: key.Participants}, refresh,
		"and not to the one who came")
	_, err = f.Msg.KeyReshare(f.Ctx, refresh.(*types.MsgKeyReshare))
	require.NoError(t, err)

	cancel, _ := c.proposed("cancel-reshare-proposal", "r", "--chain-id", chain.ChainID)
	require.Equal(t, &types.MsgCancelReshare{Requester: gov, ReshareId: "r"}, cancel)
	_, err = f.Msg.CancelReshare(f.Ctx, cancel.(*types.MsgCancelReshare))
	require.NoError(t, err)

	reshare, proposal := c.proposed("reshare-proposal", "r2", "vault:k", "2", "--participants", chain.Operator(3)+","+chain.Operator(0)+","+chain.Operator(1), "--expedited",
		"--chain-id", chain.ChainID)
	require.True(t, proposal.Expedited)
	require.Equal(t, &types.MsgKeyReshare{
		Requester: gov, ReshareId: "r2", KeyId: "vault:k", Threshold: 2, Participants: []string{chain.Operator(3), chain.Operator(0), chain.Operator(1)},
	}, reshare)
	_, err = f.Msg.KeyReshare(f.Ctx, reshare.(*types.MsgKeyReshare))
	require.NoError(t, err)

	deletion, _ := c.proposed("delete-proposal", "vault:k", "--chain-id", chain.ChainID)
	require.Equal(t, &types.MsgKeyDelete{Requester: gov, KeyId: "vault:k"}, deletion)
	_, err = f.Msg.KeyDelete(f.Ctx, deletion.(*types.MsgKeyDelete))
	require.NoError(t, err)

	undeletion, _ := c.proposed("undelete-proposal", "vault:k", "--chain-id", chain.ChainID)
	require.Equal(t, &types.MsgUndelete{Requester: gov, KeyId: "vault:k"}, undeletion)
	_, err = f.Msg.Undelete(f.Ctx, undeletion.(*types.MsgUndelete))
	require.NoError(t, err)
}

// Those that need not ask a node do not where they must not.
func TestProposalsOffline(t *testing.T) {
	c := newCommandLine(t)
	govv1.RegisterInterfaces(c.fixture.Cdc.InterfaceRegistry())
	offline := []string{"--offline", "--account-number", "1", "--sequence", "1"}
	for _, args := range [][]string{
		{"reshare-proposal", "r", "k", "2"}, {"cancel-reshare-proposal", "r"}, {"delete-proposal", "k"}, {"undelete-proposal", "k"},
	} {
		c.proposed(append(args, offline...)...)
	}
}

// What no vote brings about is not voted on: a mistake is found before days have gone.
func TestProposalsAreRefused(t *testing.T) {
	c := governed(t)
	c.fixture.ReadyKey("gone", 1)
	_, err := c.fixture.Msg.KeyDelete(c.fixture.Ctx, &types.MsgKeyDelete{Requester: c.fixture.Requester, KeyId: "gone"})
	require.NoError(t, err)
	f := c.fixture
	f.EndBlocks(f.Ctx.BlockHeight() + 101)
	requireStatus(t, f, "gone", types.KEY_STATUS_DELETED)
	f.KeyGen("failed", 1)
	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	f.EndBlocks(f.Ctx.BlockHeight() + int64(params.KeygenLifetimeBlocks) + 1)
	requireStatus(t, f, "failed", types.KEY_STATUS_ERROR)
	f.KeyGen("never", 1)
	_, err = f.Msg.KeyDelete(f.Ctx, &types.MsgKeyDelete{Requester: f.Requester, KeyId: "never"})
	require.NoError(t, err)
	requireStatus(t, f, "never", types.KEY_STATUS_DELETING)
	_, err = f.Msg.KeyReshare(f.Ctx, &types.MsgKeyReshare{Requester: govAddress(), ReshareId: "decided", KeyId: "vault:k", Threshold: 1})
	require.NoError(t, err)
	_, err = f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: govAddress(), ReshareId: "decided"})
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		args []string
		says []string
	}{
		"refresh of no key":      {[]string{"refresh-proposal", "r", "none"}, []string{"key none", "unknown_key"}},
		"refresh of a deleted":   {[]string{"refresh-proposal", "r", "gone"}, []string{"key_deleted"}},
		"refresh offline":        {[]string{"refresh-proposal", "r", "vault:k", "--offline"}, []string{"--offline", "reshare-proposal"}},
		"bad reshare id":         {[]string{"refresh-proposal", "auto:r", "vault:k"}, []string{"bad_id"}},
		"threshold of a reshare": {[]string{"reshare-proposal", "r", "vault:k", "two"}, []string{"two", "bad_threshold"}},
		"no reshare":             {[]string{"cancel-reshare-proposal", "r"}, []string{"reshare r", "unknown_reshare"}},
		"deletion of no key":     {[]string{"delete-proposal", "none"}, []string{"key none", "unknown_key"}},
		"undeletion of no key":   {[]string{"undelete-proposal", "none"}, []string{"key none", "unknown_key"}},
		"reshare of no key":      {[]string{"reshare-proposal", "r", "none", "2"}, []string{"key none", "unknown_key"}},
		"reshare of a deleted":   {[]string{"reshare-proposal", "r", "gone", "2"}, []string{"key_deleted", "for ever"}},
		"reshare of a failed":    {[]string{"reshare-proposal", "r", "failed", "2"}, []string{"key_failed"}},
		"decided reshare":        {[]string{"cancel-reshare-proposal", "decided"}, []string{"already_decided", "RESHARE_STATUS_ERROR"}},
		"deletion of a deleted":  {[]string{"delete-proposal", "gone"}, []string{"key_deleted", "for ever"}},
		"undeletion of it":       {[]string{"undelete-proposal", "gone"}, []string{"key_deleted", "for ever"}},
		"undeletion of a failed": {[]string{"undelete-proposal", "failed"}, []string{"key_failed"}},
		"and one never made":     {[]string{"undelete-proposal", "never"}, []string{"key_failed"}},
		"deposit":                {[]string{"delete-proposal", "vault:k", "--deposit", "much"}, []string{"invalid deposit"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.try(c.addTx, append(tt.args, "--from", c.fixture.Requester, "--generate-only")...)
			for _, said := range tt.says {
				require.ErrorContains(t, err, said, out)
			}
		})
	}
}

// What the chain would refuse now it may take when the vote is over, so it is only said.
func TestProposalTellsWhatIsInTheWay(t *testing.T) {
	c := governed(t)
	f := c.fixture
	f.Participants[2].Jail()
	for _, args := range [][]string{{"refresh-proposal", "r", "vault:k"}, {"reshare-proposal", "r", "vault:k", "3"}} {
		out := c.run(c.addTx, append(args, "--from", f.Requester, "--generate-only", "--chain-id", chain.ChainID)...)
		require.Contains(t, out, "if this passed now it would be refused: ")
		require.Contains(t, out, `"@type":"/sequencer.mpc.v1.MsgKeyReshare"`)
	}
}

// What a deletion has come to is said: it may be otherwise when the vote is over, or the key gone.
func TestProposalTellsOfDeletions(t *testing.T) {
	c := governed(t)
	f := c.fixture
	told := func(args ...string) string {
		out := c.run(c.addTx, append(args, "--from", f.Requester, "--generate-only", "--chain-id", chain.ChainID)...)
		require.Contains(t, out, `"@type":"/cosmos.gov.v1.MsgSubmitProposal"`)
		said, _, _ := strings.Cut(out, "{")
		return said
	}
	require.Empty(t, told("delete-proposal", "vault:k"))
	require.Equal(t, "if this passed now it would be refused: key vault:k is KEY_STATUS_READY, there is no deletion to take back\n",
		told("undelete-proposal", "vault:k"))
	retire, err := f.Keeper.ForModule("vault").KeyDelete(f.Ctx, "vault:k")
	require.NoError(t, err)
	f.EndBlocks(retire - 7)
	require.Equal(t, retire-7, f.Ctx.BlockHeight())
	require.Equal(t, fmt.Sprintf("if this passed now it would change nothing: key vault:k is KEY_STATUS_DELETING, and by itself DELETED in block %d\n", retire),
		told("delete-proposal", "vault:k"))
	until := fmt.Sprintf("key vault:k becomes DELETED for ever in block %d, 7 blocks from now; a vote takes ", retire)
	const before = "h0m0s once the deposit is whole, and must be over before that block\n"
	require.Equal(t, until+"48"+before, told("undelete-proposal", "vault:k"))
	require.Equal(t, until+"24"+before, told("undelete-proposal", "vault:k", "--expedited"))
}

// A chain without x/gov has no proposals, and its program says so before it asks for anything.
func TestProposalsNeedGov(t *testing.T) {
	c := newCommandLine(t)
	for _, args := range proposals("r", "r", "k") {
		_, err := c.try(c.addTx, args...)
		require.ErrorContains(t, err, "this chain has no x/gov; its authority asks itself: ", args)
		require.ErrorContains(t, err, "mpc "+strings.TrimSuffix(args[0], "-proposal")+" --from AUTHORITY", args)
	}
}

// The module is in chains of any coin.
func TestProposalExamplesNameNoCoin(t *testing.T) {
	for _, args := range proposals("r", "r", "k") {
		cmd, _, err := mpc.AppModule{}.GetTxCmd().Find(args[:1])
		require.NoError(t, err)
		require.Contains(t, cmd.Example, " --deposit AMOUNT ", args)
	}
}

// proposals are what all commands that propose take.
func proposals(made, cancelled, key string) [][]string {
	return [][]string{
		{"refresh-proposal", made, key}, {"reshare-proposal", made, key, "2"}, {"cancel-reshare-proposal", cancelled},
		{"delete-proposal", key}, {"undelete-proposal", key},
	}
}

func requireStatus(t *testing.T, f *chain.Fixture, id string, want types.KeyStatus) {
	t.Helper()
	key, err := f.Keeper.Key(f.Ctx, id)
	require.NoError(t, err)
	require.Equal(t, want, key.Status)
}

// Who may not refresh a key is told whose it is, and what to type, before anything is sent.
func TestRefreshOfAnothersKey(t *testing.T) {
	c := governed(t)
	f := c.fixture
	f.ReadyKey("k", 1)
	refresh := func(key, from string) (string, error) {
		return c.try(c.addTx, "refresh", "r", key, "--from", from, "--generate-only", "--chain-id", chain.ChainID)
	}
	_, err := refresh("vault:k", f.Requester)
	require.ErrorIs(t, err, types.ErrNotOwner)
	require.ErrorContains(t, err, "key vault:k belongs to the module vault ("+f.Keeper.ForModule("vault").Owner()+"), and not to "+f.Requester)
	require.ErrorContains(t, err, "tx mpc refresh-proposal r vault:k --title TITLE --summary WHY --deposit AMOUNT --from "+f.Requester)
	stranger := chain.Account("stranger")
	_, err = refresh("k", stranger)
	require.ErrorContains(t, err, "key k belongs to "+f.Requester+", and not to "+stranger)
	require.ErrorContains(t, err, "tx mpc refresh-proposal r k ")

	// Nor is the authority the owner. It may.
	out, err := refresh("vault:k", govAddress())
	require.NoError(t, err)
	require.Equal(t, govAddress(), c.message(out).(*types.MsgKeyReshare).Requester)
}
