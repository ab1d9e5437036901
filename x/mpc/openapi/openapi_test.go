package openapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/api/annotations"
	protov2 "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/sequencer-mpc/sequencer/x/mpc/openapi"
	_ "github.com/sequencer-mpc/sequencer/x/mpc/types" // registers the service
)

// document is as much of the format as the test reads.
type document struct {
	Swagger string
	Paths   map[string]map[string]struct {
		Summary    string
		Parameters []struct {
			Name, In, Description string
			Enum                  []string
		}
		Responses map[string]struct {
			Schema struct {
				Ref string `json:"$ref"`
			}
		}
	}
	Definitions map[string]struct{ Properties map[string]any }
}

// Every route of the gateway is in the document, with what it answers, and nothing else.
func TestEveryRouteIsThere(t *testing.T) {
	w := httptest.NewRecorder()
	openapi.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, openapi.Path, nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, openapi.Document(), w.Body.Bytes())
	var d document
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &d))
	require.Equal(t, "2.0", d.Swagger)

	found, err := proto.HybridResolver.FindDescriptorByName("sequencer.mpc.v1.Query")
	require.NoError(t, err)
	methods := found.(protoreflect.ServiceDescriptor).Methods()
	require.Len(t, d.Paths, methods.Len())
	require.Greater(t, methods.Len(), 10)
	for i := range methods.Len() {
		m := methods.Get(i)
		rule, ok := protov2.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
		require.True(t, ok, m.Name())
		require.NotEmpty(t, rule.GetGet(), m.Name())
		require.True(t, strings.HasPrefix(rule.GetGet(), "/sequencer/mpc/v1/"))
		get, ok := d.Paths[rule.GetGet()]["get"]
		require.True(t, ok, "%s is not in the document: run make proto", rule.GetGet())
		require.NotEmpty(t, get.Summary, m.Name())
		require.Equal(t, "#/definitions/"+string(m.Output().FullName()), get.Responses["200"].Schema.Ref)
		answer, ok := d.Definitions[string(m.Output().FullName())]
		require.True(t, ok)
		require.Len(t, answer.Properties, m.Output().Fields().Len())
		for _, p := range get.Parameters {
			require.Equal(t, strings.Contains(rule.GetGet(), "{"+p.Name+"}"), p.In == "path", "%s of %s", p.Name, m.Name())
			require.Equal(t, len(p.Enum) > 0, strings.Contains(p.Description, "REST takes the number"), "%s of %s", p.Name, m.Name())
		}
	}
	require.Contains(t, d.Definitions["sequencer.mpc.v1.Signature"].Properties, "refusals", "fields have the names that the gateway gives them")
}
