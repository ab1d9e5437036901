package mpcnode

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	chaintest "github.com/sequencer-mpc/sequencer/testutil/chain"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestShowsPage(t *testing.T) {
	for address, local := range map[string]bool{
		"tcp://localhost:1317": true, "tcp://127.0.0.1:1317": true, "tcp://[::1]:1317": true, "127.0.0.9:1": true,
		"tcp://0.0.0.0:1317": false, "tcp://:1317": false, "tcp://10.0.0.1:1317": false, "tcp://[::]:1317": false,
		"tcp://localhost.example.com:1317": false, "": false,
	} {
		c := DefaultConfig()
		require.Equal(t, local, c.showsPage(address), address)
		c.Page = PageOn
		require.True(t, c.showsPage(address))
		c.Page = PageOff
		require.False(t, c.showsPage(address))
		c.Page, c.Enabled = PageOn, false
		require.False(t, c.showsPage(address))
	}
}

func TestGuardPage(t *testing.T) {
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for mode, want := range map[string]int{PageLocal: http.StatusForbidden, PageOn: http.StatusOK} {
		c := DefaultConfig()
		c.Page = mode
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/mpc/state.json", nil)
		r.Host = "evil.example:1317"
		w := httptest.NewRecorder()
		c.guardPage(h).ServeHTTP(w, r)
		require.Equal(t, want, w.Code, mode)
	}
}

// faultyChain has more faults than one answer, the newest last.
type faultyChain struct {
	mpcmodule.QueryClient
	pages int
}

func (c faultyChain) Keys(context.Context, *mpcmodule.QueryKeysRequest, ...grpc.CallOption) (*mpcmodule.QueryKeysResponse, error) {
	return &mpcmodule.QueryKeysResponse{}, nil
}

func (c faultyChain) Participants(context.Context, *mpcmodule.QueryParticipantsRequest, ...grpc.CallOption) (*mpcmodule.QueryParticipantsResponse, error) {
	return &mpcmodule.QueryParticipantsResponse{}, nil
}

func (c faultyChain) PendingRequests(context.Context, *mpcmodule.QueryPendingRequestsRequest, ...grpc.CallOption) (*mpcmodule.QueryPendingRequestsResponse, error) {
	return &mpcmodule.QueryPendingRequestsResponse{}, nil
}

func (c faultyChain) Faults(_ context.Context, q *mpcmodule.QueryFaultsRequest, _ ...grpc.CallOption) (*mpcmodule.QueryFaultsResponse, error) {
	page := 0
	if len(q.Pagination.Key) > 0 {
		page = int(q.Pagination.Key[0])
	}
	answer := &mpcmodule.QueryFaultsResponse{Faults: []mpcmodule.Fault{{Height: int64(page)}}, Pagination: &query.PageResponse{}}
	if page+1 < c.pages {
		answer.Pagination.NextKey = []byte{byte(page + 1)}
	}
	return answer, nil
}

func TestPageReadsAllFaults(t *testing.T) {
	var r PageReport
	require.NoError(t, r.readChain(t.Context(), faultyChain{pages: 30}, nil))
	require.Len(t, r.Faults, maxPageFaults)
	require.Equal(t, int64(29), r.Faults[0].Height)
}

// keyedChain has so many keys of each status.
type keyedChain struct {
	faultyChain
	keys map[mpcmodule.KeyStatus]int
}

func (c keyedChain) Keys(_ context.Context, q *mpcmodule.QueryKeysRequest, _ ...grpc.CallOption) (*mpcmodule.QueryKeysResponse, error) {
	all, answer := c.keys[q.Status], &mpcmodule.QueryKeysResponse{Pagination: &query.PageResponse{}}
	for range min(all, int(q.Pagination.Limit)) {
		answer.Keys = append(answer.Keys, mpcmodule.Key{Status: q.Status})
	}
	if len(answer.Keys) < all {
		answer.Pagination.NextKey = []byte("more")
	}
	return answer, nil
}

