package types_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// golden compares with a file of hex lines. What it holds was written to disk or
// signed by nodes in the field: a change is a new version, not a new file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		require.NoError(t, os.WriteFile(path, []byte(hex.EncodeToString(got)+"\n"), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, strings.TrimSpace(string(want)), hex.EncodeToString(got))
}

func goldenResults() mpctypes.Results {
	secret := chain.NewSecret("golden")
	r := mpctypes.Results{Signatures: []mpctypes.SignatureResult{
		secret.Sign("sig-2", chain.Digest("b")), secret.Sign("sig-1", chain.Digest("a")),
	}}
	for i := range 3 {
		p := chain.Participant{Operator: chain.Operator(i), Identity: chain.IdentityKey(chain.Operator(i)), Version: 1}
		made, destroyed := p.Attest("key-1", uint32(i), chain.Session("golden"), secret.Payload(3)), p.AttestDeletion("key-0")
		made.Commitment, destroyed.Commitment = chain.Session("asked"), chain.Session("deleted")
		for _, a := range []*mpctypes.Attestation{&made, &destroyed} {
			a.Sign(chain.ChainID, p.Identity)
		}
		r.Attestations = append(r.Attestations, made, destroyed)
		request := mpctypes.RequestID{Kind: mpctypes.KindSign, ID: fmt.Sprint("sig-", i)}
		r.Evidence = append(r.Evidence, p.Contradict(request))
		r.Accusations = append(r.Accusations, p.Accuse(request, chain.Operator(i+1)))
	}
	return r
}

func build(t testing.TB, limits types.BundleLimits, r mpctypes.Results) []byte {
	t.Helper()
	b := types.NewBundleBuilder(limits)
	for i := range r.Attestations {
		b.AddAttestation(&r.Attestations[i])
	}
	for i := range r.Signatures {
		b.AddSignature(&r.Signatures[i])
	}
	for _, e := range r.Evidence {
		b.AddEvidence(e)
	}
	for i := range r.Accusations {
		b.AddAccusation(&r.Accusations[i])
	}
	bz, err := b.Encode()
	require.NoError(t, err)
	return bz
}

func TestBundleGolden(t *testing.T) {
	r := goldenResults()
	bz := build(t, types.MaxBundle, r)
	golden(t, "bundle.hex", bz)
	golden(t, "attestation_keygen_sign_bytes.hex", r.Attestations[0].SignBytes(chain.ChainID))
	golden(t, "attestation_delete_sign_bytes.hex", r.Attestations[1].SignBytes(chain.ChainID))
	golden(t, "proof_of_possession_sign_bytes.hex",
		mpctypes.ProofOfPossession(chain.ChainID, mpctypes.Operator(chain.Operator(0)), chain.Public(chain.IdentityKey("golden"))))

	decoded, err := types.DecodeBundle(bz, types.MaxBundle)
	require.NoError(t, err)
	require.ElementsMatch(t, r.Attestations, normal(decoded.Attestations))
	require.ElementsMatch(t, r.Signatures, decoded.Signatures)
	require.ElementsMatch(t, r.Evidence, decoded.Evidence)
	require.ElementsMatch(t, r.Accusations, decoded.Accusations)
}

// normal writes an empty payload as the tests do.
func normal(all []mpctypes.Attestation) []mpctypes.Attestation {
	for i := range all {
		if len(all[i].Payload) == 0 {
			all[i].Payload = nil
		}
	}
	return all
}

func TestBundleLooksLikeNoTransaction(t *testing.T) {
	bz := build(t, types.MaxBundle, goldenResults())
	require.True(t, types.IsBundle(bz))
	require.False(t, types.IsBundle(nil))
	require.False(t, types.IsBundle([]byte{7}))
	// Field 0 does not exist, and neither does wire type 7.
	require.Zero(t, bz[0]>>3)
	require.EqualValues(t, 7, bz[0]&7)
}

func TestBuilderKeepsLimits(t *testing.T) {
	r := goldenResults()
	whole := build(t, types.MaxBundle, r)
	for size := types.MinBundleBytes; size >= 0; size -= 7 {
		bz := build(t, types.BundleLimits{Entries: 100, Bytes: size}, r)
		require.LessOrEqual(t, len(bz), size)
		if bz != nil {
			_, err := types.DecodeBundle(bz, types.BundleLimits{Entries: 100, Bytes: size})
			require.NoError(t, err)
		}
	}
	require.Equal(t, whole, build(t, types.BundleLimits{Entries: 14, Bytes: len(whole)}, r), "it counts to the byte")
	require.NotEqual(t, whole, build(t, types.BundleLimits{Entries: 14, Bytes: len(whole) - 1}, r))
	require.NotEqual(t, whole, build(t, types.BundleLimits{Entries: 13, Bytes: len(whole)}, r))
	require.Nil(t, build(t, types.MaxBundle, mpctypes.Results{}))
	doubled := mpctypes.Results{
		Attestations: append(append([]mpctypes.Attestation{}, r.Attestations...), r.Attestations...),
		Signatures:   append(append([]mpctypes.SignatureResult{}, r.Signatures...), r.Signatures...),
		Evidence:     append(append([]mpctypes.Evidence{}, r.Evidence...), r.Evidence...),
		Accusations:  append(append([]mpctypes.Accusation{}, r.Accusations...), r.Accusations...),
	}
	require.Equal(t, whole, build(t, types.MaxBundle, doubled))
}

