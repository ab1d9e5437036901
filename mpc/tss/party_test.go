package tss_test

import (
	"crypto/rand"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/crypto/commitments"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// A round must hold every peer's every message once and nothing else.
func TestRoundIsComplete(t *testing.T) {
	k := fixtures.Shares(2, 1)
	rounds := signStage.transcript()
	self, peer := k.Operators[0], k.Operators[1]
	direct, cast := rounds[0][0], rounds[0][1]
	with := func(m session.Inbound, edit func(*session.Inbound)) session.Inbound {
		edit(&m)
		return m
	}
	cases := []struct {
		name    string
		in      []session.Inbound
		culprit types.Operator
		want    string
	}{
		{"complete", rounds[0], "", ""},
		{"order is free", []session.Inbound{cast, direct}, "", ""},
		{"broadcast missing", []session.Inbound{direct}, peer, "s1m2 is missing"},
		{"direct message missing", []session.Inbound{cast}, peer, "s1m1 is missing"},
		{"nothing", nil, peer, "is missing"},
		{"twice", []session.Inbound{direct, cast, direct}, peer, "s1m1 came twice"},
		{"of another round", append(slices.Clone(rounds[0]), rounds[1]...), peer, "does not belong"},
		{"of a keygen", append(slices.Clone(rounds[0]), fixtures.KeygenTranscript()[0]...), peer, "does not belong"},
		{"of a stranger", []session.Inbound{direct, cast, with(cast, func(m *session.Inbound) { m.From = "stranger" })}, "stranger", "no member"},
		{"our own", []session.Inbound{direct, cast, with(cast, func(m *session.Inbound) { m.From = self })}, "", "own message"},
		{"too long", []session.Inbound{direct, with(cast, func(m *session.Inbound) { m.Body = make([]byte, 36) })}, peer, "36 bytes"},
		{"no protobuf", []session.Inbound{direct, with(cast, func(m *session.Inbound) { m.Body = []byte{0xff} })}, peer, "no valid protobuf"},
		{"unknown field", []session.Inbound{direct, with(cast, func(m *session.Inbound) { m.Body = []byte{0x0a, 1, 7, 0x10, 1} })}, peer, "unknown fields"},
		{"empty", []session.Inbound{direct, with(cast, func(m *session.Inbound) { m.Body = nil })}, peer, "lacks a field"},
		{"body of the other type", []session.Inbound{direct, with(cast, func(m *session.Inbound) { m.Body = direct.Body })}, peer, "at most"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := signParties(t, k, digestOf("transcript"), k.Operators)[self]
			err := tss.Judge(p, 1, c.in)
			switch {
			case c.culprit != "":
				requireBlame(t, err, c.culprit, c.want)
			case c.want != "":
				require.ErrorContains(t, err, c.want)
				require.Empty(t, types.ReasonOf(err))
			default:
				require.NoError(t, err)
			}
		})
	}
}

// Calls out of turn are refused and do not reach the library.
func TestPartyOrder(t *testing.T) {
	k := fixtures.Shares(2, 1)
	rounds := signStage.transcript()
	p := signParties(t, k, digestOf("transcript"), k.Operators)[k.Operators[0]]
	_, err := p.Deliver(1, rounds[0])
	require.ErrorContains(t, err, "delivered in round 0")
	step, err := p.Start()
	require.NoError(t, err)
	require.Len(t, step.Out, 2)
	require.Nil(t, step.Result)
	_, err = p.Start()
	require.Error(t, err)
	_, err = p.Deliver(2, rounds[1])
	require.ErrorContains(t, err, "round 2 was delivered in round 1")
	_, err = p.Deliver(1, rounds[0][:1])
	requireBlame(t, err, k.Operators[1], "is missing")
	require.True(t, tss.Ended(p))
	_, err = p.Deliver(1, rounds[0])
	require.ErrorContains(t, err, "has ended")
}

// A replayed message of another session fails its proof: the library names the
// sender, and so do we.
func TestReplayIsBlamed(t *testing.T) {
	t.Parallel()
	k := fixtures.Shares(2, 1)
	rounds := signStage.transcript()
	self := k.Operators[0]
	l := fixtures.Lockstep{Parties: signParties(t, k, digestOf("x"), k.Operators)}
	l.Tamper = func(to types.Operator, round uint32, in []session.Inbound) []session.Inbound {
		if to == self && round == 2 {
			return rounds[1]
		}
		return in
	}
	out := l.Run()
	requireBlame(t, out.Errors[self], k.Operators[1], "signing round 3")
	require.NotContains(t, out.Errors, k.Operators[1])
}

// A wrong last message spoils the signature; nobody can be named for it, and
// nothing is returned.
func TestWrongSignature(t *testing.T) {
	t.Parallel()
	k := fixtures.Shares(3, 1)
	signers := k.Operators[1:]
	l := fixtures.Lockstep{Parties: signParties(t, k, digestOf("x"), signers)}
	l.Tamper = func(to types.Operator, round uint32, in []session.Inbound) []session.Inbound {
		if to == signers[0] && round == 9 {
			return replaced(t, in, "s9", func(m s9) { m.S[len(m.S)-1] ^= 1 })
		}
		return in
	}
	out := l.Run()
	requireNoBlame(t, out.Errors[signers[0]], "verification failed")
	require.Nil(t, out.Results[signers[0]])
	require.NotNil(t, out.Results[signers[1]])
}

// A peer that opens consistent but wrong points makes U differ from T. The
// library blames its own party for it; we name nobody.
func TestSelfBlameIsDropped(t *testing.T) {
	t.Parallel()
	k := fixtures.Shares(2, 1)
	self := k.Operators[0]
	g := crypto.ScalarBaseMult(tsslib.S256(), big.NewInt(7))
	forged := commitments.NewHashCommitment(rand.Reader, g.X(), g.Y(), g.X(), g.Y())
	l := fixtures.Lockstep{Parties: signParties(t, k, digestOf("x"), k.Operators)}
	l.Tamper = func(to types.Operator, round uint32, in []session.Inbound) []session.Inbound {
		switch {
		case to == self && round == 7:
			return replaced(t, in, "s7", func(m s7) { m.Commitment = forged.C.Bytes() })
		case to == self && round == 8:
			return replaced(t, in, "s8", func(m s8) {
				for i, x := range forged.D {
					m.DeCommitment[i] = x.Bytes()
				}
			})
		}
		return in
	}
	out := l.Run()
	requireNoBlame(t, out.Errors[self], "U doesn't equal T")
	var fault *session.Fault
	require.False(t, errors.As(out.Errors[self], &fault))
}
