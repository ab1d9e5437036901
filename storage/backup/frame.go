package backup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

// Types of frames; doc.go has the table.
const (
	frameManifest  = 'm'
	frameIdentity  = 'i'
	frameTombstone = 't'
	frameBinding   = 'b'
	frameRecord    = 'r'
	frameEnd       = 'e'
)

// magic begins the plaintext.
const magic = "seqmpcbackup\x01"

// maxFrameBytes: the longest frame is a manifest; a record with the longest share
// has a sixteenth of it.
const maxFrameBytes = maxManifestBytes

// frameWriter writes the plaintext of a file.
type frameWriter struct{ w io.Writer }

func (f frameWriter) write(kind byte, parts ...[]byte) error {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if n > maxFrameBytes {
		return fmt.Errorf("a frame of the backup has %d bytes, at most %d are allowed", n, maxFrameBytes)
	}
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(n))
	for _, p := range append([][]byte{head}, parts...) {
		if _, err := f.w.Write(p); err != nil {
			return err
		}
	}
	return nil
}

func (f frameWriter) record(r *types.Record) error {
	raw, err := storage.EncodeRecord(r)
	if err != nil {
		return err
	}
	return f.write(frameRecord, binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw, r.Data)
}

// frameReader reads it.
type frameReader struct{ r io.Reader }

// next reads a frame; the caller wipes what it holds.
func (f frameReader) next() (kind byte, content []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return 0, nil, cut(err)
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxFrameBytes {
		return 0, nil, fmt.Errorf("%w: a frame of %d bytes", ErrDamaged, n)
	}
	if content, err = readExactly(f.r, int(n)); err != nil {
		return 0, nil, cut(err)
	}
	return head[0], content, nil
}

// firstRead is what is set aside for a frame before any of it is there: most have less.
const firstRead = 64 << 10

// readExactly reads n bytes, and takes no more memory than twice what there is to read
// and firstRead, whatever n says. What it leaves behind is wiped.
func readExactly(r io.Reader, n int) ([]byte, error) {
	content := make([]byte, min(n, firstRead))
	for at := 0; ; {
		if _, err := io.ReadFull(r, content[at:]); err != nil {
			types.Wipe(content)
			return nil, err
		}
		if len(content) == n {
			return content, nil
		}
		at = len(content)
		longer := make([]byte, min(n, 2*at))
		copy(longer, content)
		types.Wipe(content)
		content = longer
	}
}

// cut says that a plaintext ends too early, which age would have noticed if it
// was not written so.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends too early", ErrDamaged)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// decodeRecord splits a frame; the record's share is a copy.
func decodeRecord(content []byte) (types.Record, error) {
	if len(content) < 4 {
		return types.Record{}, fmt.Errorf("%w: a record of %d bytes", ErrDamaged, len(content))
	}
	n := binary.BigEndian.Uint32(content)
	rest := content[4:]
	if uint64(n) > uint64(len(rest)) {
		return types.Record{}, fmt.Errorf("%w: a record is longer than its frame", ErrDamaged)
	}
	r, err := storage.DecodeRecord(rest[:n])
	if err != nil {
		return types.Record{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if r.HasData != (len(rest) > int(n)) {
		return types.Record{}, fmt.Errorf("%w: record of key %s lacks its share, or has one too many", ErrDamaged, r.KeyID)
	}
	if r.HasData {
		r.Data = append([]byte(nil), rest[n:]...)
	}
	return r, nil
}

func encodeBinding(b storage.Binding) []byte {
	out := append([]byte{byte(len(b.SignatureID))}, b.SignatureID...)
	out = append(out, b.Content[:]...)
	return append(out, b.Digest...)
}

func decodeBinding(content []byte) (storage.Binding, error) {
	var b storage.Binding
	if len(content) < 1 || len(content) < 1+int(content[0])+len(b.Content)+1 {
		return b, fmt.Errorf("%w: a binding of %d bytes", ErrDamaged, len(content))
	}
	id, rest := content[1:1+content[0]], content[1+content[0]:]
	b.SignatureID = string(id)
	copy(b.Content[:], rest)
	b.Digest = append([]byte(nil), rest[len(b.Content):]...)
	return b, nil
}
