package ethereum

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// Typed data without the type of its domain is what it is with it; a payload is not.
func TestDomainTypeIsAdded(t *testing.T) {
	for _, name := range []string{"mail", "everything"} {
		want := canonicalFile(t, name)
		var document map[string]any
		require.NoError(t, json.Unmarshal(want, &document))
		delete(document["types"].(map[string]any), domainType)
		left, err := json.Marshal(document)
		require.NoError(t, err)
		_, err = typedDataKind{}.Decode(left)
		require.ErrorIs(t, err, mpctypes.ErrBadPayload)
		canonical, err := CanonicalTypedData(left)
		require.NoError(t, err)
		require.Equal(t, string(want), string(canonical))
	}
	for name, domain := range map[string]string{
		"nothing in it": `{}`, "what no domain has": `{"name":"n","a":1}`, "no object": `1`,
	} {
		_, err := CanonicalTypedData([]byte(`{"types":{"A":[{"name":"a","type":"bool"}]},"primaryType":"A","domain":` + domain + `,"message":{"a":true}}`))
		require.ErrorIs(t, err, mpctypes.ErrBadPayload, name)
	}
	_, err := CanonicalTypedData([]byte(`{"types":1,"primaryType":"A","domain":{},"message":{}}`))
	require.ErrorIs(t, err, mpctypes.ErrBadPayload)
}
