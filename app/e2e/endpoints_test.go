package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// getTimeout bounds one request.
const getTimeout = 10 * time.Second

// get reads what a running node serves over HTTP.
func (n *network) get(ctx context.Context, url string) string {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(n.t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(n.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(n.t, err)
	require.Equal(n.t, http.StatusOK, resp.StatusCode, "%s: %s", url, body)
	return string(body)
}

// servesKey: REST shows a key.
func (n *network) servesKey(ctx context.Context, key mpctypes.Key) {
	n.t.Helper()
	var resp struct {
		Key struct {
			ID        string `json:"id"`
			Status    string `json:"status"`
			PublicKey []byte `json:"public_key"`
		} `json:"key"`
	}
	body := n.get(ctx, n.Node(1).Info().REST+"/sequencer/mpc/v1/keys/"+key.Id)
	require.NoError(n.t, json.Unmarshal([]byte(body), &resp), body)
	require.Equal(n.t, key.Id, resp.Key.ID)
	require.Equal(n.t, mpctypes.KEY_STATUS_READY.String(), resp.Key.Status)
	require.Equal(n.t, key.PublicKey, resp.Key.PublicKey)
}

// showsKeyOnPage: the page for people has it.
func (n *network) showsKeyOnPage(ctx context.Context, key mpctypes.Key) {
	n.t.Helper()
	require.Contains(n.t, n.get(ctx, n.Node(1).Info().REST+"/mpc/"), "Keys")
	var state mpcnode.PageReport
	body := n.get(ctx, n.Node(1).Info().REST+"/mpc/state.json")
	require.NoError(n.t, json.Unmarshal([]byte(body), &state), body)
	require.Len(n.t, state.Keys, 1, body)
	k := state.Keys[0]
	require.Equal(n.t, []any{key.Id, "READY", 4, 1}, []any{k.ID, k.Status, k.Participants, k.Losses})
	require.Len(n.t, state.Participants, 4)
	require.Equal(n.t, n.Node(1).Info().Operator, state.Status.Operator)
	require.NotEmpty(n.t, state.ChainID)
}

// serves: the Prometheus port of a node shows a metric with a value.
func (n *network) serves(ctx context.Context, want float64, metric string) {
	n.t.Helper()
	body := n.get(ctx, n.Node(1).Info().Prometheus)
	for line := range strings.Lines(body) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(name, metric+"{") {
			got, err := strconv.ParseFloat(value, 64)
			require.NoError(n.t, err, line)
			require.InDelta(n.t, want, got, 0, line)
			return
		}
	}
	require.Fail(n.t, "the metric "+metric+" is not served")
}
