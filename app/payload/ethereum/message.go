package ethereum

import (
	"fmt"

	"github.com/ethereum/go-ethereum/crypto"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// messageKind is what a wallet signs with personal_sign: any bytes, behind a text that
// keeps them from being anything else (EIP-191, version 0x45).
type messageKind struct{}

// Name implements mpctypes.PayloadKind.
func (messageKind) Name() string { return MessageKind }

// Decode implements mpctypes.PayloadKind. Each message has one encoding: itself.
func (messageKind) Decode(data []byte) (mpctypes.DecodedPayload, error) {
	prefix := fmt.Appendf(nil, "\x19Ethereum Signed Message:\n%d", len(data))
	return signed{digest: mpctypes.Hash(crypto.Keccak256Hash(prefix, data))}, nil
}

// signed is a payload that a signature finishes: a message, or typed data.
type signed struct {
	digest mpctypes.Hash
	claims mpctypes.Claims
}

// Digest implements mpctypes.DecodedPayload.
func (p signed) Digest() mpctypes.Hash { return p.digest }

// Claims implements mpctypes.DecodedPayload.
func (p signed) Claims() mpctypes.Claims { return p.claims }

// Finish implements mpctypes.DecodedPayload: r, s and v.
func (p signed) Finish(_ []byte, s *mpctypes.SignatureResult) (mpctypes.FinishedPayload, error) {
	return mpctypes.FinishedPayload{Raw: signatureOf(s)}, nil
}
