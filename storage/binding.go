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

// encodeBinding gives what stands in the database for a binding.
func encodeBinding(b types.Binding) (key, value []byte, err error) {
	if err := types.ValidateID(b.SignatureID); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if n := len(b.Digest); n < 1 || n > MaxDigestBytes {
		return nil, nil, fmt.Errorf("%w: a digest has 1 to %d bytes, not %d", ErrInvalid, MaxDigestBytes, n)
	}
	return bindingEntry(b.SignatureID), binding{b.Content, b.Digest}.encode(), nil
}

// BindDigests binds those of the requests that are bound to nothing yet, all of them in
// one write that costs as many syncs as one binding. What a request is bound to already
// stays: BindDigest says whether it is the same. One that BindDigest would find invalid
// keeps all from being bound.
func (db *DB) BindDigests(bindings []types.Binding) error {
	err := db.write(func(c *change) error {
		taken := make(map[string]bool, len(bindings))
		for _, b := range bindings {
			key, value, err := encodeBinding(b)
			if err != nil {
				return err
			}
			have, err := db.load(key)
			if err != nil {
				return err
			}
			if have != nil || taken[b.SignatureID] {
				continue
			}
			taken[b.SignatureID] = true
			if err := c.seal(db.keys.sealer, key, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("bind digests: %w", err)
	}
	return nil
}

// BindDigest stores that a sign request has this content, a hash of what it is bound
// to, and digest, 1 to
// MaxDigestBytes bytes. The same again is no error; anything else for the same
// id is types.ErrDigestBound, for ever: bindings outlive keys and requests.
func (db *DB) BindDigest(signatureID string, content types.Hash, digest []byte) error {
	key, want, err := encodeBinding(types.Binding{SignatureID: signatureID, Content: content, Digest: digest})
	if err != nil {
		return fmt.Errorf("bind digest: %w", err)
	}
	err = db.write(func(c *change) error {
		have, err := db.load(key)
		switch {
		case err != nil:
			return err
		case have == nil:
			return c.seal(db.keys.sealer, key, want)
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
