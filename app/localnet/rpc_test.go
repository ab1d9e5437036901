package localnet

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Calls do not share a connection that the server could close in between.
func TestRPCOpensAConnectionPerCall(t *testing.T) {
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			ID int `json:"id"`
		}
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%d,"result":{}}`, call.ID) // a lost answer fails the call
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()

	rpc, err := (&Node{info: Info{Name: "node0", RPC: server.URL}}).RPC()
	require.NoError(t, err)
	for range 3 {
		_, err := rpc.Health(t.Context())
		require.NoError(t, err)
	}
	require.EqualValues(t, 3, opened.Load())
}
