package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// verify checks a signature with libsecp256k1 (by go-ethereum): it is valid for
// the key, and v gives the key back. The nodes use another implementation.
func verify(t *testing.T, publicKey, digest []byte, sig mpctypes.Signature) {
	t.Helper()
	require.False(t, !builtWithCgo && os.Getenv("CI") != "", "without cgo go-ethereum has no libsecp256k1, and CI must check with it")
	rs := append(append([]byte{}, sig.R...), sig.S...)
	require.True(t, crypto.VerifySignature(publicKey, digest, rs), sig.Id)
	recovered, err := crypto.SigToPub(digest, append(rs, byte(sig.V)))
	require.NoError(t, err)
	require.Equal(t, publicKey, crypto.CompressPubkey(recovered), sig.Id)
}

// verifyWithOpenSSL checks a signature with a third implementation. Machines
// without openssl leave it out; CI must have it.
func verifyWithOpenSSL(t *testing.T, publicKey, digest []byte, sig mpctypes.Signature) {
	t.Helper()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		require.Empty(t, os.Getenv("CI"), "openssl is not installed, and CI must check with it")
		t.Log("openssl is not installed; not checked with it")
		return
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig.R), new(big.Int).SetBytes(sig.S)})
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	check := func(digest []byte) ([]byte, error) {
		return exec.Command(openssl, "pkeyutl", "-verify", "-pubin", "-keyform", "DER",
			"-inkey", write("key.der", subjectPublicKey(publicKey)),
			"-in", write("digest", digest), "-sigfile", write("signature.der", der)).CombinedOutput()
	}
	out, err := check(digest)
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "Verified Successfully")
	other := sha256.Sum256(digest)
	_, err = check(other[:])
	require.Error(t, err, "openssl must refuse another digest")
}

// subjectPublicKey is a compressed key as a SubjectPublicKeyInfo (RFC 5480): the
// bytes before it say id-ecPublicKey, secp256k1, and a bit string of 33 bytes.
func subjectPublicKey(compressed []byte) []byte {
	prefix := []byte{
		0x30, 0x36, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
		0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a, 0x03, 0x22, 0x00,
	}
	return bytes.Join([][]byte{prefix, compressed}, nil)
}
