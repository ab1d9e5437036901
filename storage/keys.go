package storage

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// keys are what the data key is used for.
type keys struct {
	sealer sealer
	mac    []byte
}

// newKeys derives them and wipes the data key.
func newKeys(dataKey []byte) (keys, error) {
	defer types.Wipe(dataKey)
	sealing, err := hkdf.Key(sha256.New, dataKey, nil, "sequencer/storage/v1/seal", chacha20poly1305.KeySize)
	if err != nil {
		return keys{}, fmt.Errorf("derive sealing key: %w", err)
	}
	defer types.Wipe(sealing)
	mac, err := hkdf.Key(sha256.New, dataKey, nil, "sequencer/storage/v1/mac", sha256.Size)
	if err != nil {
		return keys{}, fmt.Errorf("derive MAC key: %w", err)
	}
	s, err := newSealer(sealing)
	return keys{sealer: s, mac: mac}, err
}

// entryMAC is an entry's part in the digest over all entries.
func (k keys) entryMAC(key, value []byte) [sha256.Size]byte {
	h := hmac.New(sha256.New, k.mac)
	h.Write([]byte("entry"))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(key))))
	h.Write(key)
	h.Write(value)
	return [sha256.Size]byte(h.Sum(nil))
}

// markMAC authenticates a generation in the mark file.
func (k keys) markMAC(generation uint64) []byte {
	h := hmac.New(sha256.New, k.mac)
	h.Write(binary.BigEndian.AppendUint64([]byte("mark"), generation))
	return h.Sum(nil)
}

func (k keys) wipe() { types.Wipe(k.mac) }
