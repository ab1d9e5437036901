package app

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/server/config"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// A block has room for a hundred signatures and a keygen, each in a transaction of its
// own and with half as much gas again as it uses, and for as much of other things. What
// carries results takes none of it.
func TestBlockGasIsEnough(t *testing.T) {
	const signatures = 100
	members := int(mpctypes.DefaultParams().MaxParticipants)
	keys, accounts := newKeys(members)
	app := newApplication(config.BlockExecutorSequential)
	identities := make(map[string]ed25519.PrivateKey)
	genesis, err := mpcnode.EditMPCGenesis(app.Codec, testGenesis(t, app, accounts, accounts...), func(g *mpctypes.GenesisState) {
		for i := range g.Participants {
			entry := &g.Participants[i]
			key := chain.IdentityKey(entry.Participant.Operator)
			public, proof := mpcnode.ProveIdentity(key, testChainID, types.Operator(entry.Participant.Operator))
			entry.Participant.Identities[0].PublicKey, entry.ProofOfPossession = public, proof
			identities[string(public)] = key
		}
	})
	require.NoError(t, err)
	c := startChain(t, app, genesis, 1)
	keygen := func(id string) *mpctypes.MsgKeyGen {
		return &mpctypes.MsgKeyGen{
			Requester: accounts[0].String(), KeyId: id, Threshold: uint32(members) - 1, Algorithm: mpctypes.ALGORITHM_ECDSA_SECP256K1, AllowRaw: true,
		}
	}
	require.Zero(t, c.block(c.sign(keys[0], 0, 0, keygen("key"))).TxResults[0].Code)
	requests, err := app.MPCState().EngineRequests(app.NewContext(true))
	require.NoError(t, err)
	builder := mpctypes.NewBundleBuilder(mpctypes.DefaultParams().BundleLimits())
	require.True(t, attestAll(builder, requests[0], chain.NewSecret("key"), identities))
	bundle, err := builder.Encode()
	require.NoError(t, err)
	require.Zero(t, c.block(bundle).TxResults[0].GasUsed)

	txs := [][]byte{c.sign(keys[0], 0, 1, keygen("another"))}
	for i := range signatures {
		txs = append(txs, c.sign(keys[0], 0, uint64(2+i), &mpctypes.MsgKeySign{
			Requester: accounts[0].String(), SignatureId: fmt.Sprint(i), KeyId: "key", Payload: chain.Payload("text"),
		}))
	}
	began := time.Now()
	result := c.block(txs...)
	took := time.Since(began)
	var gas int64
	for _, r := range result.TxResults {
		require.Zero(t, r.Code, r.Log)
		gas += r.GasUsed
	}
	t.Logf("%d signatures and a keygen of %d participants: %d gas, %s", signatures, members, gas, took)
	require.Less(t, 2*gas*3/2, int64(MaxBlockGas))
}

// A proposer that fills its block with more gas than the consensus parameters allow finds
// no votes for it. An honest one proposes what has room.
func TestProposalsKeepToBlockGas(t *testing.T) {
	keys, accounts := newKeys(1)
	app := newApplication(config.BlockExecutorSequential)
	c := startChain(t, app, testGenesis(t, app, accounts), 1)
	var txs [][]byte
	for i := range MaxBlockGas/int(signedGas) + 1 {
		txs = append(txs, c.sign(keys[0], 0, uint64(i), banktypes.NewMsgSend(accounts[0], accounts[0], sdk.NewCoins(sdk.NewInt64Coin(BondDenom, 1)))))
	}
	c.block()
	process := func(txs [][]byte) bool {
		resp, err := app.ProcessProposal(&abci.RequestProcessProposal{Height: 2, Time: c.time, Txs: txs})
		require.NoError(t, err)
		return resp.IsAccepted()
	}
	require.False(t, process(txs))
	made, err := app.PrepareProposal(&abci.RequestPrepareProposal{Height: 2, Time: c.time, Txs: txs, MaxTxBytes: MaxBlockBytes})
	require.NoError(t, err)
	require.Equal(t, txs[:len(txs)-1], made.Txs)
	require.True(t, process(made.Txs))
	for _, r := range c.block(made.Txs...).TxResults {
		require.Zero(t, r.Code, r.Log)
	}
}

// Reading a page of a hundred entries takes little of what one query to a node may.
func TestQueryGasIsEnough(t *testing.T) {
	const entries = 100
	f := chain.New(t, int(mpctypes.DefaultParams().MaxParticipants))
	f.ReadyKey("key", 10)
	for i := range entries {
		f.ReadyKey(fmt.Sprint("key-", i), 10)
		f.KeySign(fmt.Sprint("signature-", i), "key", "text")
	}
	page := &query.PageRequest{Limit: entries, CountTotal: true}
	for name, ask := range map[string]func(context.Context) (total uint64, err error){
		"keys": func(ctx context.Context) (uint64, error) {
			r, err := f.Query.Keys(ctx, &mpctypes.QueryKeysRequest{Pagination: page})
			return r.Pagination.Total, err
		},
		"keys of an owner and status": func(ctx context.Context) (uint64, error) {
			r, err := f.Query.Keys(ctx, &mpctypes.QueryKeysRequest{Owner: f.Requester, Status: mpctypes.KEY_STATUS_READY, Pagination: page})
			return r.Pagination.Total, err
		},
		"signatures": func(ctx context.Context) (uint64, error) {
			r, err := f.Query.Signatures(ctx, &mpctypes.QuerySignaturesRequest{KeyId: "key", Pagination: page})
			return r.Pagination.Total, err
		},
		"requests": func(ctx context.Context) (uint64, error) {
			r, err := f.Query.PendingRequests(ctx, &mpctypes.QueryPendingRequestsRequest{Pagination: page})
			return r.Pagination.Total, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := f.Ctx.WithGasMeter(storetypes.NewGasMeter(mpcnode.DefaultQueryGasLimit))
			total, err := ask(ctx)
			require.NoError(t, err)
			require.GreaterOrEqual(t, total, uint64(entries))
			t.Logf("%d of %d: %d gas", entries, total, ctx.GasMeter().GasConsumed())
			require.Less(t, 20*ctx.GasMeter().GasConsumed(), uint64(mpcnode.DefaultQueryGasLimit))
		})
	}
}
