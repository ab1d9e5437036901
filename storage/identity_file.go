package storage

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

const (
	identityFormat  = "sequencer-mpc-identity"
	identityVersion = 1
	// maxIdentityKeys allows a rotation a week for five years.
	maxIdentityKeys = 260
	// maxIdentityFileBytes: per key 32 public bytes in base64 (44) with quotes,
	// comma, indentation and newline (52 in all) and 32 private bytes in base64
	// (43): 95 x 260 is 24.7 KB, and 1 KB of the rest.
	maxIdentityFileBytes = 32 << 10
)

// identityFile is the file's content. The private keys are sealed under the
// Argon2id key of the passphrase, with the parameters as associated data. The
// public keys are not part of that, so that a wrong passphrase and public keys
// that were changed are different errors: opening compares them.
type identityFile struct {
	kdf    KDF
	salt   []byte
	public []ed25519.PublicKey
	sealed []byte
}

// identityJSON is the file as it is written: indented, fields in this order,
// byte strings in base64, a newline at the end. Nothing else is read.
type identityJSON struct {
	Format     string   `json:"format"`
	Version    uint32   `json:"version"`
	PublicKeys [][]byte `json:"public_keys"`
	Argon2id   kdfJSON  `json:"argon2id"`
	Sealed     []byte   `json:"sealed_private_keys"`
	Checksum   []byte   `json:"checksum"`
}

type kdfJSON struct {
	Time      uint32 `json:"time"`
	MemoryKiB uint32 `json:"memory_kib"`
	Threads   uint8  `json:"threads"`
	Salt      []byte `json:"salt"`
}

// sealIdentity seals the private keys with a fresh salt and nonce.
func sealIdentity(id Identity, passphrase []byte, kdf KDF, random io.Reader) (identityFile, error) {
	if err := kdf.validate(); err != nil {
		return identityFile{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	salt, err := randomBytes(random, saltBytes)
	if err != nil {
		return identityFile{}, err
	}
	f := identityFile{kdf: kdf, salt: salt, public: id.PublicKeys()}
	seeds := make([]byte, 0, len(id.private)*ed25519.SeedSize)
	for _, k := range id.private {
		seeds = append(seeds, k.Seed()...)
	}
	defer types.Wipe(seeds)
	s, err := f.sealer(passphrase)
	if err != nil {
		return identityFile{}, err
	}
	f.sealed, err = s.seal(random, f.parameters(), seeds)
	return f, err
}

// open gives the private keys, proved to belong to the public ones.
func (f identityFile) open(passphrase []byte) (Identity, error) {
	s, err := f.sealer(passphrase)
	if err != nil {
		return Identity{}, err
	}
	seeds, err := s.open(f.parameters(), f.sealed)
	if err != nil {
		// The checksum was right and the version is known: damage is ruled out.
		return Identity{}, ErrWrongPassphrase
	}
	defer types.Wipe(seeds)
	if len(seeds) != len(f.public)*ed25519.SeedSize {
		return Identity{}, ErrIdentityMismatch
	}
	var id Identity
	for i, public := range f.public {
		k := ed25519.NewKeyFromSeed(seeds[i*ed25519.SeedSize : (i+1)*ed25519.SeedSize])
		id.private = append(id.private, k)
		if !public.Equal(k.Public()) {
			id.Wipe()
			return Identity{}, ErrIdentityMismatch
		}
	}
	return id, nil
}

func (f identityFile) sealer(passphrase []byte) (sealer, error) {
	key := f.kdf.derive(passphrase, f.salt)
	defer types.Wipe(key)
	return newSealer(key)
}

// parameters are the associated data, all of fixed length.
func (f identityFile) parameters() []byte {
	b := append([]byte(identityFormat), identityVersion)
	b = binary.BigEndian.AppendUint32(b, f.kdf.Time)
	b = binary.BigEndian.AppendUint32(b, f.kdf.MemoryKiB)
	return append(append(b, f.kdf.Threads), f.salt...)
}

// checksum is over everything, to tell damage from a wrong passphrase.
func (f identityFile) checksum() []byte {
	h := sha256.New()
	h.Write(f.parameters())
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(f.public))))
	for _, k := range f.public {
		h.Write(k)
	}
	h.Write(f.sealed)
	return h.Sum(nil)
}

// encode gives the only bytes that parseIdentityFile accepts.
func (f identityFile) encode() []byte {
	out := identityJSON{
		Format: identityFormat, Version: identityVersion,
		Argon2id: kdfJSON{f.kdf.Time, f.kdf.MemoryKiB, f.kdf.Threads, f.salt},
		Sealed:   f.sealed, Checksum: f.checksum(),
	}
	for _, k := range f.public {
		out.PublicKeys = append(out.PublicKeys, k)
	}
	b, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("encode strings, numbers and bytes: %v", err)) // these types have no failing encoder
	}
	return append(b, '\n')
}

// parseIdentityFile is strict: what it accepts, encode gives back.
func parseIdentityFile(b []byte) (identityFile, error) {
	if len(b) > maxIdentityFileBytes {
		return identityFile{}, fmt.Errorf("%w: it is longer than %d bytes", ErrIdentityDamaged, maxIdentityFileBytes)
	}
	var named struct {
		Format  string `json:"format"`
		Version uint32 `json:"version"`
	}
	if err := json.Unmarshal(b, &named); err != nil || named.Format != identityFormat {
		return identityFile{}, fmt.Errorf("%w: it is not one", ErrIdentityDamaged)
	}
	if named.Version > identityVersion {
		return identityFile{}, fmt.Errorf("%w: identity of format %d, this program knows %d", ErrNewerFormat, named.Version, identityVersion)
	}
	var in identityJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return identityFile{}, fmt.Errorf("%w: it does not parse", ErrIdentityDamaged)
	}
	f := identityFile{
		kdf:  KDF{in.Argon2id.Time, in.Argon2id.MemoryKiB, in.Argon2id.Threads},
		salt: in.Argon2id.Salt, sealed: in.Sealed,
	}
	if err := f.kdf.validate(); err != nil {
		return identityFile{}, fmt.Errorf("%w: %w", ErrIdentityDamaged, err)
	}
	n := len(in.PublicKeys)
	if n < 1 || n > maxIdentityKeys || len(f.salt) != saltBytes || len(f.sealed) < sealOverhead ||
		len(f.sealed) > sealOverhead+maxIdentityKeys*ed25519.SeedSize || f.sealed[0] != sealVersion {
		return identityFile{}, fmt.Errorf("%w: a field has a wrong length or form", ErrIdentityDamaged)
	}
	for _, k := range in.PublicKeys {
		if len(k) != ed25519.PublicKeySize {
			return identityFile{}, fmt.Errorf("%w: a public key has %d bytes", ErrIdentityDamaged, len(k))
		}
		f.public = append(f.public, k)
	}
	if !bytes.Equal(f.encode(), b) {
		return identityFile{}, fmt.Errorf("%w: its checksum is wrong, or its layout was changed", ErrIdentityDamaged)
	}
	return f, nil
}