// Keys that are gone leave room for those that sign, however many there are.
func TestPageShowsReadyKeysFirst(t *testing.T) {
	const ready, pending, failed, deleted = mpcmodule.KEY_STATUS_READY, mpcmodule.KEY_STATUS_PENDING, mpcmodule.KEY_STATUS_ERROR, mpcmodule.KEY_STATUS_DELETED
	type keys map[mpcmodule.KeyStatus]int
	for name, c := range map[string]struct {
		chain   keys
		shown   map[string]int
		leftOut bool
	}{
		"none":               {keys{}, map[string]int{}, false},
		"all":                {keys{ready: 2, failed: 90, deleted: 8}, map[string]int{"READY": 2, "ERROR": 90, "DELETED": 8}, false},
		"many that are gone": {keys{ready: 3, pending: 1, failed: 1000, deleted: 1000}, map[string]int{"READY": 3, "PENDING": 1, "ERROR": 96}, true},
		"just enough":        {keys{ready: 100}, map[string]int{"READY": 100}, false},
		"one too many":       {keys{ready: 100, deleted: 1}, map[string]int{"READY": 100}, true},
		"too many":           {keys{ready: 101}, map[string]int{"READY": 100}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var r PageReport
			require.NoError(t, r.readChain(t.Context(), keyedChain{faultyChain{pages: 1}, c.chain}, nil))
			shown := map[string]int{}
			for _, k := range r.Keys {
				shown[k.Status]++
			}
			require.Equal(t, c.shown, shown)
			require.Equal(t, c.leftOut, r.KeysLeftOut)
			if c.chain[ready] > 0 {
				require.Equal(t, "READY", r.Keys[0].Status)
			}
		})
	}
}

// Who will not sign is shown while the request is open, and after it failed, also by a node
// that was started later.
func TestPageShowsRefusals(t *testing.T) {
	f := chaintest.NewPlain(t, 4)
	f.ReadyKey("key", 2)
	f.KeySign("signed", "key", "something else")
	f.KeySign("refused", "key", "text")
	refuse := func(i int) string {
		a := f.Participants[i].Refuse("refused", types.ErrBadPayload)
		require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &a))
		return f.Participants[i].Operator
	}
	show := func(failed ...string) []PageRefusal {
		var r PageReport
		require.NoError(t, r.readChain(t.Context(), mpcmodule.NewQueryClient(askApp{newKeeperApp(f)}), failed))
		return r.Refusals
	}
	require.Empty(t, show("unknown"))
	first := PageRefusal{"refused", "key", "PENDING", RefusalReport{refuse(1), string(types.ErrBadPayload), types.ErrBadPayload.Remedy()}}
	require.Equal(t, []PageRefusal{first}, show())
	refuse(2)
	f.EndBlocks(f.Ctx.BlockHeight() + 1)
	require.Empty(t, show(), "it failed: two cannot sign")
	failed := show("refused")
	require.Len(t, failed, 2)
	require.Equal(t, "ERROR", failed[0].Status)

	var started failedSigns
	started.observe(&mpc.View{}, nil, func(looks int) ([]string, error) { return f.Keeper.EngineFailedSigns(f.Ctx, looks) })
	require.Equal(t, failed, show(started.list()...))
}

func TestPageKey(t *testing.T) {
	k := mpcmodule.Key{Id: "k", Status: mpcmodule.KEY_STATUS_READY, Threshold: 2, Participants: []string{"a", "b", "c", "d"}, Epoch: 3, ReshareId: "r"}
	all := map[string]bool{"a": true, "b": true, "c": true, "d": true}
	require.Equal(t, PageKey{
		ID: "k", Status: "READY", Epoch: 3, Threshold: 2, Participants: 4, Missing: []string{}, Revoked: []string{}, Losses: 1, Reshare: "r",
	}, pageKey(k, all))
	k.MissingShares = []string{"a", "d"}
	require.Equal(t, -1, pageKey(k, all).Losses)
}

