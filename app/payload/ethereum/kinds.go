package ethereum

import (
	"fmt"

	"github.com/ethereum/go-ethereum/crypto"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// Names of the kinds.
const (
	TransactionKind = "ethereum-tx"
	MessageKind     = "ethereum-message"
	TypedDataKind   = "ethereum-typed-data"
)

// Kinds are all kinds of this package.
func Kinds() []mpctypes.PayloadKind {
	return []mpctypes.PayloadKind{transactionKind{}, messageKind{}, typedDataKind{}}
}

// bad refuses a payload that cannot be understood.
func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %w", mpctypes.ErrBadPayload, fmt.Errorf(format, args...))
}

// notCanonical refuses a payload that is written in another way than the one there is.
func notCanonical(how string) error { return fmt.Errorf("%w: %s", mpctypes.ErrNotCanonical, how) }

// signatureOf is r, s and v as wallets write them: 27 or 28.
func signatureOf(s *mpctypes.SignatureResult) []byte {
	return append(compact(s), byte(27+s.V))
}

// compact is r and s.
func compact(s *mpctypes.SignatureResult) []byte {
	return append(append(make([]byte, 0, crypto.SignatureLength), s.R...), s.S...)
}
