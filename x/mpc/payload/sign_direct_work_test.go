package payload_test

import (
	"bytes"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/payload"
)

// maxDepth is how deep a message may stand in others that carry it: of the 64 levels that
// the SDK looks at the first is the body, and the last two are the message and its parts.
const maxDepth = 62

// counting counts the messages that are made to decode something into.
type counting struct {
	codectypes.InterfaceRegistry
	made int
}

func (c *counting) Resolve(url string) (proto.Message, error) {
	c.made++
	return c.InterfaceRegistry.Resolve(url)
}

// nested is a document of about so many bytes, most of which stand at a depth, in so many
// small parts as they can.
func nested(t testing.TB, depth, size int) []byte {
	t.Helper()
	deepest := &banktypes.MsgMultiSend{}
	for range size / 2 {
		deepest.Inputs = append(deepest.Inputs, banktypes.Input{})
	}
	inner := anyOf(t, deepest)
	for range depth {
		inner = anyOf(t, &authz.MsgExec{Msgs: []*codectypes.Any{inner}})
	}
	d := newDocument(t)
	d.body.Messages = []*codectypes.Any{inner}
	return d.encode(t)
}

// Each message is made, and decoded, as often at any depth: once to look for unknown
// fields and once to compare it with what it would be written as.
func TestSignDirectWork(t *testing.T) {
	const others = 1 // the public key
	for _, depth := range []int{0, 1, 10, maxDepth} {
		registry := &counting{InterfaceRegistry: newRegistry()}
		decoded, err := payload.NewSignDirect(registry).Decode(nested(t, depth, 1000))
		require.NoError(t, err)
		require.Len(t, decoded.Claims().Calls, depth+1)
		require.Equal(t, 2*(depth+1+others), registry.made, "depth %d", depth)
	}
	_, err := kind().Decode(nested(t, maxDepth+1, 1000))
	require.ErrorIs(t, err, mpctypes.ErrBadPayload)
}

// What is looked at in this way is refused at any depth for what it was refused before.
func TestSignDirectRefusesAtAnyDepth(t *testing.T) {
	for _, depth := range []int{0, 1, 10, maxDepth} {
		for name, c := range map[string]struct {
			more []byte
			want mpctypes.Reason
		}{
			"an unknown field":       {unknown, mpctypes.ErrBadPayload},
			"a zero that is written": {[]byte{0x0a, 0}, mpctypes.ErrNotCanonical},
		} {
			inner := anyOf(t, &banktypes.MsgSend{FromAddress: "cosmos1a"})
			inner.Value = append(bytes.Clone(inner.Value), c.more...)
			for range depth {
				inner = anyOf(t, &authz.MsgExec{Msgs: []*codectypes.Any{inner}})
			}
			d := newDocument(t)
			d.body.Messages = []*codectypes.Any{inner}
			_, err := kind().Decode(d.encode(t))
			require.Equal(t, c.want, mpctypes.ReasonOf(err), "%s at depth %d: %v", name, depth, err)
		}
	}
}

// BenchmarkSignDirect is what a document costs of the largest size that a new chain allows,
// as flat and as deep as it can be.
func BenchmarkSignDirect(b *testing.B) {
	k := kind()
	for name, depth := range map[string]int{"flat": 0, "deep": maxDepth} {
		data := nested(b, depth, 14000)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := k.Decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
