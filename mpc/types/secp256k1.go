package types

import (
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// ValidateDigest checks that 32 bytes can be signed: not zero, and below the
// group order. A digest at or above the order would be reduced by some
// verifiers and refused by others.
func ValidateDigest(digest []byte) error {
	if len(digest) != 32 {
		return fmt.Errorf("%w: a digest has 32 bytes, got %d", ErrBadDigest, len(digest))
	}
	var m secp256k1.ModNScalar
	if overflow := m.SetByteSlice(digest); overflow {
		return fmt.Errorf("%w: the digest is at or above the order of secp256k1", ErrBadDigest)
	}
	if m.IsZero() {
		return fmt.Errorf("%w: the digest is zero", ErrBadDigest)
	}
	return nil
}

// ValidatePublicKey checks that 33 bytes are a compressed point of secp256k1.
func ValidatePublicKey(compressed []byte) error {
	if len(compressed) != 33 {
		return fmt.Errorf("compressed public key has %d bytes, not 33", len(compressed))
	}
	if _, err := secp256k1.ParsePubKey(compressed); err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	return nil
}

// VerifySignature checks a finished signature against a compressed public key:
// s is low (BIP-62), and the key that r, s and the recovery id give back is the
// one expected, which implies that the signature is valid.
func VerifySignature(publicKey, digest []byte, sig *SignatureResult) error {
	if err := sig.ValidateBasic(); err != nil {
		return err
	}
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(sig.R) || s.SetByteSlice(sig.S) || r.IsZero() || s.IsZero() {
		return fmt.Errorf("r or s of %s is zero or at or above the group order", sig.RequestID)
	}
	if s.IsOverHalfOrder() {
		return fmt.Errorf("s of %s is not low", sig.RequestID)
	}
	// 27 + recovery id, + 4 for a compressed key: the header of a compact
	// signature (SEC 1, 4.1.6, as Bitcoin's signmessage writes it).
	compact := append([]byte{byte(27 + 4 + sig.V)}, append(append([]byte{}, sig.R...), sig.S...)...)
	pub, _, err := ecdsa.RecoverCompact(compact, digest)
	if err != nil {
		return fmt.Errorf("recover the key of signature %s: %w", sig.RequestID, err)
	}
	if string(pub.SerializeCompressed()) != string(publicKey) {
		return fmt.Errorf("signature %s is not by the key", sig.RequestID)
	}
	return nil
}
