package tss_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/big"
	"testing"
	"time"

	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

func TestGeneratePreparams(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("heavy: about 3 seconds of CPU")
	}
	// It is interrupted whenever it found something, and goes on.
	var search tss.PreparamsSearch
	var last tss.Progress
	var set []byte
	interrupted := 0
	for set == nil {
		ctx, cancel := context.WithCancel(t.Context())
		found := search.Found()
		var err error
		set, err = search.Generate(ctx, nil, 2, func(p tss.Progress) {
			require.GreaterOrEqual(t, p.Found, last.Found)
			require.GreaterOrEqual(t, p.Tested, last.Tested)
			last = p
			if p.Found > found && p.Found < p.Needed {
				cancel()
			}
		})
		cancel()
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
			require.Greater(t, search.Found(), found)
			interrupted++
		}
	}
	require.Positive(t, interrupted)
	require.Zero(t, search.Found(), "it is in the set, and no second one is made of it")
	require.NoError(t, tss.ValidatePreparams(set))
	require.Equal(t, 4, last.Found)
	require.Equal(t, 4, last.Needed)
	require.Positive(t, last.Tested)
	require.Positive(t, last.Expected)
	data, err := tss.PreparamsData(set)
	require.NoError(t, err)
	for _, p := range []*big.Int{data.PaillierSK.P, data.PaillierSK.Q} {
		require.True(t, p.ProbablyPrime(10))
		require.True(t, new(big.Int).Rsh(p, 1).ProbablyPrime(10))
	}
	marked, err := tss.MarkInsecure(set)
	require.NoError(t, err)
	require.NotEqual(t, set, marked)
	require.NoError(t, tss.ValidatePreparams(marked))
}

func TestGeneratePreparamsCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var ended time.Time
	_, err := tss.GeneratePreparams(ctx, nil, 2, func(p tss.Progress) {
		if ended.IsZero() {
			ended = time.Now()
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, ended.IsZero())
	require.Less(t, time.Since(ended), 5*time.Second)
}

// What was found is kept over every end of the search but its own, in memory, and wiped.
func TestPreparamsSearchKeepsWhatItFound(t *testing.T) {
	halves := func() []*big.Int {
		set, err := tss.PreparamsData(fixtures.Preparams(0))
		require.NoError(t, err)
		half := func(p *big.Int) *big.Int { return new(big.Int).Rsh(p, 1) }
		return []*big.Int{half(set.PaillierSK.P), half(set.PaillierSK.Q), set.P, set.Q}
	}
	found := halves()
	three := tss.SearchFrom(found[:3]...)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := three.Generate(ended, nil, 1, nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = three.Generate(t.Context(), failing{}, 2, nil)
	require.ErrorIs(t, err, errDry)
	_, err = three.Generate(t.Context(), panicking{}, 2, nil)
	require.ErrorContains(t, err, "panic of type string")
	require.Equal(t, 3, three.Found())
	require.Equal(t, halves()[:3], found[:3])
	three.Wipe()
	require.Zero(t, three.Found())
	for _, q := range found[:3] {
		require.Zero(t, q.Sign(), "it is in memory still")
	}

	found = halves()
	set, err := tss.SearchFrom(found...).Generate(t.Context(), nil, 1, nil)
	require.NoError(t, err)
	require.NoError(t, tss.ValidatePreparams(set))
	for _, q := range found {
		require.Zero(t, q.Sign(), "it is in memory still")
	}

	wrong := halves()
	wrong[3].Add(wrong[3], big.NewInt(2))
	broken := tss.SearchFrom(wrong...)
	_, err = broken.Generate(t.Context(), nil, 1, nil)
	require.Error(t, err)
	require.Zero(t, broken.Found(), "primes of which no set can be made are not tried again")
}

var errDry = errors.New("no entropy")

func TestGeneratePreparamsWithoutRandomness(t *testing.T) {
	_, err := tss.GeneratePreparams(context.Background(), io.MultiReader(bytes.NewReader(make([]byte, 100)), failing{}), 2, nil)
	require.ErrorIs(t, err, errDry)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDry }

// A panic in a goroutine of the search is an error to who asked for it, without
// the panic's value, and the other goroutines end (see TestMain).
func TestGeneratePreparamsPanic(t *testing.T) {
	_, err := tss.GeneratePreparams(context.Background(), panicking{}, 3, nil)
	require.ErrorContains(t, err, "panic of type string")
	require.ErrorContains(t, err, "panicking.Read", "the stack")
	require.NotContains(t, err.Error(), "a secret")
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("a secret") }

func TestValidatePreparams(t *testing.T) {
	other, err := tss.PreparamsData(fixtures.Preparams(1))
	require.NoError(t, err)
	cases := []struct {
		name string
		edit func(*keygen.LocalPreParams)
		want string
	}{
		{"valid", func(*keygen.LocalPreParams) {}, ""},
		{"no Paillier key", func(p *keygen.LocalPreParams) { p.PaillierSK = nil }, "missing"},
		{"no modulus", func(p *keygen.LocalPreParams) { p.PaillierSK.N = nil }, "missing"},
		{"no beta", func(p *keygen.LocalPreParams) { p.Beta = nil }, "missing"},
		{"N is not PQ", func(p *keygen.LocalPreParams) { p.PaillierSK.N = plus(p.PaillierSK.N, 2) }, "N is not P times Q"},
		{"P negative", func(p *keygen.LocalPreParams) { p.PaillierSK.P.Neg(p.PaillierSK.P) }, "has not 1024 bits"},
		{"phi", func(p *keygen.LocalPreParams) { p.PaillierSK.PhiN = plus(p.PaillierSK.PhiN, 1) }, "phi or lambda"},
		{"lambda", func(p *keygen.LocalPreParams) { p.PaillierSK.LambdaN = p.PaillierSK.PhiN }, "phi or lambda"},
		{"other p", func(p *keygen.LocalPreParams) { p.P = other.P }, "NTilde is not"},
		{"short p", func(p *keygen.LocalPreParams) { p.P = new(big.Int).Rsh(p.P, 1) }, "has not 1024 bits"},
		{"h1 is 1", func(p *keygen.LocalPreParams) { p.H1i = big.NewInt(1) }, "out of range"},
		{"h2 above NTilde", func(p *keygen.LocalPreParams) { p.H2i.Add(p.H2i, p.NTildei) }, "out of range"},
		{"h2 is not h1^alpha", func(p *keygen.LocalPreParams) { p.H2i = plus(p.H2i, 1) }, "h1^alpha"},
		{"alpha", func(p *keygen.LocalPreParams) { p.Alpha = plus(p.Alpha, 1) }, "h1^alpha"},
		{"beta", func(p *keygen.LocalPreParams) { p.Beta = plus(p.Beta, -1) }, "alpha times beta"},
		{"h1 is no square", func(p *keygen.LocalPreParams) {
			p.H1i.Sub(p.NTildei, p.H1i)
			p.H2i.Exp(p.H1i, p.Alpha, p.NTildei)
		}, "does not generate"},
		{"same primes twice", func(p *keygen.LocalPreParams) {
			p.PaillierSK.P = plus(new(big.Int).Lsh(p.P, 1), 1)
			p.PaillierSK.Q = plus(new(big.Int).Lsh(p.Q, 1), 1)
			repair(p)
		}, "too close"},
		{"P is no prime", func(p *keygen.LocalPreParams) {
			p.PaillierSK.P = plus(p.PaillierSK.P, 4)
			repair(p)
		}, "not a safe prime"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			set, err := tss.EditPreparams(fixtures.Preparams(0), c.edit)
			require.NoError(t, err)
			err = tss.ValidatePreparams(set)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func plus(x *big.Int, d int64) *big.Int { return new(big.Int).Add(x, big.NewInt(d)) }

// repair makes the rest of a Paillier key fit its primes.
func repair(p *keygen.LocalPreParams) {
	sk, one := p.PaillierSK, big.NewInt(1)
	sk.N = new(big.Int).Mul(sk.P, sk.Q)
	pm, qm := new(big.Int).Sub(sk.P, one), new(big.Int).Sub(sk.Q, one)
	sk.PhiN = new(big.Int).Mul(pm, qm)
	sk.LambdaN = new(big.Int).Div(sk.PhiN, new(big.Int).GCD(nil, nil, pm, qm))
}

// All stored sets are whole.
func TestFixturePreparams(t *testing.T) {
	t.Parallel()
	if raceEnabled {
		t.Skip("heavy")
	}
	for i := range fixtures.PreparamSets {
		require.NoError(t, tss.ValidatePreparams(fixtures.Preparams(i)))
	}
}

func FuzzPreparams(f *testing.F) {
	f.Add(fixtures.Preparams(0))
	f.Add([]byte(`{"version":1,"kind":"ecdsa-secp256k1-preparams","insecure":false,"data":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if tss.ValidatePreparams(raw) != nil {
			return
		}
		again, err := tss.EditPreparams(raw, func(*keygen.LocalPreParams) {})
		require.NoError(t, err)
		require.Equal(t, raw, again)
	})
}
