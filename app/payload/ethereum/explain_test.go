package ethereum

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is told of typed data is bounded, and says where it ends.
func TestExplainedTypedDataIsBounded(t *testing.T) {
	name := strings.Repeat("a", 60_000)
	data, err := CanonicalTypedData([]byte(`{"types":{"EIP712Domain":[{"name":"name","type":"string"}],"A":[{"name":"` + name + `","type":"uint8[]"}]},` +
		`"primaryType":"A","domain":{"name":"n"},"message":{"` + name + `":[` + strings.Repeat("0,", 3000) + `0]}}`))
	require.NoError(t, err)
	details, err := typedDataKind{}.Explain(data)
	require.NoError(t, err)
	size := 0
	for _, d := range details {
		size += len(d.Name) + len(d.Value)
	}
	require.Less(t, size, maxExplained+len(data))
	require.Equal(t, "and more", details[len(details)-1].Name)
	require.Equal(t, `"n"`, details[1].Value)
}

func TestDecimal(t *testing.T) {
	for n, want := range map[string]string{
		"0": "0", "1": "0.000000001", "1000000000": "1", "1500000000": "1.5", "20000000000": "20", "123456789012": "123.456789012",
	} {
		wei, ok := new(big.Int).SetString(n, 10)
		require.True(t, ok)
		require.Equal(t, want, decimal(wei, GweiDecimals))
	}
}
