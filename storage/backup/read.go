package backup

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

// file is what one file holds.
type file struct {
	manifest Manifest // the copy inside
	seeds    [][]byte
	contents storage.Contents
}

func (f *file) wipe() {
	for _, s := range f.seeds {
		types.Wipe(s)
	}
	f.contents.Wipe()
}

// readFile decrypts a file and decodes all of it. The caller wipes it.
func readFile(r io.Reader, with Identities) (f *file, err error) {
	if len(with.of) == 0 {
		return nil, ErrWrongKey
	}
	plain, err := age.Decrypt(r, with.of...)
	var mismatch *age.NoIdentityMatchError
	if errors.As(err, &mismatch) {
		return nil, ErrWrongKey
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(plain, head); err != nil {
		return nil, cut(err)
	}
	if string(head) != magic {
		if bytes.HasPrefix(head, []byte(magic[:len(magic)-1])) {
			return nil, fmt.Errorf("%w: format %d", ErrNewerFormat, head[len(magic)-1])
		}
		return nil, fmt.Errorf("%w: it does not begin like one", ErrDamaged)
	}
	f = new(file)
	if err := f.readFrames(frameReader{plain}); err != nil {
		f.wipe()
		return nil, err
	}
	return f, nil
}

func (f *file) readFrames(frames frameReader) error {
	kind, content, err := frames.next()
	if err != nil {
		return err
	}
	if kind != frameManifest {
		return fmt.Errorf("%w: it does not begin with a manifest", ErrDamaged)
	}
	if f.manifest, err = parseManifest(content); err != nil {
		return err
	}
	for kind != frameEnd {
		if kind, content, err = frames.next(); err != nil {
			return err
		}
		err := f.take(kind, content)
		types.Wipe(content)
		if err != nil {
			return err
		}
	}
	if n, err := io.Copy(io.Discard, frames.r); err != nil || n > 0 {
		return fmt.Errorf("%w: there is something after its end", ErrDamaged)
	}
	return nil
}

// take keeps copies.
func (f *file) take(kind byte, content []byte) error {
	switch kind {
	case frameIdentity:
		if len(content)%ed25519.SeedSize != 0 || f.seeds != nil {
			return fmt.Errorf("%w: the identity", ErrDamaged)
		}
		for at := 0; at < len(content); at += ed25519.SeedSize {
			f.seeds = append(f.seeds, bytes.Clone(content[at:at+ed25519.SeedSize]))
		}
	case frameTombstone:
		f.contents.Tombstones = append(f.contents.Tombstones, types.KeyID(content))
	case frameBinding:
		b, err := decodeBinding(content)
		if err != nil {
			return err
		}
		f.contents.Bindings = append(f.contents.Bindings, b)
	case frameRecord:
		r, err := decodeRecord(content)
		if err != nil {
			return err
		}
		f.contents.Records = append(f.contents.Records, r)
	case frameEnd:
		if len(content) > 0 {
			return fmt.Errorf("%w: its end is not empty", ErrDamaged)
		}
	default:
		return fmt.Errorf("%w: a frame of type %q", ErrDamaged, kind)
	}
	return nil
}
