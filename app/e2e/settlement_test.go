package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/params"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/app/localnet"
	settlementtypes "github.com/sequencer-mpc/sequencer/x/settlement/types"
)

const stateKey = settlementtypes.IDPrefix + "state-1"

// rootContract stores each root (bytes 4 to 36 of a call) under the number of its first
// block (36 to 68), whatever the function.
var (
	rootContract = common.HexToAddress("0x00000000000000000000000000000000000000cc")
	rootCode     = common.FromHex("60043560243555")
)

// Four real nodes settle a batch on a chain of go-ethereum that relays reach over HTTP: the
// key is made by governance, the transaction signed by the nodes, sent and reported by the
// relays of three of them, one of which starts again meanwhile, and one of which has a key of
// its own, which its operator grants what the relay says. The node of one has no index.
func TestSettlement(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.BlockTime = shortBlocks
	n := writeNetwork(t, ctx, cfg, binary)
	for i := range n.Len() {
		shortenVotes(t, n.Node(i).Info().Home)
	}
	withoutIndex(t, n.Node(3).Info().Home)
	n.start(ctx)
	s := newSettlement(t, n)
	p := settlementtypes.DefaultParams()
	p.ChainId, p.Destinations = 1337, []settlementtypes.Destination{{
		Purpose: settlementtypes.PURPOSE_STATE, Contract: strings.ToLower(rootContract.Hex()), Function: "append(bytes32,uint256,uint256)",
	}}
	s.govern(ctx,
		&settlementtypes.MsgUpdateParams{Authority: app.Authority(), Params: p},
		&settlementtypes.MsgMakeKey{
			Authority: app.Authority(), KeyId: stateKey, Threshold: 2, Takes: []settlementtypes.Purpose{settlementtypes.PURPOSE_STATE},
		})
	n.awaitKey(ctx, stateKey)
	keys, err := s.query.Keys(ctx, &settlementtypes.QueryKeysRequest{})
	require.NoError(t, err)
	l1, url := newEthereum(t, common.HexToAddress(keys.Keys[0].Address))

	stop := make([]func(), 3)
	stop[0] = s.relayOfItsOwn(ctx, 0, url)
	for i := 1; i < len(stop); i++ {
		stop[i] = s.relay(ctx, i, url, "validator")
	}
	root := common.HexToHash("0x2222222222222222222222222222222222222222222222222222222222222222")
	for i := range 3 {
		_, err := s.operators[i].Send(ctx, &settlementtypes.MsgProposeBatch{
			Operator: n.Node(i).Info().Operator, Purpose: settlementtypes.PURPOSE_STATE, FirstBlock: 5, LastBlock: 9, StateRoot: root[:],
		})
		require.NoError(t, err)
	}
	stop[2]()
	s.relay(ctx, 2, url, "validator", "--node", n.Node(3).Info().RPC)
	var settled settlementtypes.Transaction
	n.eventually(ctx, "the batch is settled", func() bool {
		l1.Commit()
		answer, err := s.query.Batch(ctx, &settlementtypes.QueryBatchRequest{Purpose: settlementtypes.PURPOSE_STATE, Number: 1})
		require.NoError(t, err)
		settled = answer.Transaction
		return settled.Status != settlementtypes.TRANSACTION_STATUS_OPEN
	})
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_SUCCEEDED, settled.Status)
	receipt, err := l1.Client().TransactionReceipt(ctx, common.HexToHash(settled.Receipt.Hash))
	require.NoError(t, err)
	require.Equal(t, receipt.BlockHash.Hex(), settled.Receipt.BlockHash)
	stored, err := l1.Client().StorageAt(ctx, rootContract, common.BigToHash(big.NewInt(5)), nil)
	require.NoError(t, err)
	require.Equal(t, root[:], stored)
}

// shortenVotes makes votes of governance short in a node's genesis.
func shortenVotes(t *testing.T, home string) {
	t.Helper()
	path := filepath.Join(home, "config", "genesis.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var genesis map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&genesis))
	votes := genesis["app_state"].(map[string]any)["gov"].(map[string]any)["params"].(map[string]any)
	votes["voting_period"], votes["expedited_voting_period"] = "5s", "3s"
	text, err = json.Marshal(genesis)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text, 0o600))
}

// withoutIndex has a node keep no index of transactions.
func withoutIndex(t *testing.T, home string) {
	t.Helper()
	path := filepath.Join(home, "config", "config.toml")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 1, bytes.Count(text, []byte(`indexer = "kv"`)))
	require.NoError(t, os.WriteFile(path, bytes.Replace(text, []byte(`indexer = "kv"`), []byte(`indexer = "null"`), 1), 0o600))
}