// Who revoked signs nothing, on the page as on the chain; and the page looks at everybody, also
// at those that it has no place for.
func TestPageShowsKeysOfThoseThatRevoked(t *testing.T) {
	f := chaintest.NewPlain(t, 4)
	f.ReadyKey("key", 2)
	show := func() PageKey {
		var r PageReport
		require.NoError(t, r.readChain(t.Context(), mpcmodule.NewQueryClient(askApp{newKeeperApp(f)}), nil))
		require.Len(t, r.Keys, 1)
		return r.Keys[0]
	}
	canSign := func() bool {
		answer, err := f.Query.CanSign(f.Ctx, &mpcmodule.QueryCanSignRequest{KeyId: "key"})
		require.NoError(t, err)
		return answer.Ok
	}
	require.Equal(t, 1, show().Losses)
	var revoked []string
	for i, losses := range []int{0, -1} {
		revoked = append(revoked, f.Participants[i].Operator)
		require.NoError(t, f.Keeper.RevokeParticipant(f.Ctx, revoked[i]))
		shown := show()
		require.ElementsMatch(t, revoked, shown.Revoked)
		require.Empty(t, shown.Missing)
		require.Equal(t, losses, shown.Losses)
		require.Equal(t, losses >= 0, canSign())
	}
}

// crowdedChain has more participants than one answer, the last of which has a key.
type crowdedChain struct{ keyedChain }

func (c crowdedChain) Participants(_ context.Context, q *mpcmodule.QueryParticipantsRequest, _ ...grpc.CallOption) (*mpcmodule.QueryParticipantsResponse, error) {
	if len(q.Pagination.Key) > 0 {
		return &mpcmodule.QueryParticipantsResponse{Participants: []mpcmodule.Participant{{Operator: "last", Identities: []mpcmodule.Identity{{Version: 1}}}}}, nil
	}
	answer := &mpcmodule.QueryParticipantsResponse{Pagination: &query.PageResponse{NextKey: []byte("more")}}
	return answer, nil
}

func (c crowdedChain) Keys(_ context.Context, q *mpcmodule.QueryKeysRequest, _ ...grpc.CallOption) (*mpcmodule.QueryKeysResponse, error) {
	if q.Status != mpcmodule.KEY_STATUS_READY {
		return &mpcmodule.QueryKeysResponse{}, nil
	}
	return &mpcmodule.QueryKeysResponse{Keys: []mpcmodule.Key{{Id: "k", Status: q.Status, Threshold: 1, Participants: []string{"gone", "last"}}}}, nil
}

func TestPageLooksAtAllParticipants(t *testing.T) {
	var r PageReport
	require.NoError(t, r.readChain(t.Context(), crowdedChain{keyedChain{faultyChain{pages: 1}, nil}}, nil))
	require.Equal(t, []string{"gone"}, r.Keys[0].Revoked)
	require.Equal(t, -1, r.Keys[0].Losses)
}

func TestPageFaultsAreTheLatest(t *testing.T) {
	var faults []mpcmodule.Fault
	for h := range int64(2 * maxPageFaults) {
		faults = append(faults, mpcmodule.Fault{Height: (h * 7) % (2 * maxPageFaults), Kind: mpcmodule.FAULT_KIND_EQUIVOCATION})
	}
	shown := latest(faults)
	require.Len(t, shown, maxPageFaults)
	for i, f := range shown {
		require.Equal(t, int64(2*maxPageFaults-1-i), f.Height)
		require.True(t, f.Proof)
	}
}

func TestPageWhileTheNodeStarts(t *testing.T) {
	_, err := (&pageSource{}).asker("seq-1", client.Context{})(t.Context())
	require.ErrorIs(t, err, errStarting)
}
