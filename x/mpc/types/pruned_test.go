package types_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// pruned is exportedReshares after the reshare that began the epoch of k was pruned, and
// with it its test, and a key that failed.
func pruned(t *testing.T) types.GenesisState {
	t.Helper()
	gs := exportedReshares(t)
	gs.Reshares, gs.Signatures = gs.Reshares[1:], gs.Signatures[1:]
	gs.PrunedRequests = []types.PrunedRequest{
		{Kind: types.REQUEST_KIND_KEYGEN, Id: "failed", ContentHash: chain.Digest("failed")},
		{Kind: types.REQUEST_KIND_RESHARE, Id: "a", ContentHash: chain.Digest("a")},
	}
	gs.PrunedSignatures = []types.PrunedSignature{{Id: "test:a", ContentHash: chain.Digest("test")}}
	return gs
}

func TestPrunedGenesisValidate(t *testing.T) {
	for name, spoil := range map[string]func(*types.GenesisState){
		"no kind":      func(g *types.GenesisState) { g.PrunedRequests[0].Kind = 0 },
		"a signature":  func(g *types.GenesisState) { g.PrunedRequests[0].Kind = types.REQUEST_KIND_SIGN },
		"no id":        func(g *types.GenesisState) { g.PrunedRequests[0].Id = "" },
		"no content":   func(g *types.GenesisState) { g.PrunedRequests[1].ContentHash = nil },
		"twice":        func(g *types.GenesisState) { g.PrunedRequests = append(g.PrunedRequests, g.PrunedRequests[0]) },
		"a long id":    func(g *types.GenesisState) { g.PrunedRequests[1].Id = string(make([]byte, 65)) },
		"a READY key":  func(g *types.GenesisState) { g.PrunedRequests[0].Id = "k" },
		"an open one":  func(g *types.GenesisState) { g.PrunedRequests[1].Id = "b" },
		"its own test": func(g *types.GenesisState) { g.PrunedSignatures[0].Id = "test:b" },
		"a test alone": func(g *types.GenesisState) { g.PrunedSignatures[0].Id = "test:z" },
		"a test of a key": func(g *types.GenesisState) {
			g.PrunedSignatures[0].Id = "test:failed"
		},
		"two epochs of one reshare": func(g *types.GenesisState) {
			g.Keys[1].Epoch, g.Reshares[1].Epoch, g.Requests[1].Epoch = 1, 2, 2
		},
		"an epoch, and a key was pruned": func(g *types.GenesisState) {
			g.PrunedRequests, g.PrunedSignatures = g.PrunedRequests[:1], nil
		},
		"the hook of another reshare": func(g *types.GenesisState) {
			g.QueuedHooks = []types.QueuedHook{{Hook: types.HookAfterKeyReshared, Id: "failed"}}
		},
		"decided in the future": func(g *types.GenesisState) {
			*g = exportedReshares(t)
			g.Reshares[0].DecidedHeight = g.ExportHeight + 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			gs := pruned(t)
			require.NoError(t, gs.Validate())
			spoil(&gs)
			require.ErrorIs(t, gs.Validate(), types.ErrBadGenesis)
		})
	}
	gs := pruned(t)
	gs.QueuedHooks = []types.QueuedHook{{Hook: types.HookAfterKeyReshared, Id: "a"}}
	require.NoError(t, gs.Validate(), "its hook waited for too long")
	gs.PrunedRequests = append(gs.PrunedRequests, types.PrunedRequest{Kind: types.REQUEST_KIND_RESHARE, Id: "failed", ContentHash: chain.Digest("z")},
		types.PrunedRequest{Kind: types.REQUEST_KIND_RESHARE, Id: "k", ContentHash: chain.Digest("z")})
	require.NoError(t, gs.Validate(), "ids of keys and of reshares are apart")
}
