package tss_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"math/big"
	"strings"
	"testing"

	ethcrypto "github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

func digestOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// Any t+1 participants sign, and implementations other than the signer's accept
// the signature.
func TestSignSubsets(t *testing.T) {
	t.Parallel()
	k42, k31, k21 := fixtures.Shares(4, 2), fixtures.Shares(3, 1), fixtures.Shares(2, 1)
	cases := []struct {
		name    string
		key     fixtures.KeySet
		signers []int
		digest  []byte
	}{
		{"first three of four", k42, []int{0, 1, 2}, digestOf("a")},
		{"last three of four", k42, []int{1, 2, 3}, digestOf("b")},
		{"with a gap", k42, []int{0, 2, 3}, digestOf("c")},
		{"two of three", k31, []int{0, 2}, digestOf("d")},
		{"leading zeros", k21, []int{0, 1}, append(make([]byte, 20), digestOf("e")[:12]...)},
		{"the number one", k21, []int{0, 1}, append(make([]byte, 31), 1)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if (testing.Short() || raceEnabled) && len(c.signers) > 2 {
				t.Skip("heavy")
			}
			var signers []types.Operator
			for _, i := range c.signers {
				signers = append(signers, c.key.Operators[i])
			}
			l := fixtures.Lockstep{Parties: signParties(t, c.key, c.digest, signers)}
			out := l.Run()
			require.NoError(t, out.Err())
			require.Len(t, out.Results, len(signers))
			for _, r := range out.Results {
				require.Equal(t, out.Results[signers[0]].Signature, r.Signature)
				require.Nil(t, r.Share)
			}
			verifyElsewhere(t, c.key.Payload.PublicKey, c.digest, out.Results[signers[0]].Signature)
			for _, p := range l.Parties {
				require.True(t, tss.Ended(p))
				_, err := p.Deliver(9, nil)
				require.Error(t, err)
			}
		})
	}
}

// verifyElsewhere asks go-ethereum's libsecp256k1 and the standard library.
func verifyElsewhere(t *testing.T, publicKey, digest []byte, sig *types.SignatureResult) {
	t.Helper()
	require.Equal(t, "signature", sig.RequestID)
	compact := append(append(bytes.Clone(sig.R), sig.S...), byte(sig.V))
	recovered, err := ethcrypto.SigToPub(digest, compact)
	require.NoError(t, err)
	want, err := ethcrypto.DecompressPubkey(publicKey)
	require.NoError(t, err)
	require.Equal(t, ethcrypto.PubkeyToAddress(*want), ethcrypto.PubkeyToAddress(*recovered))
	require.True(t, ethcrypto.VerifySignature(publicKey, digest, compact[:64]), "low s")
	require.True(t, ecdsa.Verify(want, digest, new(big.Int).SetBytes(sig.R), new(big.Int).SetBytes(sig.S)))
}

// The caller's share is read, not written, and not kept.
func TestSignLeavesShareAlone(t *testing.T) {
	t.Parallel()
	k := fixtures.Shares(2, 1)
	before := bytes.Clone(k.Shares[0])
	l := fixtures.Lockstep{Parties: signParties(t, k, digestOf("x"), k.Operators)}
	require.NoError(t, l.Run().Err())
	require.Equal(t, before, k.Shares[0])
}

