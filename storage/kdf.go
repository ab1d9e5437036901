package storage

import (
	"crypto/rand"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// Bounds of Argon2id parameters that are read from a file. A doctored file can
// cost an attempt at opening it 256 MiB, four times the default, and about ten
// seconds: 10 passes over 256 MiB are 13 times the work of the default.
const (
	maxKDFTime      = 10
	maxKDFMemoryKiB = 256 << 10
	maxKDFThreads   = 16
	// minKDFMemoryPerThread is Argon2's own: 8 blocks of 1 KiB for each lane.
	minKDFMemoryPerThread = 8
)

// saltBytes is the length that RFC 9106, section 4 recommends.
const saltBytes = 16

// KDF are the cost parameters of Argon2id.
type KDF struct {
	// Time is the number of passes.
	Time uint32
	// MemoryKiB is the memory in KiB.
	MemoryKiB uint32
	// Threads is the number of lanes.
	Threads uint8
}

// DefaultKDF is the second recommended choice of RFC 9106, section 4: three
// passes over 64 MiB in four lanes.
func DefaultKDF() KDF { return KDF{Time: 3, MemoryKiB: 64 << 10, Threads: 4} }

func (k KDF) validate() error {
	switch {
	case k.Time < 1 || k.Time > maxKDFTime:
		return fmt.Errorf("argon2id makes %d passes, 1 to %d are allowed", k.Time, maxKDFTime)
	case k.Threads < 1 || k.Threads > maxKDFThreads:
		return fmt.Errorf("argon2id has %d lanes, 1 to %d are allowed", k.Threads, maxKDFThreads)
	case k.MemoryKiB < minKDFMemoryPerThread*uint32(k.Threads) || k.MemoryKiB > maxKDFMemoryKiB:
		return fmt.Errorf("argon2id uses %d KiB, %d for each lane to %d are allowed",
			k.MemoryKiB, minKDFMemoryPerThread, maxKDFMemoryKiB)
	}
	return nil
}

// derive makes the key that wraps. The caller wipes it.
func (k KDF) derive(passphrase, salt []byte) []byte {
	return argon2.IDKey(passphrase, salt, k.Time, k.MemoryKiB, k.Threads, chacha20poly1305.KeySize)
}

// Options change how databases and identity files are made.
type Options struct {
	// KDF is for tests: parameters so cheap that a test need not wait. Nil means
	// DefaultKDF, and that is what a node uses. What is read later is opened
	// with the parameters that are written in it.
	KDF *KDF
	// Rand is the source of keys, salts and nonces; nil means crypto/rand. It is
	// called from one goroutine at a time.
	Rand io.Reader
}

func (o Options) kdf() KDF {
	if o.KDF == nil {
		return DefaultKDF()
	}
	return *o.KDF
}

func (o Options) rand() io.Reader {
	if o.Rand == nil {
		return rand.Reader
	}
	return o.Rand
}

// randomBytes reads n bytes.
func randomBytes(random io.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	return b, nil
}
