package wire

import (
	"encoding/hex"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
)

type wrapper interface {
	proto.Message
	Wrap() proto.Message
}

// The bytes are golden: nodes of two versions must understand each other.
func TestWrapAndUnwrap(t *testing.T) {
	tests := []struct {
		name  string
		inner wrapper
		hex   string
	}{
		{"hello", &Hello{Operator: "op", IdentityVersion: 2, PeerId: "ab", Signature: []byte{9}}, "0a0d0a026f7010021a026162220109"},
		{"envelope", &Envelope{Header: &Header{ChainId: "c", Kind: KIND_START, From: "a"}, Body: []byte{7}, Signature: []byte{8}}, "12100a080a016318043201611201071a0108"},
		{"gossip", &Gossip{Sum: &Gossip_Signature{Signature: &Signature{RequestId: "r", R: []byte{1}, S: []byte{2}, V: 1}}}, "1a0d120b0a01721201011a01022001"},
		{"relay", &Relay{Envelope: &Envelope{Header: &Header{ChainId: "c", Kind: KIND_START, From: "a"}, Body: []byte{7}, Signature: []byte{8}}, Hops: 3}, "22140a100a080a016318043201611201071a01081003"},
		{"frame", &Frame{Envelopes: []*Envelope{{Body: []byte{7}}, {Signature: []byte{8}}}}, "2a0a0a031201070a031a0108"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bz, err := proto.Marshal(tt.inner.Wrap())
			require.NoError(t, err)
			require.Equal(t, tt.hex, hex.EncodeToString(bz))
			var m Message
			require.NoError(t, proto.Unmarshal(bz, &m))
			inner, err := m.Unwrap()
			require.NoError(t, err)
			require.Equal(t, tt.inner, inner)
		})
	}
}

func TestUnwrapUnknown(t *testing.T) {
	// Field 9 of a version to come.
	var m Message
	require.NoError(t, proto.Unmarshal([]byte{9<<3 | 2, 1, 0}, &m))
	inner, err := m.Unwrap()
	require.NoError(t, err)
	require.Same(t, &m, inner)
}
