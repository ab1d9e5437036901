package tss_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// Three participants make a key; all attest the same, each share passes its
// check, and two of the new shares sign.
func TestKeygen(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceEnabled {
		t.Skip("heavy: about 18 seconds of CPU")
	}
	k := fixtures.Shares(3, 1)
	k.Session = types.Context{9, 9}
	l := fixtures.Lockstep{Parties: make(map[types.Operator]session.Party)}
	for i, op := range k.Operators {
		cfg := keygenConfig(k, i)
		// Sets that the stored key was not made with.
		cfg.Preparams = fixtures.Preparams(fixtures.PreparamSets - 1 - i)
		p, err := protocol(t, types.KindKeygen).NewParty(cfg)
		require.NoError(t, err)
		l.Parties[op] = p
	}
	out := l.Run()
	require.NoError(t, out.Err())
	k.Payload = out.Results[k.Operators[0]].Payload
	require.NoError(t, types.ValidatePublicKey(k.Payload.PublicKey))
	require.NotEqual(t, fixtures.Shares(3, 1).Payload.PublicKey, k.Payload.PublicKey)
	for i, op := range k.Operators {
		r := out.Results[op]
		require.Equal(t, k.Payload, r.Payload)
		require.NoError(t, tss.CheckShare(r.Share, k.Payload, op, k.Operators))
		require.Nil(t, r.Signature)
		k.Shares[i] = r.Share
	}
	digest := digestOf("new key")
	signers := k.Operators[1:]
	sign := fixtures.Lockstep{Parties: signParties(t, k, digest, signers)}
	signed := sign.Run()
	require.NoError(t, signed.Err())
	verifyElsewhere(t, k.Payload.PublicKey, digest, signed.Results[signers[0]].Signature)
}

// Shares and proofs are bound to a session: round 2 of another one is its
// sender's fault.
func TestKeygenReplay(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceEnabled {
		t.Skip("heavy: about 4 seconds of CPU")
	}
	k := fixtures.Shares(2, 1)
	rounds := fixtures.KeygenTranscript()
	cfg := keygenConfig(k, 0)
	cfg.Context = types.Context{7}
	p, err := protocol(t, types.KindKeygen).NewParty(cfg)
	require.NoError(t, err)
	_, err = p.Start()
	require.NoError(t, err)
	// Nothing in round 1 is bound to a session by itself.
	_, err = p.Deliver(1, rounds[0])
	require.NoError(t, err)
	_, err = p.Deliver(2, rounds[1])
	requireBlame(t, err, k.Operators[1], "modProof verify failed")
	require.True(t, tss.Ended(p))
}

func TestKeygenConfig(t *testing.T) {
	k := fixtures.Shares(3, 1)
	cases := []struct {
		name string
		edit func(*session.PartyConfig)
		want string
	}{
		{"valid", func(*session.PartyConfig) {}, ""},
		{"other kind", func(c *session.PartyConfig) { c.Request.ID.Kind = types.KindSign }, "unsupported_algorithm"},
		{"other algorithm", func(c *session.PartyConfig) { c.Request.Algorithm = 2 }, "unsupported_algorithm"},
		{"no context", func(c *session.PartyConfig) { c.Context = types.Context{} }, "no context"},
		{"not all take part", func(c *session.PartyConfig) { c.Signers = c.Signers[:2] }, "all participants"},
		{"threshold 0", func(c *session.PartyConfig) { c.Request.Threshold = 0 }, "bad_threshold"},
		{"threshold n", func(c *session.PartyConfig) { c.Request.Threshold = 3 }, "bad_threshold"},
		{"no pre-parameters", func(c *session.PartyConfig) { c.Preparams = nil }, "no_preparams"},
		{"broken pre-parameters", func(c *session.PartyConfig) { c.Preparams = c.Preparams[1:] }, "malformed"},
		{"a stranger", func(c *session.PartyConfig) { c.Self = "stranger" }, "not one of"},
		{"one participant", func(c *session.PartyConfig) {
			c.Request.Members = c.Request.Members[:1]
			c.Signers = c.Signers[:1]
		}, "bad_threshold"},
		{"twice the same", func(c *session.PartyConfig) {
			c.Request.Members[1] = c.Request.Members[0]
			c.Signers = c.Request.Operators()
		}, "do not ascend"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := keygenConfig(k, 0)
			c.edit(&cfg)
			_, err := protocol(t, types.KindKeygen).NewParty(cfg)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}
