package storage

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// headerVersion is the format of the header and, through it, of the database.
const headerVersion = 1

// headerMagic begins every header.
var headerMagic = []byte("seqmpcdb")

const (
	// headerFieldBytes: magic 8, version 2, passes 4, memory 4, lanes 1, salt 16.
	headerFieldBytes = 8 + 2 + 4 + 4 + 1 + saltBytes
	// wrappedBytes: a nonce and a sealed 32-byte key.
	wrappedBytes = chacha20poly1305.NonceSizeX + chacha20poly1305.KeySize + chacha20poly1305.Overhead
	headerBytes  = headerFieldBytes + wrappedBytes + sha256.Size
)

// header says how the passphrase opens the database. Its checksum tells damage
// from a wrong passphrase; what keeps it from being doctored is that its fields
// are the associated data of the wrapped data key.
type header struct {
	kdf     KDF
	salt    []byte
	wrapped []byte
}

// freshBytes: what wrapping takes at random, a salt and a nonce.
const freshBytes = saltBytes + chacha20poly1305.NonceSizeX

// newHeader makes a random data key and wraps it. The caller wipes the key.
func newHeader(passphrase []byte, kdf KDF, random io.Reader) (header, []byte, error) {
	fresh, err := randomBytes(random, freshBytes+chacha20poly1305.KeySize)
	if err != nil {
		return header{}, nil, err
	}
	dataKey := fresh[freshBytes:]
	h, err := wrapKey(dataKey, passphrase, kdf, fresh[:freshBytes])
	return h, dataKey, err
}

// wrapKey wraps a data key with a fresh salt and nonce.
func wrapKey(dataKey, passphrase []byte, kdf KDF, fresh []byte) (header, error) {
	if err := kdf.validate(); err != nil {
		return header{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	h := header{kdf: kdf, salt: bytes.Clone(fresh[:saltBytes])}
	wrapping := kdf.derive(passphrase, h.salt)
	defer types.Wipe(wrapping)
	aead, err := chacha20poly1305.NewX(wrapping)
	if err != nil {
		return header{}, fmt.Errorf("make cipher: %w", err)
	}
	nonce := fresh[saltBytes:]
	h.wrapped = aead.Seal(bytes.Clone(nonce), nonce, dataKey, h.fields())
	return h, nil
}

// unwrap gives the data key. The caller wipes it.
func (h header) unwrap(passphrase []byte) ([]byte, error) {
	wrapping := h.kdf.derive(passphrase, h.salt)
	defer types.Wipe(wrapping)
	aead, err := chacha20poly1305.NewX(wrapping)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	nonce, box := h.wrapped[:chacha20poly1305.NonceSizeX], h.wrapped[chacha20poly1305.NonceSizeX:]
	dataKey, err := aead.Open(nil, nonce, box, h.fields())
	if err != nil {
		return nil, ErrWrongPassphrase
	}
	return dataKey, nil
}

// fields is everything in front of the wrapped key.
func (h header) fields() []byte {
	b := make([]byte, 0, headerBytes)
	b = append(b, headerMagic...)
	b = binary.BigEndian.AppendUint16(b, headerVersion)
	b = binary.BigEndian.AppendUint32(b, h.kdf.Time)
	b = binary.BigEndian.AppendUint32(b, h.kdf.MemoryKiB)
	b = append(b, h.kdf.Threads)
	return append(b, h.salt...)
}

func (h header) encode() []byte {
	b := append(h.fields(), h.wrapped...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// decodeHeader checks everything that needs no passphrase, above all that the
// parameters cost no more than the bounds allow.
func decodeHeader(b []byte) (header, error) {
	if len(b) < len(headerMagic)+2 || !bytes.HasPrefix(b, headerMagic) {
		return header{}, fmt.Errorf("%w: it does not begin like one", ErrHeaderDamaged)
	}
	b = bytes.Clone(b)
	rest := b[len(headerMagic):]
	if v := binary.BigEndian.Uint16(rest); v > headerVersion {
		return header{}, fmt.Errorf("%w: database of format %d, this program knows %d", ErrNewerFormat, v, headerVersion)
	} else if v != headerVersion {
		return header{}, fmt.Errorf("%w: there is no format %d", ErrHeaderDamaged, v)
	}
	if len(b) != headerBytes {
		return header{}, fmt.Errorf("%w: it has %d bytes, not %d", ErrHeaderDamaged, len(b), headerBytes)
	}
	body := b[:headerBytes-sha256.Size]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], b[len(body):]) {
		return header{}, fmt.Errorf("%w: its checksum is wrong", ErrHeaderDamaged)
	}
	h := header{
		kdf: KDF{
			Time:      binary.BigEndian.Uint32(rest[2:]),
			MemoryKiB: binary.BigEndian.Uint32(rest[6:]),
			Threads:   rest[10],
		},
		salt:    body[headerFieldBytes-saltBytes : headerFieldBytes],
		wrapped: body[headerFieldBytes:],
	}
	if err := h.kdf.validate(); err != nil {
		return header{}, fmt.Errorf("%w: %w", ErrHeaderDamaged, err)
	}
	return h, nil
}
