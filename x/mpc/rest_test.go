package mpc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server/api"
	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// gateway serves REST as a node does, out of a fixture.
type gateway struct {
	f   *chain.Fixture
	mux *gwruntime.ServeMux
}

func newGateway(t *testing.T, f *chain.Fixture) gateway {
	t.Helper()
	mux := api.New(client.Context{}.WithInterfaceRegistry(f.Cdc.InterfaceRegistry()), log.NewNopLogger(), nil).GRPCGatewayRouter
	require.NoError(t, types.RegisterQueryHandlerServer(t.Context(), mux, f.Query))
	return gateway{f, mux}
}

func (g gateway) get(path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/sequencer/mpc/v1"+path, nil)
	w := httptest.NewRecorder()
	g.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sdk.SdkContextKey, g.f.Ctx)))
	return w
}

// route is a query by its path, and the same asked of the module itself.
type route struct {
	rpc, path string
	ask       func() (proto.Message, error)
}

func via[Req any, Resp proto.Message](g gateway, rpc, path string, query func(context.Context, Req) (Resp, error), req Req) route {
	return route{rpc, path, func() (proto.Message, error) { return query(g.f.Ctx, req) }}
}

// Every query of the module has a route, which says what the module says. In a path
// the gateway knows enums by number only.
func TestRoutes(t *testing.T) {
	f := chain.New(t, 4)
	f.ReadyKey("key", 1)
	f.KeyGen("open", 2)
	f.KeySign("signature", "key", "text")
	_, err := f.Msg.KeyReshare(f.Ctx, &types.MsgKeyReshare{Requester: f.Requester, ReshareId: "reshare", KeyId: "key", Threshold: 2})
	require.NoError(t, err)
	operator := f.Participants[1].Operator
	accusation := f.Participants[0].Accuse(mpctypes.RequestID{Kind: mpctypes.KindSign, ID: "signature"}, operator)
	require.NoError(t, f.Keeper.ApplyAccusation(f.Ctx, &accusation))

	g, q := newGateway(t, f), f.Query
	routes := []route{
		via(g, "Params", "/params", q.Params, &types.QueryParamsRequest{}),
		via(g, "Participant", "/participants/"+operator, q.Participant, &types.QueryParticipantRequest{Operator: operator}),
		via(g, "Participants", "/participants", q.Participants, &types.QueryParticipantsRequest{}),
		via(g, "Key", "/keys/key", q.Key, &types.QueryKeyRequest{KeyId: "key"}),
		via(g, "Keys", fmt.Sprintf("/keys?status=%d&owner=%s", types.KEY_STATUS_PENDING, f.Requester), q.Keys,
			&types.QueryKeysRequest{Status: types.KEY_STATUS_PENDING, Owner: f.Requester}),
		via(g, "Signature", "/signatures/signature", q.Signature, &types.QuerySignatureRequest{SignatureId: "signature"}),
		via(g, "Signatures", "/keys/key/signatures", q.Signatures, &types.QuerySignaturesRequest{KeyId: "key"}),
		via(g, "PendingRequests", fmt.Sprintf("/requests?kind=%d", types.REQUEST_KIND_RESHARE), q.PendingRequests,
			&types.QueryPendingRequestsRequest{Kind: types.REQUEST_KIND_RESHARE}),
		via(g, "Faults", "/faults?participant="+operator, q.Faults, &types.QueryFaultsRequest{Participant: operator}),
		via(g, "Reshare", "/reshares/reshare", q.Reshare, &types.QueryReshareRequest{ReshareId: "reshare"}),
		via(g, "Reshares", "/reshares?key_id=key", q.Reshares, &types.QueryResharesRequest{KeyId: "key"}),
		via(g, "CanKeyGen", "/can-keygen?threshold=2&requester="+f.Requester, q.CanKeyGen,
			&types.QueryCanKeyGenRequest{Threshold: 2, Requester: f.Requester}),
		via(g, "CanSign", "/keys/key/can-sign?requester="+f.Requester, q.CanSign, &types.QueryCanSignRequest{KeyId: "key", Requester: f.Requester}),
		via(g, "CanReshare", "/keys/key/can-reshare?threshold=1", q.CanReshare, &types.QueryCanReshareRequest{KeyId: "key", Threshold: 1}),
	}
	var asked []string
	for _, r := range routes {
		t.Run(r.rpc, func(t *testing.T) {
			want, err := r.ask()
			require.NoError(t, err)
			text, err := f.Cdc.MarshalJSON(want)
			require.NoError(t, err)
			got := g.get(r.path)
			require.Equal(t, http.StatusOK, got.Code, got.Body)
			require.JSONEq(t, string(text), got.Body.String())
			require.NotEqual(t, "{}", string(text))
		})
		asked = append(asked, r.rpc)
	}
	require.ElementsMatch(t, queries(t), asked, "every query has a route")

	pages(t, g)
	none := g.get("/keys/none")
	require.Equal(t, http.StatusNotFound, none.Code)
	require.Contains(t, none.Body.String(), string(mpctypes.ErrUnknownKey))
	require.Equal(t, http.StatusBadRequest, g.get("/can-keygen?threshold=many").Code)
	require.Equal(t, http.StatusBadRequest, g.get("/keys?status=KEY_STATUS_READY").Code, "the OpenAPI document says of each that it is a number")
}

