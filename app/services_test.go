package app

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server/api"
	"github.com/cosmos/cosmos-sdk/server/config"

	"github.com/sequencer-mpc/sequencer/x/mpc/openapi"
)

// The API server has the OpenAPI document of x/mpc.
func TestOpenAPIIsServed(t *testing.T) {
	app := newApplication(config.BlockExecutorSequential)
	s := api.New(client.Context{}.WithInterfaceRegistry(app.InterfaceRegistry), log.NewNopLogger(), nil)
	app.RegisterAPIRoutes(s, config.APIConfig{})
	w := httptest.NewRecorder()
	s.Router.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, openapi.Path, nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, openapi.Document(), w.Body.Bytes())
}
