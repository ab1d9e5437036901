package ethereum

import (
	"encoding/hex"
	"testing"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

func TestMessageVector(t *testing.T) {
	// ethers.hashMessage("hello world")
	require.Equal(t, "d9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68",
		digestOf(t, messageKind{}, []byte("hello world")))
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte("hello"))
	f.Add([]byte{0xff, 0, '\n'})
	f.Fuzz(func(t *testing.T, data []byte) {
		require.Equal(t, hex.EncodeToString(accounts.TextHash(data)), digestOf(t, messageKind{}, data))
	})
}

// digestOf is what is signed of a payload, in hex.
func digestOf(t *testing.T, kind mpctypes.PayloadKind, data []byte) string {
	t.Helper()
	decoded, err := kind.Decode(data)
	require.NoError(t, err)
	return decoded.Digest().String()
}