// newEthereum is a chain of go-ethereum with an HTTP endpoint, on which an account has an
// ether.
func newEthereum(t *testing.T, rich common.Address) (*simulated.Backend, string) {
	t.Helper()
	port := freePort(t)
	backend := simulated.NewBackend(
		ethtypes.GenesisAlloc{rich: {Balance: big.NewInt(params.Ether)}, rootContract: {Code: rootCode, Balance: new(big.Int)}},
		func(c *node.Config, _ *ethconfig.Config) {
			c.HTTPHost, c.HTTPPort, c.HTTPModules = "127.0.0.1", port, []string{"eth"}
		})
	t.Cleanup(func() { require.NoError(t, backend.Close()) })
	return backend, "http://" + fmt.Sprintf("127.0.0.1:%d", port)
}

// freePort finds one on loopback that nobody listens on, below those that systems give to
// outgoing connections.
func freePort(t *testing.T) int {
	t.Helper()
	for {
		port := 10000 + rand.IntN(22000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			require.NoError(t, l.Close())
			return port
		}
	}
}

// settlement is the network's operators, and what the chain knows.
type settlement struct {
	*network
	operators []*localnet.Account
	conn      *grpc.ClientConn
	query     settlementtypes.QueryClient
}

func newSettlement(t *testing.T, n *network) *settlement {
	t.Helper()
	s := &settlement{network: n}
	for i := range n.Len() {
		account, err := n.Operator(i)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, account.Close()) })
		s.operators = append(s.operators, account)
	}
	conn, err := grpc.NewClient(n.Node(0).Info().GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	s.conn, s.query = conn, settlementtypes.NewQueryClient(conn)
	return s
}

// govern has all operators vote for a proposal.
func (s *settlement) govern(ctx context.Context, msgs ...sdk.Msg) {
	s.t.Helper()
	deposit := sdk.NewCoins(sdk.NewInt64Coin(app.BondDenom, 10_000_000))
	proposal, err := govv1.NewMsgSubmitProposal(msgs, deposit, s.operators[0].Address, "", "settlement", "settle", false)
	require.NoError(s.t, err)
	_, err = s.operators[0].Send(ctx, proposal)
	require.NoError(s.t, err)
	for _, o := range s.operators[:3] { // enough, and their nodes have an index
		voter, err := sdk.AccAddressFromBech32(o.Address)
		require.NoError(s.t, err)
		_, err = o.Send(ctx, govv1.NewMsgVote(voter, 1, govv1.OptionYes, ""))
		require.NoError(s.t, err)
	}
	s.eventually(ctx, "the proposal passes", func() bool {
		keys, err := s.query.Keys(ctx, &settlementtypes.QueryKeysRequest{})
		require.NoError(s.t, err)
		return len(keys.Keys) > 0
	})
}

// relayOfItsOwn runs a relay with a key that is made for it: the command says what its operator
// has to type, and goes on when that is done.
func (s *settlement) relayOfItsOwn(ctx context.Context, i int, url string) (stop func()) {
	s.t.Helper()
	info := s.Node(i).Info()
	typed := func(args ...string) string {
		cmd := exec.CommandContext(ctx, binary, append(args, "--keyring-backend", "test", "--home", info.Home)...)
		out, err := cmd.CombinedOutput()
		require.NoError(s.t, err, string(out))
		return string(out)
	}
	typed("keys", "add", "relay")
	out, err := exec.CommandContext(ctx, binary, s.relayArgs(i, url, "relay", "--operator", info.Operator)...).CombinedOutput()
	require.Error(s.t, err)
	commands := regexp.MustCompile(`(?m)^  \S+ (tx authz grant .+)$`).FindAllStringSubmatch(string(out), -1)
	require.Len(s.t, commands, 2, string(out))
	query := authz.NewQueryClient(s.conn)
	for n, c := range commands {
		typed(append(strings.Fields(c[1]), "--node", info.RPC, "--yes")...)
		s.eventually(ctx, "it is granted", func() bool {
			answer, err := query.GranterGrants(ctx, &authz.QueryGranterGrantsRequest{Granter: s.operators[i].Address})
			require.NoError(s.t, err)
			return len(answer.Grants) == n+1
		})
	}
	return s.relay(ctx, i, url, "relay", "--operator", info.Operator)
}

// relayArgs are what a person types.
func (s *settlement) relayArgs(i int, url, from string, more ...string) []string {
	info := s.Node(i).Info()
	return append([]string{
		"settlement", "relay", "--rpc", url, "--from", from, "--keyring-backend", "test", "--home", info.Home, "--node", info.RPC,
		"--chain-id", s.Manifest().ChainID, "--confirmations", "2", "--interval", "500ms",
	}, more...)
}

// relay runs the command as a person would, until stop is called or the test ends.
func (s *settlement) relay(ctx context.Context, i int, url, from string, more ...string) (stop func()) {
	s.t.Helper()
	var out bytes.Buffer
	// It outlives the test's context, and is asked to end.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), binary, s.relayArgs(i, url, from, more...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(s.t, cmd.Start())
	stop = sync.OnceFunc(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			s.t.Errorf("stop the relay: %s", err)
		}
		if err := cmd.Wait(); err != nil {
			s.t.Errorf("the relay ends when it is asked to: %s\n%s", err, out.String())
		}
		s.t.Logf("relay %d:\n%s", i, out.String())
	})
	s.t.Cleanup(stop)
	return stop
}