// Of two results that could not both apply a bundle carries the first, which costs
// no more room than one, and a bundle that has both is none.
func TestOneEntryForEachPlace(t *testing.T) {
	secret := chain.NewSecret("golden")
	p := chain.Participant{Operator: chain.Operator(0), Identity: chain.IdentityKey("first"), Version: 1}
	again := p
	again.Identity, again.Version = chain.IdentityKey("second"), 2
	for name, c := range map[string]struct{ first, second mpctypes.Attestation }{
		"a deletion by two identities": {p.AttestDeletion("k"), again.AttestDeletion("k")},
		"two sessions of an attempt": {
			p.Attest("k", 1, chain.Session("a"), secret.Payload(3)), p.Attest("k", 1, chain.Session("b"), secret.Payload(3)),
		},
		"two payloads of a session": {
			p.Attest("k", 1, chain.Session("a"), secret.Payload(3)), p.Attest("k", 1, chain.Session("a"), chain.NewSecret("other").Payload(3)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			one := build(t, types.MaxBundle, mpctypes.Results{Attestations: []mpctypes.Attestation{c.first}})
			tight := types.BundleLimits{Entries: 1, Bytes: len(one)}
			require.Equal(t, one, build(t, tight, mpctypes.Results{Attestations: []mpctypes.Attestation{c.first, c.second}}))
			other := build(t, types.MaxBundle, mpctypes.Results{Attestations: []mpctypes.Attestation{c.second, c.first}})
			require.NotEqual(t, one, other)

			prefix := len("\x07MPCB\x02")
			for _, both := range [][]byte{append(bytes.Clone(one), other[prefix:]...), append(bytes.Clone(other), one[prefix:]...)} {
				_, err := types.DecodeBundle(both, types.MaxBundle)
				require.ErrorIs(t, err, types.ErrBadBundle)
				require.ErrorContains(t, err, "the second for its place")
			}
		})
	}
	s := secret.Sign("s", chain.Digest("a"))
	one := build(t, types.MaxBundle, mpctypes.Results{Signatures: []mpctypes.SignatureResult{s}})
	tight := types.BundleLimits{Entries: 1, Bytes: len(one)}
	require.Equal(t, one, build(t, tight, mpctypes.Results{Signatures: []mpctypes.SignatureResult{s, secret.Sign("s", chain.Digest("b"))}}))
}

// The largest attestation that there can be fits the smallest bundle that the
// parameters allow.
func TestSmallestBundleHoldsTheLargestAttestation(t *testing.T) {
	a := mpctypes.Attestation{
		Request: mpctypes.RequestID{Kind: mpctypes.KindKeygen, ID: strings.Repeat("k", mpctypes.MaxIDBytes)}, Attempt: 1<<32 - 1,
		Session: chain.Session("s"), Payload: make([]byte, mpctypes.MaxPayloadBytes),
		Operator: mpctypes.Operator(strings.Repeat("o", mpctypes.MaxOperatorBytes)), IdentityVersion: 1<<32 - 1, Signature: make([]byte, 64),
	}
	b := types.NewBundleBuilder(types.BundleLimits{Entries: 1, Bytes: types.MinBundleBytes})
	require.True(t, b.AddAttestation(&a))
}

// A bundle of empty entries is refused before they are decoded.
func TestBundleOfEmptyEntries(t *testing.T) {
	many := append([]byte("\x07MPCB\x02"), bytes.Repeat([]byte{0x0a, 0}, 500_000)...)
	allocated := testing.AllocsPerRun(1, func() {
		_, err := types.DecodeBundle(many, types.MaxBundle)
		require.ErrorIs(t, err, types.ErrBadBundle)
	})
	require.Less(t, allocated, 1000.0)
}

func FuzzDecodeBundle(f *testing.F) {
	whole := build(f, types.MaxBundle, goldenResults())
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("\x07MPCB\x02"))
	f.Add([]byte("\x07MPCB\x02\x0a\x00\x12\x00"))
	f.Add([]byte("\x07MPCB\x02"))
	f.Add(append(append([]byte{}, whole...), 0x1a, 0x01, 0x00))
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := types.BundleLimits{Entries: 16, Bytes: 1 << 14}
		r, err := types.DecodeBundle(data, limits)
		if err != nil {
			require.ErrorIs(t, err, types.ErrBadBundle)
			return
		}
		require.True(t, types.IsBundle(data))
		require.LessOrEqual(t, len(r.Attestations)+len(r.Signatures), limits.Entries)
		if again := build(t, limits, r); !bytes.Equal(again, data) {
			t.Fatalf("two encodings of one set of results:\n%x\n%x", data, again)
		}
	})
}
