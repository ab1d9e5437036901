package restdoc

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
)

// Document is as much of the format as is checked.
type Document struct {
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

// Check asks a handler for a document, and requires that it has every route of a service below
// the folder of its path, with what it answers, and nothing else. The service's code is
// imported by the test.
func Check(t *testing.T, handler http.Handler, path string, service protoreflect.FullName) Document {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var d Document
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &d))
	require.Equal(t, "2.0", d.Swagger)

	found, err := proto.HybridResolver.FindDescriptorByName(service)
	require.NoError(t, err)
	methods := found.(protoreflect.ServiceDescriptor).Methods()
	require.Len(t, d.Paths, methods.Len())
	require.Greater(t, methods.Len(), 5)
	for i := range methods.Len() {
		m := methods.Get(i)
		rule, ok := protov2.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
		require.True(t, ok, m.Name())
		require.NotEmpty(t, rule.GetGet(), m.Name())
		require.True(t, strings.HasPrefix(rule.GetGet(), strings.TrimSuffix(path, "openapi.json")))
		get, ok := d.Paths[rule.GetGet()]["get"]
		require.True(t, ok, "%s is not in the document: run make proto", rule.GetGet())
		require.NotEmpty(t, get.Summary, m.Name())
		require.Equal(t, "#/definitions/"+string(m.Output().FullName()), get.Responses["200"].Schema.Ref)
		answer, ok := d.Definitions[string(m.Output().FullName())]
		require.True(t, ok)
		require.Len(t, answer.Properties, m.Output().Fields().Len())
		for _, p := range get.Parameters {
			require.Equal(t, strings.Contains(rule.GetGet(), "{"+p.Name+"}"), p.In == "path", "%s of %s", p.Name, m.Name())
			require.Equal(t, len(p.Enum) > 0 && p.In == "query", strings.Contains(p.Description, "REST takes the number"), "%s of %s", p.Name, m.Name())
		}
	}
	return d
}