// pages asks for lists page by page, by the keys that the pages give.
func pages(t *testing.T, g gateway) {
	t.Helper()
	for _, path := range []string{"/participants?", "/keys?owner=" + g.f.Requester + "&", "/requests?"} {
		want, found := listed(t, g, path+"pagination.count_total=true"), 0
		require.Greater(t, len(want.entries), 1, path)
		require.Equal(t, strconv.Itoa(len(want.entries)), want.Total, path)
		for next := ""; ; {
			page := listed(t, g, path+"pagination.limit=1&pagination.key="+url.QueryEscape(next))
			require.Equal(t, want.entries[found:found+1], page.entries, path)
			found++
			if next = page.NextKey; next == "" {
				break
			}
		}
		require.Len(t, want.entries, found, path)
	}
}

// list is an answer with a page of a list.
type list struct {
	entries []any
	NextKey string `json:"next_key"`
	Total   string
}

func listed(t *testing.T, g gateway, path string) (l list) {
	t.Helper()
	got := g.get(path)
	require.Equal(t, http.StatusOK, got.Code, got.Body)
	var answer map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(got.Body.Bytes(), &answer))
	for name, text := range answer {
		if name == "pagination" {
			require.NoError(t, json.Unmarshal(text, &l))
		} else {
			require.NoError(t, json.Unmarshal(text, &l.entries))
		}
	}
	return l
}

// What modules ask for has a colon in its name, by which gateways know verbs.
func TestRoutesOfNamesWithAColon(t *testing.T) {
	f := chain.New(t, 3)
	api := f.Keeper.ForModule("vault")
	_, err := api.KeyGen(f.Ctx, "vault:1", types.ALGORITHM_ECDSA_SECP256K1, 1, nil, keeper.AllowRaw())
	require.NoError(t, err)
	f.AttestAll("vault:1", chain.NewSecret("vault"))
	_, err = api.KeySign(f.Ctx, "vault:s:1", "vault:1", types.DigestPayload(chain.Digest("text")))
	require.NoError(t, err)
	_, err = api.KeyReshare(f.Ctx, "vault:r", "vault:1", 2, nil)
	require.NoError(t, err)
	g := newGateway(t, f)
	for path, name := range map[string]string{
		"/keys/vault:1": "vault:1", "/keys/vault:1/signatures": "vault:s:1", "/signatures/vault:s:1": "vault:s:1",
		"/reshares/vault:r": "vault:r", "/reshares?key_id=vault:1": "vault:r", "/keys/vault%3A1": "vault:1",
	} {
		got := g.get(path)
		require.Equal(t, http.StatusOK, got.Code, "%s: %s", path, got.Body)
		require.Contains(t, got.Body.String(), `"id":"`+name+`"`, path)
	}
	for _, path := range []string{"/keys/vault:1/can-sign", "/keys/vault:1/can-reshare?threshold=1"} {
		require.Equal(t, http.StatusOK, g.get(path).Code, path)
	}
}

// queries are the names of the module's queries.
func queries(t *testing.T) (names []string) {
	t.Helper()
	files, err := proto.MergedRegistry()
	require.NoError(t, err)
	d, err := files.FindDescriptorByName("sequencer.mpc.v1.Query")
	require.NoError(t, err)
	methods := d.(protoreflect.ServiceDescriptor).Methods()
	for i := range methods.Len() {
		names = append(names, string(methods.Get(i).Name()))
	}
	return names
}
