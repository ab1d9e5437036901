package e2e

import (
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/app/mpcnode/doctor"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// doctorTimeLimit is many times what the test takes on two cores.
const doctorTimeLimit = 5 * time.Minute

// The doctor of a node names the participant that is down, and has nothing to say of the
// others; of the one that is down it looks at the files.
func TestDoctor(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), doctorTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.Validators = 4
	cfg.BlockTime = shortBlocks
	cfg.Params = func(p *mpctypes.Params) {
		p.KeygenAttemptBlocks, p.KeygenLifetimeBlocks, p.StartTimeout = 8, 25, 3*time.Second
	}
	n := startNetwork(t, ctx, cfg)
	n.allReachable(ctx)
	r, err := n.diagnosed(ctx, n.Node(0), []int{1, 2, 3})
	require.NoError(t, err)
	require.Zero(t, r.Problems)

	down := n.Node(3)
	require.NoError(t, down.Kill())
	r, err = n.diagnosed(ctx, n.Node(0), []int{1, 2}, "--for", "keygen")
	require.Error(t, err, "a keygen needs everybody")
	found := about(t, r, "participant", down.Info().Operator)
	require.Equal(t, doctor.Problem, found.Level)
	require.Equal(t, types.ErrStalled, found.Reason)
	require.Contains(t, found.Detail, "does not answer")
	r, err = n.diagnosed(ctx, n.Node(0), []int{1, 2})
	require.NoError(t, err)
	require.Equal(t, doctor.Warning, about(t, r, "participant", down.Info().Operator).Level)

	r, err = n.doctor(ctx, down)
	require.NoError(t, err)
	require.Equal(t, doctor.Warning, about(t, r, "node", "does not run").Level)
	require.Equal(t, doctor.OK, about(t, r, "database", "whole").Level)
	r, err = n.doctor(ctx, n.Node(0), "--key", "nobody")
	require.Error(t, err)
	require.Equal(t, types.ErrUnknownKey, about(t, r, "key", "nobody").Reason)

	n.diagnoseExpired(ctx, down)
}

// diagnoseExpired asks for a key that one node is missing for. It expires, and doctor and
// inspect say why: whoever led an attempt waited for that node.
func (n *network) diagnoseExpired(ctx context.Context, down *localnet.Node) {
	t := n.t
	n.askKey(ctx, "stuck", 2)
	n.eventually(ctx, "the request expires", func() bool { return n.key(ctx, "stuck").Status == mpctypes.KEY_STATUS_ERROR })
	r, err := n.doctor(ctx, n.Node(0), "--key", "stuck")
	require.Error(t, err)
	require.Equal(t, types.ErrKeyFailed, about(t, r, "key", "expired").Reason)
	r, err = n.doctor(ctx, n.Node(0), "--request", "stuck")
	require.Error(t, err)
	require.Equal(t, types.ErrExpired, about(t, r, "request", "stuck").Reason)

	waited := 0
	for i := range 3 {
		out, err := exec.CommandContext(ctx, binary, "mpc", "inspect", "stuck", "--output", "json", "--home", n.Node(i).Info().Home).Output()
		require.NoError(t, err)
		t.Logf("%s", out)
		var seen mpcnode.InspectReport
		require.NoError(t, json.Unmarshal(out, &seen))
		require.Len(t, seen.Outcomes, 1)
		require.Equal(t, string(types.ErrExpired), seen.Outcomes[0].Reason)
		for _, s := range seen.Sessions {
			if s.Leader != n.Node(i).Info().Operator {
				continue
			}
			require.NotEmpty(t, s.Steps[0].Waits)
			require.Equal(t, down.Info().Operator, s.Steps[0].Waits[0].Operator)
			waited++
		}
	}
	require.Positive(t, waited)
	require.Contains(t, n.operate(ctx, n.Node(0), "mpc", "inspect", "stuck"), "expired: ")
}

// doctor runs the command on a node's home.
func (n *network) doctor(ctx context.Context, node *localnet.Node, args ...string) (doctor.Report, error) {
	n.t.Helper()
	args = append([]string{"mpc", "doctor", "--output", "json", "--home", node.Info().Home}, args...)
	out, err := exec.CommandContext(ctx, binary, args...).Output()
	n.t.Logf("%s", out)
	var r doctor.Report
	require.NoError(n.t, json.Unmarshal(out, &r), "%v", err)
	return r, err
}

// diagnosed runs it until it is content with these participants: a machine that has other
// work may keep an answer from one look.
func (n *network) diagnosed(ctx context.Context, node *localnet.Node, content []int, args ...string) (r doctor.Report, err error) {
	n.t.Helper()
	n.eventually(ctx, "doctor is content with these", func() bool {
		r, err = n.doctor(ctx, node, args...)
		return !slices.ContainsFunc(content, func(i int) bool {
			f, found := finding(r, "participant", n.Node(i).Info().Operator)
			return !found || f.Level != doctor.OK
		})
	})
	return r, err
}

// about finds what a check says of something.
func about(t *testing.T, r doctor.Report, check, what string) doctor.Finding {
	t.Helper()
	f, found := finding(r, check, what)
	require.True(t, found, "there is no such finding: %s: %s", check, what)
	return f
}

func finding(r doctor.Report, check, what string) (doctor.Finding, bool) {
	for _, f := range r.Findings {
		if f.Check == check && strings.Contains(f.Detail, what) {
			return f, true
		}
	}
	return doctor.Finding{}, false
}
