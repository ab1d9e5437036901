package tss_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// parkRound is the last round before it must be known what is signed.
const parkRound = 3

// fixedLate tells its party what it signs once it is parked.
type fixedLate struct {
	session.ParkedParty
	request types.Request
	// parked is what the party had to say when it parked.
	parked []session.Outbound
}

func (p *fixedLate) Deliver(round uint32, in []session.Inbound) (session.Step, error) {
	step, err := p.ParkedParty.Deliver(round, in)
	if err != nil || round != parkRound {
		return step, err
	}
	p.parked = step.Out
	return p.Fix(p.request)
}

func presignConfig(k fixtures.KeySet, self types.Operator, signers []types.Operator) session.PartyConfig {
	c := signConfig(k, nil, self, signers)
	c.Request.ID = types.RequestID{Kind: types.KindPresign, ID: k.Session.String()}
	return c
}

// presignParties are told to sign a digest after round 3.
func presignParties(t testing.TB, k fixtures.KeySet, digest []byte, signers []types.Operator) map[types.Operator]session.Party {
	t.Helper()
	parties := make(map[types.Operator]session.Party)
	for _, op := range signers {
		p, err := protocol(t, types.KindPresign).NewParty(presignConfig(k, op, signers))
		require.NoError(t, err)
		parties[op] = &fixedLate{ParkedParty: p.(session.ParkedParty), request: k.SignRequest("signature", digest)}
	}
	return parties
}

// A presignature becomes a signature of whatever it is used for.
func TestPresign(t *testing.T) {
	t.Parallel()
	k42, k21 := fixtures.Shares(4, 2), fixtures.Shares(2, 1)
	for name, c := range map[string]struct {
		key     fixtures.KeySet
		signers []types.Operator
		digest  []byte
	}{
		"three of four": {k42, []types.Operator{k42.Operators[0], k42.Operators[2], k42.Operators[3]}, digestOf("a")},
		"two":           {k21, k21.Operators, digestOf("b")},
		"leading zeros": {k21, k21.Operators, append(make([]byte, 20), digestOf("c")[:12]...)},
	} {
		t.Run(name, func(t *testing.T) {
			if (testing.Short() || raceEnabled) && len(c.signers) > 2 {
				t.Skip("heavy")
			}
			l := fixtures.Lockstep{Parties: presignParties(t, c.key, c.digest, c.signers)}
			out := l.Run()
			require.NoError(t, out.Err())
			require.Len(t, out.Results, len(c.signers))
			for op, r := range out.Results {
				require.Equal(t, out.Results[c.signers[0]].Signature, r.Signature)
				p := l.Parties[op].(*fixedLate)
				require.Empty(t, p.parked, "nothing of round 4 leaves before it is known what for")
				require.True(t, tss.Ended(p.ParkedParty))
				_, err := p.Fix(p.request)
				require.ErrorContains(t, err, "used once")
			}
			verifyElsewhere(t, c.key.Payload.PublicKey, c.digest, out.Results[c.signers[0]].Signature)
		})
	}
}

// What would use a presignature wrongly ends the party.
func TestPresignIsUsedOnce(t *testing.T) {
	t.Parallel()
	k := fixtures.Shares(2, 1)
	park := func(after func(p session.ParkedParty, in []session.Inbound) error) error {
		parties := presignParties(t, k, digestOf("x"), k.Operators)
		first := parties[k.Operators[0]].(*fixedLate)
		var err error
		l := fixtures.Lockstep{Parties: parties, Tamper: func(to types.Operator, round uint32, in []session.Inbound) []session.Inbound {
			if to == k.Operators[0] && round == parkRound+1 {
				err = after(first.ParkedParty, in)
			}
			return in
		}}
		out := l.Run()
		require.Error(t, out.Errors[k.Operators[0]], "the party goes on")
		return err
	}
	other := k.SignRequest("other", digestOf("y"))
	require.ErrorContains(t, park(func(p session.ParkedParty, _ []session.Inbound) error {
		_, err := p.Fix(other)
		p.Close()
		return err
	}), "used once")

	// One that nobody told what it signs.
	parties := make(map[types.Operator]session.Party)
	for _, op := range k.Operators {
		p, err := protocol(t, types.KindPresign).NewParty(presignConfig(k, op, k.Operators))
		require.NoError(t, err)
		parties[op] = p
	}
	out := (&fixtures.Lockstep{Parties: parties}).Run()
	require.ErrorContains(t, out.Err(), "does not know yet what is signed")
	require.Empty(t, out.Results)

	early, err := protocol(t, types.KindPresign).NewParty(presignConfig(k, k.Operators[0], k.Operators))
	require.NoError(t, err)
	_, err = early.(session.ParkedParty).Fix(other)
	require.ErrorContains(t, err, "in round 0")
	require.True(t, tss.Ended(early))
}

func TestPresignConfig(t *testing.T) {
	k := fixtures.Shares(2, 1)
	before := bytes.Clone(k.Shares[0])
	for want, edit := range map[string]func(*session.PartyConfig){
		"unsupported_algorithm": func(c *session.PartyConfig) { c.Request.ID.Kind = types.KindSign },
		"1 signers":             func(c *session.PartyConfig) { c.Signers = k.Operators[:1] },
		"share_missing":         func(c *session.PartyConfig) { c.Share = nil },
		"another participant":   func(c *session.PartyConfig) { c.Share = k.Shares[1] },
	} {
		c := presignConfig(k, k.Operators[0], k.Operators)
		edit(&c)
		_, err := protocol(t, types.KindPresign).NewParty(c)
		require.ErrorContains(t, err, want)
	}
	require.Equal(t, before, k.Shares[0])
}
