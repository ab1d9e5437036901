package session

import (
	"crypto/ecdh"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

var sealContext = types.Context{7}

func ephemeral(t *testing.T, seed byte) *ecdh.PrivateKey {
	t.Helper()
	key, err := newEphemeral(rand.NewChaCha8([32]byte{seed}))
	require.NoError(t, err)
	return key
}

// linkOf is how self talks to peer.
func linkOf(t *testing.T, own, peer *ecdh.PrivateKey, context types.Context, self, to types.Operator) *link {
	t.Helper()
	l, err := newLink(own, peer.PublicKey().Bytes(), context, self, to)
	require.NoError(t, err)
	return l
}

func sealHeader() wire.Header {
	return wire.Header{
		ChainId: "chain", Context: sealContext[:], Kind: wire.KIND_ROUND, Round: 2, Type: "k2p", From: "op-a",
		IdentityVersion: 1, To: "op-b", Sequence: 9,
	}
}

func TestSealAndOpen(t *testing.T) {
	a, b, c := ephemeral(t, 1), ephemeral(t, 2), ephemeral(t, 3)
	h := sealHeader()
	body := []byte("a secret polynomial")
	sealed := linkOf(t, a, b, sealContext, "op-a", "op-b").seal(&h, body)
	require.Len(t, sealed, len(body)+sealOverhead)
	require.NotContains(t, string(sealed), "secret")

	// The hash of the sealed body is filled in after sealing.
	h.BodyHash = make([]byte, 32)
	opened, err := linkOf(t, b, a, sealContext, "op-b", "op-a").open(&h, sealed)
	require.NoError(t, err)
	require.Equal(t, body, opened)

	for name, other := range map[string]*link{
		"another member":             linkOf(t, c, a, sealContext, "op-c", "op-a"),
		"another member in its name": linkOf(t, c, a, sealContext, "op-b", "op-a"),
		"the sender":                 linkOf(t, a, b, sealContext, "op-a", "op-b"),
		"another session":            linkOf(t, b, a, types.Context{8}, "op-b", "op-a"),
		"another pair of keys":       linkOf(t, ephemeral(t, 4), a, sealContext, "op-b", "op-a"),
	} {
		_, err := other.open(&h, sealed)
		require.Error(t, err, name)
	}
}

// TestSealedHeader: a sealed body belongs to its header, field by field.
func TestSealedHeader(t *testing.T) {
	a, b := ephemeral(t, 1), ephemeral(t, 2)
	h := sealHeader()
	sealed := linkOf(t, a, b, sealContext, "op-a", "op-b").seal(&h, []byte("body"))
	receiver := linkOf(t, b, a, sealContext, "op-b", "op-a")
	_, err := receiver.open(&h, sealed)
	require.NoError(t, err)
	for name, change := range map[string]func(*wire.Header){
		"chain":    func(h *wire.Header) { h.ChainId = "another" },
		"context":  func(h *wire.Header) { h.Context = make([]byte, 32) },
		"kind":     func(h *wire.Header) { h.Kind = wire.KIND_CONFIRM },
		"round":    func(h *wire.Header) { h.Round = 3 },
		"type":     func(h *wire.Header) { h.Type = "k2b" },
		"from":     func(h *wire.Header) { h.From = "op-c" },
		"version":  func(h *wire.Header) { h.IdentityVersion = 2 },
		"to":       func(h *wire.Header) { h.To = "op-c" },
		"sequence": func(h *wire.Header) { h.Sequence = 10 },
	} {
		changed := h
		change(&changed)
		_, err := receiver.open(&changed, sealed)
		require.Error(t, err, name)
	}
}

// TestDirections: the same body under the same sequence number is sealed
// differently each way.
func TestDirections(t *testing.T) {
	a, b := ephemeral(t, 1), ephemeral(t, 2)
	there, back := linkOf(t, a, b, sealContext, "op-a", "op-b"), linkOf(t, b, a, sealContext, "op-b", "op-a")
	h := sealHeader()
	sealed := there.seal(&h, []byte("body"))
	require.NotEqual(t, sealed, back.seal(&h, []byte("body")))
	require.Equal(t, sealed, there.seal(&h, []byte("body")), "sealing is a function of its inputs")
}

func TestNonces(t *testing.T) {
	seen := make(map[string]bool)
	for _, sequence := range []uint64{0, 1, 255, 256, 1 << 32, 1<<64 - 1} {
		nonce := sealNonce(sequence)
		require.Len(t, nonce, 12)
		require.False(t, seen[string(nonce)])
		seen[string(nonce)] = true
	}
}

func TestSessionKeys(t *testing.T) {
	own := ephemeral(t, 1)
	one := make([]byte, 32)
	one[0] = 1
	for name, key := range map[string][]byte{
		"zero": make([]byte, 32), "one, of order 4": one, "31 bytes": make([]byte, 31), "33 bytes": make([]byte, 33), "none": nil,
	} {
		_, err := newLink(own, key, sealContext, "op-a", "op-b")
		require.ErrorContains(t, err, "session key of op-b", name)
	}
}
