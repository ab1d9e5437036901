package session

import (
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// sealOverhead is what sealing adds to a body: the Poly1305 tag.
const sealOverhead = chacha20poly1305.Overhead

// newEphemeral makes the X25519 key of one session. The bytes come from the
// injected source; crypto/ecdh would ignore one.
func newEphemeral(rand io.Reader) (*ecdh.PrivateKey, error) {
	var seed [32]byte
	if _, err := io.ReadFull(rand, seed[:]); err != nil {
		return nil, fmt.Errorf("read randomness for the session key: %w", err)
	}
	defer types.Wipe(seed[:])
	return ecdh.X25519().NewPrivateKey(seed[:])
}

// probe is a key that is no secret: a point of low order gives zero with any key.
var probe = func() *ecdh.PrivateKey {
	key, err := ecdh.X25519().NewPrivateKey(append(make([]byte, 31), 1))
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	return key
}()

// checkSessionKey refuses keys that no secret can be agreed with: X25519 points of
// low order give zero for everybody.
func checkSessionKey(own *ecdh.PrivateKey, key []byte, of types.Operator) error {
	public, err := ecdh.X25519().NewPublicKey(key)
	if err != nil {
		return fmt.Errorf("session key of %s: %w", of, err)
	}
	shared, err := own.ECDH(public)
	types.Wipe(shared)
	if err != nil {
		return fmt.Errorf("session key of %s: %w", of, err)
	}
	return nil
}

// link seals what goes to one member and opens what comes from it. The keys
// live as long as the session: whoever steals an identity key later can open
// nothing of it.
type link struct {
	out, in cipher.AEAD
}

// newLink derives the keys of both directions from the two ephemeral keys and
// the session's context (HKDF-SHA256, RFC 5869).
func newLink(own *ecdh.PrivateKey, peerKey []byte, context types.Context, self, peer types.Operator) (*link, error) {
	pub, err := ecdh.X25519().NewPublicKey(peerKey)
	if err != nil {
		return nil, fmt.Errorf("session key of %s: %w", peer, err)
	}
	shared, err := own.ECDH(pub) // refuses points of low order
	if err != nil {
		return nil, fmt.Errorf("session key of %s: %w", peer, err)
	}
	defer types.Wipe(shared)
	out, err := directionKey(shared, types.SealInfo(context, self, peer))
	if err != nil {
		return nil, err
	}
	in, err := directionKey(shared, types.SealInfo(context, peer, self))
	if err != nil {
		return nil, err
	}
	return &link{out: out, in: in}, nil
}

func directionKey(shared, info []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, shared, nil, string(info), chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("derive a sealing key: %w", err)
	}
	defer types.Wipe(key)
	return chacha20poly1305.New(key)
}

// sealNonce is the sender's sequence number: it never repeats within a
// session, and each session and direction has a key of its own.
func sealNonce(sequence uint64) []byte {
	nonce := make([]byte, chacha20poly1305.NonceSize)
	binary.BigEndian.PutUint64(nonce[4:], sequence)
	return nonce
}

// sealedHeader is the associated data: the header without the hash of the body
// that is about to be made.
func sealedHeader(h *wire.Header) []byte {
	bare := *h
	bare.BodyHash = nil
	return types.HeaderSignBytes(&bare)
}

func (l *link) seal(h *wire.Header, body []byte) []byte {
	return l.out.Seal(nil, sealNonce(h.Sequence), body, sealedHeader(h))
}

func (l *link) open(h *wire.Header, sealed []byte) ([]byte, error) {
	return l.in.Open(nil, sealNonce(h.Sequence), sealed, sealedHeader(h))
}
