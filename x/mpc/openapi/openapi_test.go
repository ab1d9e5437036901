package openapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/restdoc"
	"github.com/sequencer-mpc/sequencer/x/mpc/openapi"
	_ "github.com/sequencer-mpc/sequencer/x/mpc/types" // registers the service
)

// Every route of the gateway is in the document, with what it answers, and nothing else.
func TestEveryRouteIsThere(t *testing.T) {
	d := restdoc.Check(t, openapi.Handler(), openapi.Path, "sequencer.mpc.v1.Query")
	require.Contains(t, d.Definitions["sequencer.mpc.v1.Signature"].Properties, "refusals", "fields have the names that the gateway gives them")
	w := httptest.NewRecorder()
	openapi.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, openapi.Path, nil))
	require.Equal(t, openapi.Document(), w.Body.Bytes())
}
