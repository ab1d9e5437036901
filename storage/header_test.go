package storage

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHeaderGolden(t *testing.T) {
	h, dataKey, err := newHeader(passphrase, *cheap.KDF, steady(t))
	require.NoError(t, err)
	golden(t, "header.golden", []byte(hex.Dump(h.encode())))
	back, err := decodeHeader(h.encode())
	require.NoError(t, err)
	require.Equal(t, h, back)
	opened, err := back.unwrap(passphrase)
	require.NoError(t, err)
	require.Equal(t, dataKey, opened)
	_, err = back.unwrap([]byte("another"))
	require.ErrorIs(t, err, ErrWrongPassphrase)
}

// checksummed makes a doctored header look undamaged.
func checksummed(h header, edit func([]byte)) []byte {
	b := h.encode()
	body := b[:len(b)-sha256.Size]
	edit(body)
	sum := sha256.Sum256(body)
	return append(body, sum[:]...)
}

func TestDoctoredHeader(t *testing.T) {
	h, _, err := newHeader(passphrase, *cheap.KDF, steady(t))
	require.NoError(t, err)
	set := func(at int, v ...byte) func([]byte) { return func(b []byte) { copy(b[at:], v) } }
	for name, c := range map[string]struct {
		edit func([]byte)
		want error
	}{
		"magic":          {set(0, 'x'), ErrHeaderDamaged},
		"newer":          {set(8, 0, 2), ErrNewerFormat},
		"version zero":   {set(8, 0, 0), ErrHeaderDamaged},
		"no passes":      {set(10, 0, 0, 0, 0), ErrHeaderDamaged},
		"many passes":    {set(10, 0, 0, 0, maxKDFTime+1), ErrHeaderDamaged},
		"gigabytes":      {set(14, 0, 64, 0, 0), ErrHeaderDamaged},
		"too little":     {set(14, 0, 0, 0, 7), ErrHeaderDamaged},
		"no lanes":       {set(18, 0), ErrHeaderDamaged},
		"many lanes":     {set(18, maxKDFThreads+1), ErrHeaderDamaged},
		"cheaper salt":   {set(19, 1, 2, 3), nil},
		"other data key": {set(headerFieldBytes+30, 1, 2, 3), nil},
		"more passes":    {set(10, 0, 0, 0, 2), nil},
	} {
		t.Run(name, func(t *testing.T) {
			back, err := decodeHeader(checksummed(h, c.edit))
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
				return
			}
			require.NoError(t, err)
			_, err = back.unwrap(passphrase)
			require.ErrorIs(t, err, ErrWrongPassphrase)
		})
	}
}

func TestDefaultKDFIsInBounds(t *testing.T) {
	require.NoError(t, DefaultKDF().validate())
	require.Equal(t, KDF{Time: 3, MemoryKiB: 65536, Threads: 4}, Options{}.kdf())
}

func FuzzHeader(f *testing.F) {
	h, _, err := newHeader(passphrase, *cheap.KDF, bytes.NewReader(make([]byte, 100)))
	require.NoError(f, err)
	f.Add(h.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := decodeHeader(b)
		if err == nil {
			require.Equal(t, b, h.encode())
		}
	})
}
