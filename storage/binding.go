package storage

import (
	"bytes"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// MaxDigestBytes bounds a digest: SHA-512 is the longest hash that a signature
// scheme asks for.
const MaxDigestBytes = 64

// binding is what a sign request was bound to.
type binding struct {
	content types.Hash
	digest  []byte
}

func (b binding) encode() []byte { return append(b.content[:], b.digest...) }

func decodeBinding(raw []byte) (binding, error) {
	var b binding
	if len(raw) <= len(b.content) || len(raw) > len(b.content)+MaxDigestBytes {
		return b, fmt.Errorf("%w: a binding has %d bytes", ErrEntryDamaged, len(raw))
	}
	copy(b.content[:], raw)
	b.digest = bytes.Clone(raw[len(b.content):])
	return b, nil
}

// BindDigest stores that a sign request has this content, a hash of what it is bound
// to, and digest, 1 to
// MaxDigestBytes bytes. The same again is no error; anything else for the same
// id is types.ErrDigestBound, for ever: bindings outlive keys and requests.
func (db *DB) BindDigest(signatureID string, content types.Hash, digest []byte) error {
	if err := types.ValidateID(signatureID); err != nil {
		return fmt.Errorf("bind digest: %w: %w", ErrInvalid, err)
	}
	if len(digest) < 1 || len(digest) > MaxDigestBytes {
		return fmt.Errorf("bind digest: %w: a digest has 1 to %d bytes, not %d", ErrInvalid, MaxDigestBytes, len(digest))
	}
	want := binding{content, digest}.encode()
	err := db.write(func(c *change) error {
		have, err := db.load(bindingEntry(signatureID))
		switch {
		case err != nil:
			return err
		case have == nil:
			return c.seal(db.keys.sealer, bindingEntry(signatureID), want)
		case !bytes.Equal(have, want):
			return fmt.Errorf("%w: request %s has other content or another digest here", types.ErrDigestBound, signatureID)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("bind digest: %w", err)
	}
	return nil
}
