package storage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// markName names the mark beside the folders of the two databases.
const markName = "MARK"

// markSlotBytes: a generation and its MAC. Two slots are written in turn, so
// that a torn write leaves the other one.
const markSlotBytes = 8 + sha256.Size

// mark is the file that remembers the last acknowledged generation of the main
// database, and with it the one of the key database that this has seen.
type mark struct{ file markFile }

// markFile is what a mark needs of its file.
type markFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
}

// createMark makes an empty file.
func createMark(dir string) (*mark, error) {
	return openMarkFile(dir, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

// openMark changes nothing.
func openMark(dir string, readOnly bool) (*mark, error) {
	if readOnly {
		return openMarkFile(dir, os.O_RDONLY)
	}
	return openMarkFile(dir, os.O_RDWR)
}

func openMarkFile(dir string, flag int) (*mark, error) {
	f, err := os.OpenFile(filepath.Join(dir, markName), flag, 0o600)
	if err != nil {
		return nil, damaged("open mark", err)
	}
	return &mark{f}, nil
}

// read returns the newest generation whose MAC is right.
func (m *mark) read(k keys) (uint64, error) {
	var slots [2 * markSlotBytes]byte
	n, err := m.file.ReadAt(slots[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, damaged("read mark", err)
	}
	newest, found := uint64(0), false
	for i := 0; i+markSlotBytes <= n; i += markSlotBytes {
		slot := slots[i : i+markSlotBytes]
		g := binary.BigEndian.Uint64(slot)
		if hmac.Equal(k.markMAC(g), slot[8:]) && (!found || g > newest) {
			newest, found = g, true
		}
	}
	if !found {
		return 0, fmt.Errorf("%w: %s holds nothing valid", ErrFilesDamaged, markName)
	}
	return newest, nil
}

// write returns after the generation is on disk.
func (m *mark) write(k keys, generation uint64) error {
	slot := append(binary.BigEndian.AppendUint64(nil, generation), k.markMAC(generation)...)
	if _, err := m.file.WriteAt(slot, int64(generation%2)*markSlotBytes); err != nil {
		return fmt.Errorf("write mark: %w", err)
	}
	if err := m.file.Sync(); err != nil {
		return fmt.Errorf("sync mark: %w", err)
	}
	return nil
}

func (m *mark) close() error { return m.file.Close() }