func TestSignConfig(t *testing.T) {
	k := fixtures.Shares(4, 2)
	other := fixtures.Shares(3, 1)
	three := k.Operators[:3]
	cases := []struct {
		name string
		edit func(*session.PartyConfig)
		want string
	}{
		{"valid", func(*session.PartyConfig) {}, ""},
		{"other kind", func(c *session.PartyConfig) { c.Request.ID.Kind = types.KindKeygen }, "unsupported_algorithm"},
		{"short digest", func(c *session.PartyConfig) { c.Request.Digest = c.Request.Digest[1:] }, "bad_digest"},
		{"zero digest", func(c *session.PartyConfig) { c.Request.Digest = make([]byte, 32) }, "bad_digest"},
		{"too few signers", func(c *session.PartyConfig) { c.Signers = three[:2] }, "2 signers"},
		{"too many signers", func(c *session.PartyConfig) { c.Signers = k.Operators }, "4 signers"},
		{"signers out of order", func(c *session.PartyConfig) {
			c.Signers = []types.Operator{three[0], three[2], three[1]}
		}, "do not ascend"},
		{"stranger signs", func(c *session.PartyConfig) {
			c.Signers = []types.Operator{three[0], three[1], "zzz"}
		}, "no participant"},
		{"self does not sign", func(c *session.PartyConfig) { c.Self, c.Share = k.Operators[3], k.Shares[3] }, "not one of"},
		{"no share", func(c *session.PartyConfig) { c.Share = nil }, "share_missing"},
		{"somebody else's share", func(c *session.PartyConfig) { c.Share = k.Shares[1] }, "another participant"},
		{"share of another key", func(c *session.PartyConfig) { c.Share = other.Shares[0] }, "is of session"},
		{"another threshold", func(c *session.PartyConfig) {
			c.Request.Threshold, c.Signers = 1, three[:2]
		}, "has threshold 2"},
		{"threshold of nobody", func(c *session.PartyConfig) { c.Request.Threshold = 4 }, "bad_threshold"},
		{"another public key", func(c *session.PartyConfig) { c.Request.PublicKey = other.Payload.PublicKey }, "another public key"},
		{"truncated share", func(c *session.PartyConfig) { c.Share = c.Share[:len(c.Share)-1] }, "truncated"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := signConfig(k, digestOf("x"), three[0], three)
			c.edit(&cfg)
			_, err := protocol(t, types.KindSign).NewParty(cfg)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// Fixtures are public, so a real node must not use them.
func TestFixturesRefused(t *testing.T) {
	k := fixtures.Shares(2, 1)
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign} {
		real, err := tss.New(tss.WithConcurrency(0)).Protocol(kind, types.ECDSASecp256k1)
		require.NoError(t, err)
		cfg := keygenConfig(k, 0)
		if kind == types.KindSign {
			cfg = signConfig(k, digestOf("x"), k.Operators[0], k.Operators)
		}
		_, err = real.NewParty(cfg)
		require.ErrorContains(t, err, "published test fixture")
	}
	real, err := tss.New(tss.WithConcurrency(0)).Protocol(types.KindReshare, types.ECDSASecp256k1)
	require.NoError(t, err)
	h := smallHandover()
	for _, op := range h.signers() { // who deals only, who does both, who receives only
		_, err = real.NewParty(h.config(op))
		require.ErrorContains(t, err, "published test fixture", op)
	}
}

func TestUnsupported(t *testing.T) {
	_, err := fixtureProtocols.Protocol(types.KindDelete, types.ECDSASecp256k1)
	require.ErrorIs(t, err, types.ErrUnsupportedAlgorithm)
	for _, kind := range []types.RequestKind{types.KindKeygen, types.KindSign, types.KindReshare} {
		_, err := fixtureProtocols.Protocol(kind, 2)
		require.ErrorIs(t, err, types.ErrUnsupportedAlgorithm)
	}
}

// Every body of an honest session fits its limit, and no limit is more than a
// tenth above the longest.
func TestSizes(t *testing.T) {
	longest := make(map[string]int)
	record := func(_ types.Operator, _ uint32, in []session.Inbound) []session.Inbound {
		for _, m := range in {
			longest[m.Type] = max(longest[m.Type], len(m.Body))
		}
		return in
	}
	k := fixtures.Shares(2, 1)
	l := fixtures.Lockstep{Parties: signParties(t, k, digestOf("x"), k.Operators), Tamper: record}
	require.NoError(t, l.Run().Err())
	for _, in := range fixtures.KeygenTranscript() {
		record("", 0, in)
	}
	rounds := append(protocol(t, types.KindKeygen).Rounds(1, 2), protocol(t, types.KindSign).Rounds(1, 2)...)
	require.Len(t, rounds, 12)
	for _, r := range rounds {
		for _, m := range r {
			t.Logf("%-6s longest %6d, limit %6d", m.Type, longest[m.Type], m.MaxBytes)
			require.LessOrEqual(t, longest[m.Type], m.MaxBytes, m.Type)
			require.Greater(t, longest[m.Type]*11, m.MaxBytes*10, m.Type)
			direct := m.Type == "kg2m1" || m.Type == "s1m1" || m.Type == "s2"
			require.Equal(t, !direct, m.Broadcast, m.Type)
			require.True(t, strings.HasPrefix(m.Type, "kg") || strings.HasPrefix(m.Type, "s"))
		}
	}
}
