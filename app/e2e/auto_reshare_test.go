package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/app"
	"github.com/sequencer-mpc/sequencer/app/localnet"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// autoTimeLimit is some four times what the test takes on two cores.
const autoTimeLimit = 20 * time.Minute

// TestAutoReshare: a key of 3 of 4 has auto_reshare. The node of one participant dies,
// and its validator is jailed for that; later another participant takes its stake back and
// leaves the set. Nobody asks for anything but signatures: each time the module has the key
// reshared, to the newcomer in the place of the first and to the three that are left after
// the second. It has one address, which signs all along. Who left has no share in the end,
// nor has who was dead all the time.
func TestAutoReshare(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(context.Background(), autoTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.Validators, cfg.BlockTime = 5, shortBlocks
	cfg.Params = func(p *mpctypes.Params) {
		p.AutoReshare, p.AutoResharePauseBlocks = true, 20
		p.RetireBlocks, p.SignAttemptBlocks = 30, 20
		p.KeygenAttemptBlocks, p.ReshareAttemptBlocks = 120, 120
	}
	cfg.Tune = func(_ int, c *localnet.NodeConfig) { c.App.MPC.PreparamsTarget = 1 }
	n := startNetwork(t, ctx, cfg)
	made := n.makeKey(ctx, "key", 2, n.operators(0, 1, 2, 3)...)
	n.signs(ctx, made, "before")

	const dead, leaves = 3, 2
	require.NoError(t, n.Node(dead).Kill())
	moved := n.resharedByItself(ctx, made, dead, 0, 1, 2, 4)
	require.NoError(t, n.Node(dead).Start())
	require.NoError(t, n.Node(dead).WaitReady(ctx))

	n.unbonds(ctx, leaves)
	shrunk := n.resharedByItself(ctx, moved, leaves, 0, 1, 4)
	n.forget(ctx, shrunk, []int{0, 1, 4}, []int{leaves, dead})
	n.signs(ctx, shrunk, "last")
	require.Equal(t, shrunk.Epoch, n.key(ctx, made.Id).Epoch, "it is where it should be")
	n.agree(ctx)
}

// resharedByItself waits until the module had a key reshared from somebody who left the
// bonded set to these nodes. It signs until then, and right after.
func (n *network) resharedByItself(ctx context.Context, before mpctypes.Key, left int, nodes ...int) mpctypes.Key {
	t := n.t
	t.Helper()
	began := time.Now()
	address := n.address(ctx, before.Id)
	n.eventually(ctx, "the validator is out of the set", func() bool { return !n.bonded(ctx, left) })
	out := time.Since(began)
	var id string
	n.eventually(ctx, "the module asks for a reshare", func() bool { id = n.key(ctx, before.Id).ReshareId; return id != "" })
	while, after := fmt.Sprintf("while-%d", before.Epoch), fmt.Sprintf("after-%d", before.Epoch)
	n.askSignatures(ctx, before.Id, one(while))
	var reshare mpctypes.Reshare
	n.eventually(ctx, "the reshare is decided", func() bool {
		resp, err := n.requester.Query.Reshare(ctx, &mpctypes.QueryReshareRequest{ReshareId: id})
		require.NoError(t, err)
		reshare = resp.Reshare
		return !reshare.Open()
	})
	require.Equal(t, mpctypes.RESHARE_STATUS_READY, reshare.Status, reshare.Reason)
	require.True(t, reshare.Auto)
	require.Equal(t, before.Owner, reshare.Owner)
	require.Equal(t, before.Threshold, reshare.Threshold)
	require.ElementsMatch(t, n.operators(nodes...), reshare.Participants)
	n.awaitSignatures(ctx, before, one(while))
	t.Logf("out of the set after %.1f s, reshared to %d nodes after %.1f s", out.Seconds(), len(nodes), time.Since(began).Seconds())

	key := n.key(ctx, before.Id)
	require.Equal(t, before.PublicKey, key.PublicKey)
	require.Equal(t, address, n.address(ctx, before.Id))
	require.Equal(t, before.Epoch+1, key.Epoch)
	n.holds(ctx, key, nodes...)
	n.signs(ctx, key, after)
	return key
}

// unbonds takes the stake of a validator back, by its operator.
func (n *network) unbonds(ctx context.Context, i int) {
	t := n.t
	t.Helper()
	operator, err := n.Operator(i)
	require.NoError(t, err)
	defer operator.Close()
	stake := sdk.NewCoin(app.BondDenom, n.validator(ctx, i).Tokens)
	_, err = operator.Send(ctx, stakingtypes.NewMsgUndelegate(operator.Address, n.Node(i).Info().Operator, stake))
	require.NoError(t, err)
}

// bonded says whether a validator is in the set.
func (n *network) bonded(ctx context.Context, i int) bool {
	v := n.validator(ctx, i)
	return v.Status == stakingtypes.Bonded.String() && !v.Jailed
}

// validator is what the chain says of one.
type validator struct {
	Status string
	Jailed bool
	Tokens math.Int
}

func (n *network) validator(ctx context.Context, i int) validator {
	n.t.Helper()
	out, err := exec.CommandContext(ctx, binary, "query", "staking", "validator", n.Node(i).Info().Operator,
		"-o", "json", "--node", n.Node(0).Info().RPC).Output()
	require.NoError(n.t, err)
	var answer struct{ Validator validator }
	require.NoError(n.t, json.Unmarshal(out, &answer), string(out))
	return answer.Validator
}
