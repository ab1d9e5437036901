package openapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/restdoc"
	"github.com/sequencer-mpc/sequencer/x/settlement/openapi"
	_ "github.com/sequencer-mpc/sequencer/x/settlement/types" // registers the service
)

// Every route of the gateway is in the document, with what it answers, and nothing else.
func TestEveryRouteIsThere(t *testing.T) {
	d := restdoc.Check(t, openapi.Handler(), openapi.Path, "sequencer.settlement.v1.Query")
	require.Contains(t, d.Definitions["sequencer.settlement.v1.Transaction"].Properties, "done_height", "fields have the names that the gateway gives them")
	w := httptest.NewRecorder()
	openapi.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, openapi.Path, nil))
	require.Equal(t, openapi.Document(), w.Body.Bytes())
}
