package main

import (
	"fmt"

	"github.com/ethereum/go-ethereum/crypto"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// messageHash is what an Ethereum wallet signs of a text (EIP-191, version 0x45).
func messageHash(text string) []byte {
	return crypto.Keccak256(fmt.Appendf(nil, "\x19Ethereum Signed Message:\n%d%s", len(text), text))
}

// recoverAddress gives the signature as Ethereum writes it (r, s, 27 + v) and the
// address of whoever made it, by the library that go-ethereum is built with.
func recoverAddress(hash []byte, sig mpctypes.Signature) (signature []byte, address string, err error) {
	compact := append(append(append([]byte{}, sig.R...), sig.S...), byte(sig.V))
	key, err := crypto.SigToPub(hash, compact)
	if err != nil {
		return nil, "", fmt.Errorf("recover the signer of %s: %w", sig.Id, err)
	}
	compact[len(compact)-1] += 27
	return compact, crypto.PubkeyToAddress(*key).Hex(), nil
}
