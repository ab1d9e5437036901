package mpc_test

import (
	"strings"
	"testing"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// authorities are of a governed chain: whom the keeper was made with, whom the consensus
// parameters name, and whether its nodes can be asked for those.
type authorities struct {
	keepers, named string
	noConsensus    bool
}

// under is a governed chain with these authorities, and an open reshare of vault:k.
func under(t *testing.T, a authorities) commandLine {
	t.Helper()
	c := governed(t)
	f := c.fixture
	_, err := f.Msg.KeyReshare(f.Ctx, &types.MsgKeyReshare{Requester: govAddress(), ReshareId: "open", KeyId: "vault:k", Threshold: 1})
	require.NoError(t, err)
	_, err = f.Msg.KeyGen(f.Ctx, &types.MsgKeyGen{Requester: govAddress(), KeyId: "own", Algorithm: types.ALGORITHM_ECDSA_SECP256K1, Threshold: 1})
	require.NoError(t, err)
	f.GiveTo(a.keepers)
	f.Ctx = f.Ctx.WithConsensusParams(cmtproto.ConsensusParams{Authority: &cmtproto.AuthorityParams{Authority: a.named}})
	if a.noConsensus {
		c.ask(newNodeWithoutConsensus(f))
	} else {
		c.ask(newFixtureNode(f))
	}
	return c
}

// The commands judge x/gov as blocks do: by the authority that the consensus parameters name, and
// by the keeper's where they name none. No query of the module sees the former.
func TestProposalsNeedTheAuthority(t *testing.T) {
	account, council := chain.Account("authority"), chain.Account("council")
	for name, tt := range map[string]struct {
		authorities
		takes bool
		from  string
	}{
		"the keeper's":                  {authorities{keepers: govAddress()}, true, ""},
		"named":                         {authorities{keepers: account, named: govAddress()}, true, ""},
		"both":                          {authorities{keepers: govAddress(), named: govAddress()}, true, ""},
		"neither":                       {authorities{keepers: account}, false, "AUTHORITY"},
		"another one is named":          {authorities{keepers: govAddress(), named: council}, false, council},
		"neither, and another is named": {authorities{keepers: account, named: council}, false, council},
		"the keeper's, nobody to ask":   {authorities{keepers: govAddress(), noConsensus: true}, true, ""},
		"neither, nobody to ask":        {authorities{keepers: account, noConsensus: true}, false, "AUTHORITY"},
	} {
		t.Run(name, func(t *testing.T) {
			c := under(t, tt.authorities)
			f := c.fixture
			for _, args := range proposals("r", "open", "vault:k") {
				out, err := c.try(c.addTx, append(args, "--from", f.Requester, "--generate-only", "--chain-id", chain.ChainID)...)
				if tt.takes {
					require.NoError(t, err, args)
					require.Contains(t, out, `"@type":"/cosmos.gov.v1.MsgSubmitProposal"`, args)
					continue
				}
				require.ErrorContains(t, err, "x/gov ("+govAddress()+") is not the authority of this chain", args)
				require.ErrorContains(t, err, "mpc "+strings.TrimSuffix(args[0], "-proposal")+" --from "+tt.from, args)
			}
			_, err := f.Msg.KeyDelete(f.Ctx, &types.MsgKeyDelete{Requester: govAddress(), KeyId: "vault:k"})
			if tt.takes {
				require.NoError(t, err, "the chain carries out what was proposed")
			} else {
				require.ErrorIs(t, err, types.ErrNotOwner)
			}
			c.run(c.addTx, "delete-proposal", "own", "--from", f.Requester, "--generate-only", "--chain-id", chain.ChainID)
		})
	}
}

// Of an authority that only the consensus parameters name the module's queries say that it is
// none. What is in the way for others is said instead.
func TestProposalOfTheNamedTellsWhatIsInTheWay(t *testing.T) {
	c := under(t, authorities{keepers: chain.Account("authority"), named: govAddress()})
	f := c.fixture
	told := func(key string) string {
		out := c.run(c.addTx, "reshare-proposal", "r", key, "1", "--from", f.Requester, "--generate-only", "--chain-id", chain.ChainID)
		said, _, _ := strings.Cut(out, "{")
		return said
	}
	const owners = "if the owner of the key asked for this now it would be refused: "
	require.Contains(t, told("vault:k"), owners+"open of key vault:k is open: reshare_pending: ")
	_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: govAddress(), ReshareId: "open"})
	require.NoError(t, err)
	require.Empty(t, told("vault:k"))
	f.AttestAll("own", chain.NewSecret("own"))
	require.Contains(t, told("own"), owners, "which x/gov as the authority is not")
}

// Whom the consensus parameters name may refresh a key of others, and the keeper's may not then.
func TestRefreshByTheNamedAuthority(t *testing.T) {
	council := chain.Account("council")
	c := under(t, authorities{keepers: govAddress(), named: council})
	f := c.fixture
	refresh := func(from string) (string, error) {
		return c.try(c.addTx, "refresh", "r", "vault:k", "--from", from, "--generate-only", "--chain-id", chain.ChainID)
	}
	_, err := f.Msg.CancelReshare(f.Ctx, &types.MsgCancelReshare{Requester: council, ReshareId: "open"})
	require.NoError(t, err)
	for _, other := range []string{govAddress(), f.Requester} {
		_, err := refresh(other)
		require.ErrorIs(t, err, types.ErrNotOwner)
		require.ErrorContains(t, err, "tx mpc refresh r vault:k --from "+council)
		require.NotContains(t, err.Error(), "decided by vote", "of x/gov, whose proposals are not carried out")
	}
	out, err := refresh(council)
	require.NoError(t, err)
	_, err = f.Msg.KeyReshare(f.Ctx, c.message(out).(*types.MsgKeyReshare))
	require.NoError(t, err, "and the chain takes it")
}
