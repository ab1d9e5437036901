package tss_test

import (
	"bytes"
	"math/big"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

func product(xs ...*big.Int) *big.Int {
	p := big.NewInt(1)
	for _, x := range xs {
		p.Mul(p, x)
	}
	return p
}

func qTo(n int) *big.Int { return new(big.Int).Exp(order, big.NewInt(int64(n)), nil) }

// limits of a number, beside what keygenAttacks and signAttacks try: the lowest and the highest that the guard lets pass, and
// the highest that an honest party sends. Where that is above the guard's, the
// library refuses it too, and it happens with probability 1/q.
type limits struct {
	name           string
	part           int
	low, high      *big.Int
	honest         *big.Int
	honestMayBreak bool
}

// facLimits are those of a proof about modulus n for our NTilde. An honest
// party computes with e, mu, nu, sigma, r and so on at most one below their
// bounds.
func facLimits(n, nTilde, p *big.Int) []limits {
	root := new(big.Int).Sqrt(n)
	z, w := product(qTo(3), root), product(big.NewInt(2), qTo(3), nTilde)
	sigma, v := product(order, n, nTilde), product(big.NewInt(2), qTo(3), n, nTilde)
	one := big.NewInt(1)
	e := plus(order, -1)
	honestZ := new(big.Int).Add(product(e, p), plus(z, -1))
	honestW := new(big.Int).Add(product(e, plus(product(order, nTilde), -1)), plus(product(qTo(3), nTilde), -1))
	honestV := new(big.Int).Add(product(e, plus(sigma, -1)), plus(product(qTo(3), n, nTilde), -1))
	return []limits{
		{"FacProof Sigma", 5, one, plus(sigma, -1), plus(sigma, -1), false},
		{"FacProof Z1", 6, one, plus(z, -1), honestZ, true},
		{"FacProof Z2", 7, one, plus(z, -1), honestZ, true},
		{"FacProof W1", 8, one, plus(w, -1), honestW, false},
		{"FacProof W2", 9, one, plus(w, -1), honestW, false},
		{"FacProof V", 10, one, plus(v, -1), honestV, false},
	}
}

// rangeLimits are those of the proof about an encrypted nonce.
func rangeLimits(nTilde *big.Int) []limits {
	e := plus(order, -1)
	honestS1 := new(big.Int).Add(product(e, plus(order, -1)), plus(qTo(3), -1))
	return []limits{
		{"RangeProofAlice S1", 4, order, qTo(3), honestS1, true},
		{"RangeProofAlice S2", 5, order, plus(product(big.NewInt(2), qTo(3), nTilde), -1), honestBlind(nTilde), false},
	}
}

// bobLimits are those of the proofs about the answer to it.
func bobLimits(field string, nTilde *big.Int) []limits {
	e := plus(order, -1)
	honestS1 := new(big.Int).Add(product(e, plus(order, -1)), plus(qTo(3), -1))
	honestT1 := new(big.Int).Add(product(e, plus(qTo(5), -1)), plus(qTo(7), -1))
	blind := plus(product(big.NewInt(2), qTo(3), nTilde), -1)
	return []limits{
		// S1 must not be zero modulo q either, as q and q^3 are.
		{field + " S1", 6, plus(order, 1), plus(qTo(3), -1), honestS1, true},
		{field + " S2", 7, order, blind, honestBlind(nTilde), false},
		{field + " T1", 8, order, qTo(7), honestT1, true},
		{field + " T2", 9, order, blind, honestBlind(nTilde), false},
	}
}

// honestBlind is the largest e rho + gamma.
func honestBlind(nTilde *big.Int) *big.Int {
	e := plus(order, -1)
	return new(big.Int).Add(product(e, plus(product(order, nTilde), -1)), plus(product(qTo(3), nTilde), -1))
}

// requireLimits tries the numbers at and beyond the limits of a part.
func requireLimits(t *testing.T, all []limits, culprit types.Operator, judge func(part int, number []byte) error) {
	t.Helper()
	for _, l := range all {
		t.Run(l.name, func(t *testing.T) {
			require.NoError(t, judge(l.part, l.low.Bytes()))
			require.NoError(t, judge(l.part, l.high.Bytes()))
			// Two beyond each, because S1 has another rule about multiples of q.
			for _, beyond := range []int64{1, 2} {
				requireBlame(t, judge(l.part, plus(l.high, beyond).Bytes()), culprit, l.name+" is not")
				if l.low.Cmp(big.NewInt(1)) > 0 {
					requireBlame(t, judge(l.part, plus(l.low, -beyond).Bytes()), culprit, l.name+" is not")
				}
			}
			require.Equal(t, l.honestMayBreak, l.honest.Cmp(l.high) > 0)
			// Numbers have no sign on the wire and may have leading zeros.
			require.NoError(t, judge(l.part, append([]byte{0}, l.low.Bytes()...)))
		})
	}
}

func TestFacLimits(t *testing.T) {
	k, rounds := fixtures.Shares(2, 1), fixtures.KeygenTranscript()
	own, peer := preparamsOf(0), preparamsOf(1)
	p := keygenVictim(t)
	require.NoError(t, tss.Judge(p, 1, rounds[0]))
	judge := func(part int, number []byte) error {
		return tss.Judge(p, 2, replaced(t, rounds[1], "kg2m1", func(m kg2m1) { m.FacProof[part] = number }))
	}
	requireLimits(t, facLimits(peer.PaillierSK.N, own.NTildei, peer.PaillierSK.P), k.Operators[1], judge)
	factor := plus(new(big.Int).Lsh(own.P, 1), 1).Bytes()
	for part := range 5 {
		for name, b := range map[string][]byte{"zero": {0}, "shares a factor": factor} {
			t.Run(name, func(t *testing.T) {
				requireBlame(t, judge(part, b), k.Operators[1], "FacProof P, Q, A, B or T is not")
			})
		}
	}
}

func TestMtALimits(t *testing.T) {
	k := fixtures.Shares(2, 1)
	rounds := signStage.transcript()
	nTilde := preparamsOf(0).NTildei
	p := signVictim(t)
	with := func(round int, typ string, parts func(any) [][]byte) func(int, []byte) error {
		return func(part int, number []byte) error {
			in := replaced(t, rounds[round-1], typ, func(m any) { parts(m)[part] = number })
			return tss.Judge(p, uint32(round), in)
		}
	}
	culprit := k.Operators[1]
	requireLimits(t, rangeLimits(nTilde), culprit, with(1, "s1m1", func(m any) [][]byte { return m.(s1m1).RangeProofAlice }))
	requireLimits(t, bobLimits("ProofBob", nTilde), culprit, with(2, "s2", func(m any) [][]byte { return m.(s2).ProofBob }))
	requireLimits(t, bobLimits("ProofBobWc", nTilde), culprit, with(2, "s2", func(m any) [][]byte { return m.(s2).ProofBobWc }))
}

// Two peers with one modulus: one of them copied, and nobody sees who. The
// library would name whoever comes later.
func TestCopiedParameters(t *testing.T) {
	t.Parallel()
	k := fixtures.Shares(3, 1)
	in := fixtures.KeygenTranscript()[0][0]
	copied := func(op types.Operator) session.Inbound {
		in.From = op
		return in
	}
	judge := func(guarded bool) error {
		cfg := keygenConfig(k, 0)
		p, err := protocol(t, types.KindKeygen).NewParty(cfg)
		require.NoError(t, err)
		if !guarded {
			tss.RemoveGuard(p)
			_, err = p.Start()
			require.NoError(t, err)
			_, err = p.Deliver(1, []session.Inbound{copied(k.Operators[1]), copied(k.Operators[2])})
			return err
		}
		return tss.Judge(p, 1, []session.Inbound{copied(k.Operators[1]), copied(k.Operators[2])})
	}
	requireAmong(t, judge(true), "two peers have the same modulus, h1 or h2", k.Operators[1], k.Operators[2])
	if testing.Short() || raceEnabled {
		t.Skip("heavy: 2 seconds of CPU")
	}
	var fault *session.Fault
	require.ErrorAs(t, judge(false), &fault)
	require.Len(t, fault.Culprits, 1)
	// The library fails before it has verified the proofs, and leaves that to
	// goroutines of its own.
	require.Eventually(t, func() bool {
		stacks := make([]byte, 1<<20)
		return !bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("dlnproof"))
	}, time.Minute, 10*time.Millisecond)
}
