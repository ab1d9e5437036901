package sim

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOneNonceTwice: what would give a key away is noticed, and the same signature is heard as
// often as it is told.
func TestOneNonceTwice(t *testing.T) {
	w := newWords()
	w.signed("a", []byte{1}, []byte{2})
	w.signed("a", []byte{1}, []byte{2})
	w.signed("a", []byte{3}, []byte{4})
	w.signed("b", []byte{5}, []byte{2})
	require.Empty(t, w.broken)
	w.signed("b", []byte{1}, []byte{6})
	require.Len(t, w.broken, 1)
	require.Contains(t, w.broken[0], "a nonce was used twice")
}
