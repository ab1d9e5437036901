package types

import (
	"encoding/hex"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"golang.org/x/crypto/sha3"

	cosmossecp "github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
)

// EthereumAddress is the address of a compressed secp256k1 public key on Ethereum:
// the last 20 bytes of the Keccak-256 of its uncompressed point, in the mixed-case
// checksum of EIP-55.
func EthereumAddress(publicKey []byte) (string, error) {
	point, err := secp256k1.ParsePubKey(publicKey)
	if err != nil {
		return "", fmt.Errorf("ethereum address of a public key: %w", err)
	}
	// The first byte of the uncompressed form only says that it is one.
	sum := keccak256(point.SerializeUncompressed()[1:])
	lower := hex.EncodeToString(sum[12:])
	return "0x" + eip55(lower), nil
}

// eip55 makes upper case of every letter whose place in the hash of the
// lower-case address holds 8 or more.
func eip55(lower string) string {
	hash := keccak256([]byte(lower))
	out := []byte(lower)
	for i, c := range out {
		nibble := hash[i/2] >> 4
		if i%2 == 1 {
			nibble = hash[i/2] & 0x0f
		}
		if c >= 'a' && nibble >= 8 {
			out[i] = c - 'a' + 'A'
		}
	}
	return string(out)
}

func keccak256(data []byte) []byte {
	h := sha3.NewLegacyKeccak256()
	h.Write(data) // a hash never returns an error
	return h.Sum(nil)
}

// AccountAddress is the account address of a compressed secp256k1 public key on
// chains of the Cosmos SDK, RIPEMD-160 of SHA-256, 20 bytes. Each chain writes it
// with its own bech32 prefix.
func AccountAddress(publicKey []byte) ([]byte, error) {
	if _, err := secp256k1.ParsePubKey(publicKey); err != nil {
		return nil, fmt.Errorf("account address of a public key: %w", err)
	}
	return (&cosmossecp.PubKey{Key: publicKey}).Address(), nil
}
