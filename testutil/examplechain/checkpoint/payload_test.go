package checkpoint

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	coretypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

func point(height int64) Point {
	return Point{Chain: "example-1", Height: height, Hash: bytes.Repeat([]byte{byte(height)}, 32)}
}

// What is signed can be read, in one encoding, and is of one place.
func TestKind(t *testing.T) {
	kinds := coretypes.NewPayloadKinds(Kind{})
	decode := func(data string) (coretypes.DecodedPayload, error) {
		return kinds.Decode(coretypes.Payload{Kind: KindName, Data: []byte(data)})
	}
	decoded, err := decode(string(point(5).Data()))
	require.NoError(t, err)
	require.Equal(t, point(5).Digest(), decoded.Digest())
	require.Equal(t, "example-1/5", decoded.Claims().Place)
	finished, err := decoded.Finish(nil, &coretypes.SignatureResult{R: []byte{1}, S: []byte{2}})
	require.NoError(t, err)
	require.Equal(t, []byte{1, 2}, finished.Raw)

	other := point(5)
	other.Hash = point(6).Hash
	require.Equal(t, decoded.Claims().Place, other.Claims().Place)
	require.NotEqual(t, decoded.Claims().Effect, other.Claims().Effect)
	slash := point(5)
	slash.Chain = "a/b"
	decoded, err = decode(string(slash.Data()))
	require.NoError(t, err)
	require.Equal(t, "a/b", decoded.Claims().ChainID)

	hash := strings.Repeat("ab", 32)
	for data, want := range map[string]coretypes.Reason{
		"":                                     coretypes.ErrBadPayload,
		"example-1/" + hash:                    coretypes.ErrBadPayload,
		"example-1/x/" + hash:                  coretypes.ErrBadPayload,
		"example-1/0/" + hash:                  coretypes.ErrBadPayload,
		"example-1/5/" + hash[2:]:              coretypes.ErrBadPayload,
		"example-1/5/" + hash[1:]:              coretypes.ErrBadPayload,
		"example-1/05/" + hash:                 coretypes.ErrNotCanonical,
		"example-1/+5/" + hash:                 coretypes.ErrNotCanonical,
		"example-1/5/" + strings.ToUpper(hash): coretypes.ErrNotCanonical,
	} {
		_, err := decode(data)
		require.Equal(t, want, coretypes.ReasonOf(err), data)
	}
}
