package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/app/localnet"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// lifeTimeLimit is some four times what the test takes on two cores.
const lifeTimeLimit = 10 * time.Minute

// lifeShell is the sequencerd that a stranger calls: the flags that say where the chain
// and the keys are stand in a person's client.toml.
const lifeShell = `#!/bin/sh
case " $* " in
*" --from requester "*) set -- "$@" --keyring-dir KEYRING ;;
esac
case "$1" in
tx) set -- "$@" --keyring-backend test --node NODE -y ;;
query) set -- "$@" --node NODE ;;
esac
exec BINARY "$@" --home HOME
`

// TestLifeOfAKey makes a key as the README has it in the section on a local network, and
// then types what it says on the life of a key, line by line, in the place of its owner and
// of alice, who has the coins of a founder: nothing else makes sure that a stranger can.
func TestLifeOfAKey(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(context.Background(), lifeTimeLimit)
	defer cancel()
	cfg := localnet.DefaultConfig("", "")
	cfg.BlockTime = shortBlocks
	cfg.Params = func(p *mpctypes.Params) { p.KeygenAttemptBlocks = 120 }
	cfg.Tune = func(_ int, c *localnet.NodeConfig) { c.App.MPC.PreparamsTarget = 1 }
	n := startNetwork(t, ctx, cfg)
	n.walks(ctx)
	dir := n.lifeShell()
	alice := n.founder(ctx, dir)
	status := func(want mpctypes.KeyStatus) func() bool {
		return func() bool { return n.key(ctx, "treasury").Status == want }
	}
	reshare := func(id string) mpctypes.ReshareStatus {
		r, err := n.requester.Query.Reshare(ctx, &mpctypes.QueryReshareRequest{ReshareId: id})
		if err != nil {
			return mpctypes.RESHARE_STATUS_UNSPECIFIED
		}
		return r.Reshare.Status
	}
	// What each command brings about, by a word of it.
	brings := map[string]func() bool{
		"tx mpc refresh ":          func() bool { return reshare("treasury-2") == mpctypes.RESHARE_STATUS_PENDING },
		"tx mpc cancel-reshare ":   func() bool { return reshare("treasury-2") == mpctypes.RESHARE_STATUS_ERROR },
		"tx mpc reshare ":          func() bool { return reshare("treasury-3") == mpctypes.RESHARE_STATUS_PENDING },
		"tx mpc delete ":           status(mpctypes.KEY_STATUS_DELETING),
		"tx mpc undelete ":         status(mpctypes.KEY_STATUS_READY),
		"update-params-proposal":   func() bool { return n.proposes(ctx, dir) },
		"tx gov vote 1 yes ":       func() bool { return n.voted(ctx, dir, alice) },
		"tx mpc refresh-proposal ": func() bool { return n.proposesRefresh(ctx, dir, "treasury") },
	}
	typed := 0
	for _, line := range n.readmeLines("### The life of a key", "### Backups") {
		line = strings.NewReplacer("--from OWNER", "--from requester", "settlement:state-1", "treasury", // a module has none here
			"seqvaloper1...,seqvaloper1...", strings.Join(n.operators(0, 1, 2, 3), ",")).Replace(line)
		n.types(ctx, dir, line)
		for word, done := range brings {
			if strings.Contains(line, word) {
				n.eventually(ctx, line, done)
				typed++
			}
		}
	}
	require.Equal(t, len(brings), typed, "the README says more, or less")
	out := n.scripted(ctx, "ask sign-payload after-all treasury ethereum-message 'bye'\nawait signature after-all")
	require.Contains(t, out, "SIGNATURE_STATUS_READY")
	n.agree(ctx)
}

// readmeLines are the commands of the README from one heading to another.
func (n *network) readmeLines(from, to string) (lines []string) {
	b, err := os.ReadFile("../../README.md")
	require.NoError(n.t, err)
	_, section, found := strings.Cut(string(b), from)
	require.True(n.t, found)
	section, _, found = strings.Cut(section, to)
	require.True(n.t, found)
	for i, part := range strings.Split(section, "```") {
		if i%2 == 1 {
			lines = append(lines, strings.Split(strings.TrimSpace(strings.TrimPrefix(part, "sh\n")), "\n")...)
		}
	}
	require.NotEmpty(n.t, lines)
	return lines
}

// founder makes an account alice with what the README leaves to one who begins a chain,
// beside what is bonded. It returns the address.
func (n *network) founder(ctx context.Context, dir string) string {
	t := n.t
	begins := strings.Join(n.readmeLines("**To begin a chain**", "A new `app.toml`"), "\n")
	amount := func(pattern string) sdk.Coin {
		m := regexp.MustCompile(pattern).FindStringSubmatch(begins)
		require.Len(t, m, 2, pattern)
		c, err := sdk.ParseCoinNormalized(m[1])
		require.NoError(t, err)
		return c
	}
	left := amount(`add-genesis-account alice (\S+)`).Sub(amount(`gentx alice (\S+)`))
	n.shell(ctx, dir, "sequencerd keys add alice")
	alice := strings.TrimSpace(n.shell(ctx, dir, "sequencerd keys show alice -a"))
	out := n.shell(ctx, dir, fmt.Sprintf("sequencerd tx bank send validator %s %s --gas auto --gas-adjustment 1.5", alice, left))
	require.Contains(t, out, "code: 0")
	n.eventually(ctx, "alice has coins", func() bool {
		return strings.Contains(n.shell(ctx, dir, "sequencerd query bank balances "+alice), left.Amount.String())
	})
	return alice
}

