package storage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// markName is no name that goleveldb uses.
const markName = "MARK"

// markSlotBytes: a generation and its MAC. Two slots are written in turn, so
// that a torn write leaves the other one.
const markSlotBytes = 8 + sha256.Size

// mark is the file that remembers the last acknowledged generation.
type mark struct {
	file *os.File
	keys keys
}

// createMark makes the file and fills both slots; the generation is at least 1.
func createMark(dir string, k keys, generation uint64) (*mark, error) {
	f, err := os.OpenFile(filepath.Join(dir, markName), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create mark: %w", err)
	}
	m := &mark{f, k}
	for _, g := range []uint64{generation - 1, generation} {
		if err := m.write(g); err != nil {
			f.Close()
			return nil, err
		}
	}
	return m, nil
}

// openMark changes nothing.
func openMark(dir string, k keys) (*mark, error) {
	f, err := os.OpenFile(filepath.Join(dir, markName), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open mark: %w", err)
	}
	return &mark{f, k}, nil
}

// read returns the newest generation whose MAC is right.
func (m *mark) read() (uint64, error) {
	var slots [2 * markSlotBytes]byte
	n, err := m.file.ReadAt(slots[:], 0)
	if err != nil && err != io.EOF {
		return 0, fmt.Errorf("read mark: %w", err)
	}
	newest, found := uint64(0), false
	for i := 0; i+markSlotBytes <= n; i += markSlotBytes {
		slot := slots[i : i+markSlotBytes]
		g := binary.BigEndian.Uint64(slot)
		if hmac.Equal(m.keys.markMAC(g), slot[8:]) && (!found || g > newest) {
			newest, found = g, true
		}
	}
	if !found {
		return 0, fmt.Errorf("%w: %s holds nothing valid", ErrFilesDamaged, markName)
	}
	return newest, nil
}

// write returns after the generation is on disk.
func (m *mark) write(generation uint64) error {
	slot := append(binary.BigEndian.AppendUint64(nil, generation), m.keys.markMAC(generation)...)
	if _, err := m.file.WriteAt(slot, int64(generation%2)*markSlotBytes); err != nil {
		return fmt.Errorf("write mark: %w", err)
	}
	if err := m.file.Sync(); err != nil {
		return fmt.Errorf("sync mark: %w", err)
	}
	return nil
}

func (m *mark) close() error { return m.file.Close() }
