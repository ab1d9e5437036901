package storage

import (
	"crypto/cipher"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// sealVersion is the format of a sealed value.
const sealVersion = 1

// sealOverhead is what sealing adds: version, nonce and tag.
const sealOverhead = 1 + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead

// sealer seals values under one key with XChaCha20-Poly1305, whose nonces are
// long enough to be random.
type sealer struct{ aead cipher.AEAD }

// newSealer copies the key: the caller still wipes its own.
func newSealer(key []byte) (sealer, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return sealer{}, fmt.Errorf("make cipher: %w", err)
	}
	return sealer{aead}, nil
}

// seal binds the value to a name: the database key it is stored under.
func (s sealer) seal(random io.Reader, name, plain []byte) ([]byte, error) {
	nonce, err := randomBytes(random, chacha20poly1305.NonceSizeX)
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, 0, sealOverhead+len(plain))
	sealed = append(append(sealed, sealVersion), nonce...)
	return s.aead.Seal(sealed, nonce, plain, sealData(name)), nil
}

// open returns the value; the caller wipes it if it is secret.
func (s sealer) open(name, sealed []byte) ([]byte, error) {
	if len(sealed) < sealOverhead {
		return nil, fmt.Errorf("%w: %d bytes are too few for a sealed value", ErrEntryDamaged, len(sealed))
	}
	if v := sealed[0]; v > sealVersion {
		return nil, fmt.Errorf("%w: sealed value of format %d, this program knows %d", ErrNewerFormat, v, sealVersion)
	}
	nonce, box := sealed[1:1+chacha20poly1305.NonceSizeX], sealed[1+chacha20poly1305.NonceSizeX:]
	plain, err := s.aead.Open(nil, nonce, box, sealData(name))
	if err != nil || sealed[0] != sealVersion {
		return nil, fmt.Errorf("%w: it does not open under its key", ErrEntryDamaged)
	}
	return plain, nil
}

// sealData is the associated data. The domain has a fixed length and one name
// ends it, so no two names give the same bytes.
func sealData(name []byte) []byte {
	return append(append([]byte("sequencer/storage/entry"), sealVersion), name...)
}
