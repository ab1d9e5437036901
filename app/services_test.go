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
	settlementopenapi "github.com/sequencer-mpc/sequencer/x/settlement/openapi"
)

// The API server has the OpenAPI documents of our modules.
func TestOpenAPIIsServed(t *testing.T) {
	app := newApplication(config.BlockExecutorSequential)
	s := api.New(client.Context{}.WithInterfaceRegistry(app.InterfaceRegistry), log.NewNopLogger(), nil)
	app.RegisterAPIRoutes(s, config.APIConfig{})
	for path, document := range map[string][]byte{openapi.Path: openapi.Document(), settlementopenapi.Path: settlementopenapi.Document()} {
		w := httptest.NewRecorder()
		s.Router.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		require.Equal(t, http.StatusOK, w.Code, path)
		require.Equal(t, document, w.Body.Bytes(), path)
	}
}
