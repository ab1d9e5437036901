package types_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakekind"
)

// named is a kind with another name, whose payloads have the digest that they are.
type named string

func (n named) Name() string { return string(n) }

func (named) Decode(data []byte) (types.DecodedPayload, error) { return digest(data), nil }

type digest [32]byte

func (d digest) Digest() types.Hash { return types.Hash(d) }
func (digest) Claims() types.Claims { return types.Claims{} }
func (digest) Finish([]byte, *types.SignatureResult) (types.FinishedPayload, error) {
	return types.FinishedPayload{}, nil
}

func TestPayloadKindsAreChecked(t *testing.T) {
	require.Equal(t, []string{"b-2", "note"}, types.NewPayloadKinds(fakekind.Kind{}, named("b-2")).Names())
	for name, kinds := range map[string][]types.PayloadKind{
		"nil": {nil}, "twice": {named("a"), named("a")}, "no name": {named("")}, "capitals": {named("A")},
		"digit in front": {named("1")}, "too long": {named(strings.Repeat("a", types.MaxKindBytes+1))},
	} {
		require.Panics(t, func() { types.NewPayloadKinds(kinds...) }, name)
	}
}

func TestDecodeRefuses(t *testing.T) {
	kinds := types.NewPayloadKinds(fakekind.Kind{}, named("digest"))
	for name, c := range map[string]struct {
		kinds *types.PayloadKinds
		kind  string
		data  string
		want  types.Reason
	}{
		"no kinds":            {nil, fakekind.Name, "a", types.ErrUnknownKind},
		"unknown kind":        {kinds, "other", "a", types.ErrUnknownKind},
		"no kind":             {kinds, "", "a", types.ErrUnknownKind},
		"bad kind":            {kinds, "Note", "a", types.ErrUnknownKind},
		"no bytes":            {kinds, fakekind.Name, "", types.ErrBadPayload},
		"too many bytes":      {kinds, fakekind.Name, strings.Repeat("a", types.MaxSignPayloadBytes+1), types.ErrPayloadTooLarge},
		"without a reason":    {kinds, fakekind.Name, fakekind.Unreadable, types.ErrBadPayload},
		"not canonical":       {kinds, fakekind.Name, fakekind.NotCanonical, types.ErrNotCanonical},
		"panics":              {kinds, fakekind.Name, fakekind.Panics, types.ErrBadPayload},
		"digest is zero":      {kinds, "digest", strings.Repeat("\x00", 32), types.ErrBadDigest},
		"place is no text":    {kinds, fakekind.Name, "\xff/1/2/a/3/", types.ErrBadPayload},
		"place is too long":   {kinds, fakekind.Name, strings.Repeat("c", types.MaxPlaceBytes-1) + "/1/2/a/3/", types.ErrBadPayload},
		"digest is too large": {kinds, "digest", strings.Repeat("\xff", 32), types.ErrBadDigest},
	} {
		t.Run(name, func(t *testing.T) {
			decoded, err := c.kinds.Decode(types.Payload{Kind: c.kind, Data: []byte(c.data)})
			require.Equal(t, c.want, types.ReasonOf(err), err)
			require.Nil(t, decoded)
		})
	}
	note := fakekind.Note{Chain: "c", Nonce: 1, To: "a", Value: 2}
	decoded, err := kinds.Decode(types.Payload{Kind: fakekind.Name, Data: note.Data()})
	require.NoError(t, err)
	require.Equal(t, note, decoded)
	note.Chain = strings.Repeat("c", types.MaxPlaceBytes-len("/1"))
	_, err = kinds.Decode(types.Payload{Kind: fakekind.Name, Data: note.Data()})
	require.NoError(t, err)
}

// What a request is committed to covers its payload; without one it is what it was.
func TestCommitmentCoversPayload(t *testing.T) {
	bare := types.Request{ID: types.RequestID{Kind: types.KindSign, ID: "s"}, KeyID: "k", Digest: make([]byte, 32)}
	seen := map[types.Hash]bool{bare.Commitment("chain"): true}
	for _, p := range []types.Payload{{Kind: "a", Data: []byte("b")}, {Kind: "a", Data: []byte("c")}, {Kind: "b", Data: []byte("b")}} {
		r := bare
		r.Payload = p
		require.False(t, seen[r.Commitment("chain")])
		seen[r.Commitment("chain")] = true
		require.Equal(t, bare.BindingHash(), r.BindingHash(), "the digest is bound beside it")
	}
}
