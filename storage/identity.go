package storage

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Identity is the opened identity file of a participant: its ed25519 keys, of
// which the newest is the current one. Older ones serve the requests that
// pinned them. Its text never shows a private key.
type Identity struct{ private []ed25519.PrivateKey }

// Current is the newest key. The caller does not change it.
func (id Identity) Current() ed25519.PrivateKey { return id.private[len(id.private)-1] }

// PrivateKeys lists all keys, oldest first. The caller does not change them.
func (id Identity) PrivateKeys() []ed25519.PrivateKey { return slices.Clone(id.private) }

// Key finds the private half of a public key. The caller does not change it.
func (id Identity) Key(public ed25519.PublicKey) (ed25519.PrivateKey, bool) {
	for _, k := range id.private {
		if public.Equal(k.Public()) {
			return k, true
		}
	}
	return nil, false
}

// PublicKeys lists the public halves, oldest first.
func (id Identity) PublicKeys() []ed25519.PublicKey {
	public := make([]ed25519.PublicKey, len(id.private))
	for i, k := range id.private {
		public[i] = bytes.Clone(k[ed25519.SeedSize:])
	}
	return public
}

// Wipe overwrites all private keys; the Identity is of no use afterwards.
func (id Identity) Wipe() {
	for _, k := range id.private {
		types.Wipe(k)
	}
}

// String counts the keys.
func (id Identity) String() string { return fmt.Sprintf("identity of %d keys", len(id.private)) }

// GoString is String: no verb of package fmt prints a private key.
func (id Identity) GoString() string { return id.String() }

// CreateIdentity makes an identity file with one key and returns its public
// half. The file has mode 0600; it appears complete or not at all. Errors:
// ErrEmptyPassphrase, ErrIdentityExists, ErrInvalid (KDF out of bounds).
func CreateIdentity(path string, passphrase []byte, opts Options) (ed25519.PublicKey, error) {
	if len(passphrase) == 0 {
		return nil, ErrEmptyPassphrase
	}
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("%w: %s", ErrIdentityExists, path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("create identity: %w", err)
	}
	var id Identity
	defer func() { id.Wipe() }()
	public, err := id.add(opts.rand())
	if err != nil {
		return nil, fmt.Errorf("create identity: %w", err)
	}
	file, err := sealIdentity(id, passphrase, opts.kdf(), opts.rand())
	if err != nil {
		return nil, fmt.Errorf("create identity: %w", err)
	}
	if err := writeNew(path, file.encode()); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("%w: %s", ErrIdentityExists, path)
		}
		return nil, fmt.Errorf("create identity: %w", err)
	}
	return public, nil
}

// LoadIdentity opens an identity file. The caller wipes the Identity. Errors:
// ErrEmptyPassphrase, ErrNoIdentity, ErrWrongPassphrase, ErrNewerFormat,
// ErrIdentityDamaged, ErrIdentityMismatch.
func LoadIdentity(path string, passphrase []byte) (Identity, error) {
	if len(passphrase) == 0 {
		return Identity{}, ErrEmptyPassphrase
	}
	file, err := readIdentityFile(path)
	if err != nil {
		return Identity{}, err
	}
	id, err := file.open(passphrase)
	if err != nil {
		return Identity{}, fmt.Errorf("open identity %s: %w", path, err)
	}
	return id, nil
}

// ReadIdentityPublic lists the public keys of an identity file, oldest first,
// without a passphrase. Only LoadIdentity proves that they belong to the private
// keys; here a checksum finds accidents. Errors: ErrNoIdentity, ErrNewerFormat,
// ErrIdentityDamaged.
func ReadIdentityPublic(path string) ([]ed25519.PublicKey, error) {
	file, err := readIdentityFile(path)
	if err != nil {
		return nil, err
	}
	return file.public, nil
}

// AddIdentityKey makes a new key, adds it to the file as the current one, and
// returns its public half. The file is replaced at once by one that is sealed
// with a fresh salt and the same Argon2id parameters; opts.KDF, if set, replaces
// them. Errors are those of LoadIdentity, and ErrInvalid when the file is full.
func AddIdentityKey(path string, passphrase []byte, opts Options) (ed25519.PublicKey, error) {
	id, err := LoadIdentity(path, passphrase)
	if err != nil {
		return nil, err
	}
	defer func() { id.Wipe() }()
	old, err := readIdentityFile(path)
	if err != nil {
		return nil, err
	}
	if opts.KDF == nil {
		opts.KDF = &old.kdf
	}
	public, err := id.add(opts.rand())
	if err != nil {
		return nil, fmt.Errorf("add identity key: %w", err)
	}
	file, err := sealIdentity(id, passphrase, opts.kdf(), opts.rand())
	if err != nil {
		return nil, fmt.Errorf("add identity key: %w", err)
	}
	if err := replace(path, file.encode()); err != nil {
		return nil, fmt.Errorf("add identity key: %w", err)
	}
	return public, nil
}

// add makes a key of a random seed (ed25519.GenerateKey does not promise to use
// the source that it is given).
func (id *Identity) add(random io.Reader) (ed25519.PublicKey, error) {
	if len(id.private) >= maxIdentityKeys {
		return nil, fmt.Errorf("%w: an identity file holds %d keys at most", ErrInvalid, maxIdentityKeys)
	}
	seed, err := randomBytes(random, ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	defer types.Wipe(seed)
	id.private = append(slices.Clip(id.private), ed25519.NewKeyFromSeed(seed))
	return id.PublicKeys()[len(id.private)-1], nil
}

// readIdentityFile reads and parses.
func readIdentityFile(path string) (identityFile, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return identityFile{}, fmt.Errorf("%w: %s", ErrNoIdentity, path)
	}
	if err != nil {
		return identityFile{}, fmt.Errorf("open identity: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxIdentityFileBytes+1))
	if err != nil {
		return identityFile{}, fmt.Errorf("read identity: %w", err)
	}
	file, err := parseIdentityFile(b)
	if err != nil {
		return identityFile{}, fmt.Errorf("read identity %s: %w", path, err)
	}
	return file, nil
}
