package tss_test

import (
	"bytes"
	"math/big"
	"sync"
	"testing"

	"github.com/bnb-chain/tss-lib/v2/ecdsa/signing"
	tsslib "github.com/bnb-chain/tss-lib/v2/tss"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// signTranscript is what the first participant of the key with two shares
// receives in a valid session.
var signTranscript = sync.OnceValues(func() ([][]session.Inbound, error) {
	k := fixtures.Shares(2, 1)
	var rounds [][]session.Inbound
	l := fixtures.Lockstep{
		Parties: make(map[types.Operator]session.Party),
		Tamper: func(to types.Operator, _ uint32, in []session.Inbound) []session.Inbound {
			if to == k.Operators[0] {
				rounds = append(rounds, in)
			}
			return in
		},
	}
	protocol, err := fixtureProtocols.Protocol(types.KindSign, types.ECDSASecp256k1)
	if err != nil {
		return nil, err
	}
	for _, op := range k.Operators {
		if l.Parties[op], err = protocol.NewParty(signConfig(k, digestOf("transcript"), op, k.Operators)); err != nil {
			return nil, err
		}
	}
	out := l.Run()
	return rounds, out.Err()
})

type signCase struct {
	name  string
	round uint32
	typ   string
	edit  func(tsslib.MessageContent)
	want  string
	alone
}

// on adapts an edit of one message type.
func on[T tsslib.MessageContent](edit func(T)) func(tsslib.MessageContent) {
	return func(c tsslib.MessageContent) { edit(c.(T)) }
}

type (
	s1m1 = *signing.SignRound1Message1
	s1m2 = *signing.SignRound1Message2
	s2   = *signing.SignRound2Message
	s3   = *signing.SignRound3Message
	s4   = *signing.SignRound4Message
	s5   = *signing.SignRound5Message
	s6   = *signing.SignRound6Message
	s7   = *signing.SignRound7Message
	s8   = *signing.SignRound8Message
	s9   = *signing.SignRound9Message
)

func modulusOf(t *testing.T, participant int) *big.Int {
	data, err := tss.ShareData(fixtures.Shares(2, 1).Shares[participant])
	require.NoError(t, err)
	return data.PaillierSK.N
}

func mtaCases(t *testing.T) []signCase {
	own, peer := modulusOf(t, 0), modulusOf(t, 1)
	square := new(big.Int).Mul(own, own).Bytes()
	twiceQ := new(big.Int).Lsh(order, 1).Bytes()
	return []signCase{
		{"C is 0", 1, "s1m1", on(func(m s1m1) { m.C = []byte{0} }), "C is not", dies},
		{"C shares a factor with N", 1, "s1m1", on(func(m s1m1) { m.C = peer.Bytes() }), "C is not", dies},
		{"C above N^2", 1, "s1m1", on(func(m s1m1) { m.C = bytes.Repeat([]byte{0xff}, 512) }), "C is not", refuses},
		{"Z is 1", 1, "s1m1", on(func(m s1m1) { m.RangeProofAlice[0] = []byte{1} }), "RangeProofAlice Z", accepts},
		{"S is 1", 1, "s1m1", on(func(m s1m1) { m.RangeProofAlice[3] = []byte{0, 1} }), "RangeProofAlice S", accepts},
		{"S1 is S2", 1, "s1m1", on(func(m s1m1) { m.RangeProofAlice[5] = m.RangeProofAlice[4] }), "RangeProofAlice S1", accepts},
		{"short range proof", 1, "s1m1", on(func(m s1m1) { m.RangeProofAlice = m.RangeProofAlice[:5] }), "lacks a field", refuses},
		{"long commitment", 1, "s1m2", on(func(m s1m2) { m.Commitment = make([]byte, 33) }), "commitment is not", refuses},
		{"C1 shares a factor with N", 2, "s2", on(func(m s2) { m.C1 = own.Bytes() }), "C1 or C2", refuses},
		{"C2 is N^2", 2, "s2", on(func(m s2) { m.C2 = square }), "C1 or C2", refuses},
		{"S1 is 0", 2, "s2", on(func(m s2) { m.ProofBobWc[6] = []byte{0} }), "ProofBobWc S1", refuses},
		{"S1 is 2q", 2, "s2", on(func(m s2) { m.ProofBobWc[6] = twiceQ }), "ProofBobWc S1", dies},
		{"S1 without check is q", 2, "s2", on(func(m s2) { m.ProofBob[6] = order.Bytes() }), "ProofBob S1", unharmed},
		{"U off the curve", 2, "s2", on(func(m s2) { m.ProofBobWc[11] = []byte{1} }), "ProofBobWc U", refuses},
		{"parts for a point without check", 2, "s2", on(func(m s2) {
			m.ProofBob = append(m.ProofBob[:8], []byte{1}, []byte{1}, []byte{1}, []byte{1})
		}), "lacks a field", refuses},
	}
}

func openingCases() []signCase {
	zero, q := []byte{0}, order.Bytes()
	junk := func(b []byte) []byte { return append(bytes.Clone(b), 1) }
	return []signCase{
		{"theta is 0", 3, "s3", on(func(m s3) { m.Theta = zero }), "theta is not", unharmed},
		{"theta is q", 3, "s3", on(func(m s3) { m.Theta = q }), "theta is not", unharmed},
		{"T is 0", 4, "s4", on(func(m s4) { m.ProofT = zero }), "ProofT is not", panics},
		{"T is q", 4, "s4", on(func(m s4) { m.ProofT = q }), "ProofT is not", panics},
		{"alpha with junk", 4, "s4", on(func(m s4) { m.ProofAlphaX = junk(m.ProofAlphaX) }), "ProofAlpha is not", accepts},
		{"gamma off the curve", 4, "s4", on(func(m s4) { m.DeCommitment[2] = []byte{1} }), "DeCommitment 1", refuses},
		{"long commitment", 5, "s5", on(func(m s5) { m.Commitment = make([]byte, 33) }), "commitment is not", refuses},
		{"T of A is 0", 6, "s6", on(func(m s6) { m.ProofT = zero }), "ProofT is not", panics},
		{"T of V is 0", 6, "s6", on(func(m s6) { m.VProofT = zero }), "VProofT is not", panics},
		{"U of V is 0", 6, "s6", on(func(m s6) { m.VProofU = zero }), "VProofU is not", panics},
		{"alpha of A off the curve", 6, "s6", on(func(m s6) { m.ProofAlphaY = []byte{1} }), "ProofAlpha is not", refuses},
		{"alpha of V off the curve", 6, "s6", on(func(m s6) { m.VProofAlphaY = []byte{1} }), "VProofAlpha is not", refuses},
		{"A off the curve", 6, "s6", on(func(m s6) { m.DeCommitment[4] = []byte{1} }), "DeCommitment 3", refuses},
		{"long commitment", 7, "s7", on(func(m s7) { m.Commitment = make([]byte, 33) }), "commitment is not", refuses},
		{"U with junk", 8, "s8", on(func(m s8) { m.DeCommitment[1] = junk(m.DeCommitment[1]) }), "DeCommitment 1", misnames},
		{"U missing", 8, "s8", on(func(m s8) { m.DeCommitment = m.DeCommitment[:3] }), "lacks a field", refuses},
		{"s is 0", 9, "s9", on(func(m s9) { m.S = zero }), "s is not", unharmed},
		{"s is q", 9, "s9", on(func(m s9) { m.S = q }), "s is not", unharmed},
	}
}

func TestGuardSign(t *testing.T) {
	k := fixtures.Shares(2, 1)
	rounds, err := signTranscript()
	require.NoError(t, err)
	require.Len(t, rounds, 9)
	p := signParties(t, k, digestOf("transcript"), k.Operators)[k.Operators[0]]
	for r, in := range rounds {
		require.NoError(t, tss.Judge(p, uint32(r+1), in))
	}
	for _, c := range append(mtaCases(t), openingCases()...) {
		t.Run(c.typ+" "+c.name, func(t *testing.T) {
			bad := replaced(t, rounds[c.round-1], c.typ, c.edit)
			requireBlame(t, tss.Judge(p, c.round, bad), k.Operators[1], c.want)
		})
	}
}

// A sum of theta that is zero has no inverse; nobody can tell who chose it.
func TestGuardThetaSum(t *testing.T) {
	k := fixtures.Shares(4, 2)
	signers := k.Operators[:3]
	theta := func(from int, x *big.Int) session.Inbound {
		body, err := tss.EncodeBody(&signing.SignRound3Message{Theta: x.Bytes()})
		require.NoError(t, err)
		return session.Inbound{From: signers[from], Type: "s3", Body: body}
	}
	five := big.NewInt(5)
	for sum, want := range map[int64]bool{0: true, 1: false} {
		p := signParties(t, k, digestOf("x"), signers)[signers[0]]
		minus := new(big.Int).Sub(order, big.NewInt(5-sum))
		err := tss.Judge(p, 3, []session.Inbound{theta(1, five), theta(2, minus)})
		if want {
			requireNoBlame(t, err, "sum of theta is zero")
		} else {
			require.NoError(t, err)
		}
	}
}
