package tss_test

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
)

// edited decodes a body, changes it and encodes it again.
func edited[T any](t testing.TB, m session.Inbound, edit func(T)) session.Inbound {
	t.Helper()
	content, err := tss.DecodeAny(m.Type, m.Body)
	require.NoError(t, err)
	edit(content.(T))
	m.Body, err = tss.EncodeBody(content)
	require.NoError(t, err)
	return m
}

// replaced copies a round with the message of one type changed.
func replaced[T any](t testing.TB, in []session.Inbound, typ string, edit func(T)) []session.Inbound {
	t.Helper()
	out := append([]session.Inbound{}, in...)
	for i, m := range out {
		if m.Type == typ {
			out[i] = edited(t, m, edit)
			return out
		}
	}
	t.Fatalf("no message %s", typ)
	return nil
}

// order is that of the group.
var order, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)

// even makes a number of 2048 bits even.
func even(b []byte) []byte {
	return append(bytes.Clone(b[:len(b)-1]), b[len(b)-1]&^1)
}

// multipleOf3 finds an odd number of 2048 bits near b that 3 divides.
func multipleOf3(b []byte) []byte {
	n := new(big.Int).SetBytes(b)
	n.Sub(n, new(big.Int).Mod(n, big.NewInt(6)))
	return n.Add(n, big.NewInt(3)).Bytes()
}

// prime2048 is a prime of 2048 bits: the modulus of group 14 of RFC 3526.
var prime2048, _ = new(big.Int).SetString("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF", 16)
