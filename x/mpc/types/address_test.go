package types_test

import (
	"encoding/hex"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func TestEthereumAddress(t *testing.T) {
	// The generator of secp256k1, secret key 1.
	g, err := hex.DecodeString("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
	require.NoError(t, err)
	address, err := types.EthereumAddress(g)
	require.NoError(t, err)
	require.Equal(t, "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf", address)
	for _, seed := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		public := chain.NewSecret(seed).PublicKey()
		point, err := crypto.DecompressPubkey(public)
		require.NoError(t, err)
		address, err := types.EthereumAddress(public)
		require.NoError(t, err)
		require.Equal(t, crypto.PubkeyToAddress(*point).Hex(), address)
	}
}

func TestAccountAddress(t *testing.T) {
	g, err := hex.DecodeString("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
	require.NoError(t, err)
	address, err := types.AccountAddress(g)
	require.NoError(t, err)
	// hash160 of the generator, known from BIP-173's test vectors.
	require.Equal(t, "751e76e8199196d454941c45d1b3a323f1433bd6", hex.EncodeToString(address))
}

func TestAddressesRefuse(t *testing.T) {
	for _, bad := range [][]byte{nil, make([]byte, 33), append([]byte{5}, make([]byte, 32)...)} {
		_, err := types.EthereumAddress(bad)
		require.Error(t, err)
		_, err = types.AccountAddress(bad)
		require.Error(t, err)
	}
}
