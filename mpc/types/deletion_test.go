package types

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What a deletion's attestation says of what was there is signed.
func TestDeletionPayload(t *testing.T) {
	a := Attestation{Request: RequestID{KindDelete, "key"}, Operator: "seqvaloper1a", IdentityVersion: 4}
	for _, had := range []bool{true, false} {
		a.Payload = DeletionPayload(had)
		a.Sign("chain", testKey)
		require.NoError(t, a.Verify("chain", public()))
		require.Equal(t, !had, a.FoundNothing())
		a.Payload = DeletionPayload(!had)
		require.Error(t, a.Verify("chain", public()))
	}
	for _, payload := range [][]byte{{0}, {2}, {1, 1}} {
		a.Payload = payload
		require.Error(t, a.ValidateBasic())
		require.False(t, a.FoundNothing())
	}
	a.Request.Kind, a.Payload = KindKeygen, []byte{1}
	require.False(t, a.FoundNothing())
}