// lifeShell makes a folder with a sequencerd to be called there.
func (n *network) lifeShell() string {
	dir, node := n.t.TempDir(), n.Node(0).Info()
	text := strings.NewReplacer("KEYRING", n.Manifest().KeyringDir, "NODE", node.RPC, "BINARY", binary, "HOME", node.Home).Replace(lifeShell)
	require.NoError(n.t, os.WriteFile(filepath.Join(dir, "sequencerd"), []byte(text), 0o700))
	return dir
}

// types runs a line in the shell. Where there is no jq, what it is for is done here.
func (n *network) types(ctx context.Context, dir, line string) {
	t := n.t
	if n.filters(dir, line, func(query string) string { return n.shell(ctx, dir, query) }) {
		return
	}
	out := n.shell(ctx, dir, line)
	if strings.Contains(line, "sequencerd tx ") {
		require.Contains(t, out, "code: 0", line)
	}
}

// filters writes the parameters down that a line of the README has jq write, where there is no
// jq; false for any other line, and where there is.
func (n *network) filters(dir, line string, ask func(query string) string) bool {
	t := n.t
	const filter = " | jq -c '.params | .auto_reshare = true' > params.json"
	query, uses := strings.CutSuffix(line, filter)
	if _, err := exec.LookPath("jq"); !uses || err == nil {
		return false
	}
	t.Log("there is no jq: its filter is applied by the test")
	out := ask(query)
	var answer struct{ Params map[string]any }
	require.NoError(t, json.Unmarshal([]byte(out), &answer), out)
	answer.Params["auto_reshare"] = true
	text, err := json.Marshal(answer.Params)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "params.json"), text, 0o600))
	return true
}

func (n *network) shell(ctx context.Context, dir, line string) string {
	n.t.Helper()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), fmt.Sprintf("PATH=%s:%s", dir, os.Getenv("PATH")))
	out, err := cmd.Output()
	failed := new(exec.ExitError)
	if errors.As(err, &failed) {
		require.NoError(n.t, err, "%s: %s", line, failed.Stderr)
	}
	require.NoError(n.t, err, line)
	return string(out)
}

// voted: the chain has somebody's vote for the first proposal.
func (n *network) voted(ctx context.Context, dir, voter string) bool {
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "sequencerd"), "query", "gov", "vote", "1", voter)
	out, err := cmd.Output()
	return err == nil && strings.Contains(string(out), "VOTE_OPTION_YES") // an error: it is in no block yet
}

// proposal is one of x/gov as it is shown.
type proposal struct {
	Status    string
	Expedited bool
	Messages  []struct {
		Type  string
		Value struct {
			Params       map[string]any
			KeyID        string `json:"key_id"`
			Participants []string
		}
	}
}

// proposals are all that are on chain; none as long as there is none.
func (n *network) proposals(ctx context.Context, dir string) []proposal {
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "sequencerd"), "query", "gov", "proposals", "-o", "json")
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	var answer struct{ Proposals []proposal }
	require.NoError(n.t, json.Unmarshal(out, &answer), string(out))
	return answer.Proposals
}

// proposesRefresh: the second proposal is on chain, of a refresh of a key to the participants that
// it has, and is voted on.
func (n *network) proposesRefresh(ctx context.Context, dir, key string) bool {
	all := n.proposals(ctx, dir)
	if len(all) < 2 {
		return false
	}
	require.True(n.t, all[1].Expedited)
	require.Equal(n.t, "PROPOSAL_STATUS_VOTING_PERIOD", all[1].Status, "the deposit is whole")
	require.Len(n.t, all[1].Messages, 1)
	m := all[1].Messages[0]
	require.Equal(n.t, "/sequencer.mpc.v1.MsgKeyReshare", m.Type)
	require.Equal(n.t, key, m.Value.KeyID)
	require.Equal(n.t, n.key(ctx, key).Participants, m.Value.Participants)
	return true
}

// proposes: the proposal is on chain, with the parameters that were written down.
func (n *network) proposes(ctx context.Context, dir string) bool {
	all := n.proposals(ctx, dir)
	if len(all) == 0 {
		return false
	}
	require.Len(n.t, all[0].Messages, 1)
	m := all[0].Messages[0]
	require.Equal(n.t, "/sequencer.mpc.v1.MsgUpdateParams", m.Type)
	require.Equal(n.t, true, m.Value.Params["auto_reshare"])
	require.InDelta(n.t, 120, m.Value.Params["keygen_attempt_blocks"], 0, "all else stays")
	return true
}

// Where there is no jq the README's line is done all the same, so that nothing is left out.
func TestParametersWithoutJQ(t *testing.T) {
	t.Setenv("PATH", "")
	n, dir, asked := &network{t: t}, t.TempDir(), []string{}
	for _, line := range n.readmeLines("### The life of a key", "### Backups") {
		n.filters(dir, line, func(query string) string {
			asked = append(asked, query)
			return `{"params": {"auto_reshare": false, "retire_blocks": 7}}`
		})
	}
	require.Equal(t, []string{"sequencerd query mpc params -o json"}, asked)
	text, err := os.ReadFile(filepath.Join(dir, "params.json"))
	require.NoError(t, err)
	require.JSONEq(t, `{"auto_reshare": true, "retire_blocks": 7}`, string(text))
}
