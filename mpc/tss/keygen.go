package tss

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// keygenProtocol is GG18 key generation by all participants of a request.
type keygenProtocol struct{ options options }

var _ session.Protocol = keygenProtocol{}

// Rounds describes the three rounds.
func (keygenProtocol) Rounds(threshold, _ int) []session.Round {
	return sessionRounds(keygenSpec(threshold))
}

// NewParty validates the pre-parameters, which takes most of its time
// (BenchmarkChecks), and makes a party with a copy of them.
func (k keygenProtocol) NewParty(c session.PartyConfig) (session.Party, error) {
	if err := checkKeygenConfig(c); err != nil {
		return nil, fmt.Errorf("make keygen party: %w", err)
	}
	pre, err := decodePreparams(c.Preparams)
	if err != nil {
		return nil, fmt.Errorf("make keygen party: %w", err)
	}
	r, err := k.checkPreparams(pre, c)
	if err != nil {
		wipePreparams(&pre.Data)
		return nil, fmt.Errorf("make keygen party: %w", err)
	}
	out := make(chan tss.Message, outCapacity(len(r.operators)))
	end := make(chan *keygen.LocalPartySaveData, 1)
	t := c.Request.Threshold
	return &party{
		library: keygen.NewLocalParty(r.parameters(t, k.options.concurrency), out, end, pre.Data),
		roster:  r, spec: keygenSpec(t), guard: newKeygenGuard(t, &pre.Data), out: out,
		result: func() (*session.Result, error) {
			return keygenResult(r, end, share{
				Insecure: pre.Insecure, Session: c.Context, Threshold: t, Operators: r.operators,
			})
		},
		wipe: func() { wipePreparams(&pre.Data) },
	}, nil
}

// checkPreparams checks a set and makes the roster of its session.
func (k keygenProtocol) checkPreparams(pre *preparams, c session.PartyConfig) (*roster, error) {
	if err := k.options.checkInsecure(pre.Insecure, "set of pre-parameters"); err != nil {
		return nil, err
	}
	if err := validatePreparams(&pre.Data); err != nil {
		return nil, err
	}
	return newRoster(c.Context, c.Self, c.Signers)
}

func checkKeygenConfig(c session.PartyConfig) error {
	if c.Request.ID.Kind != types.KindKeygen || c.Request.Algorithm != types.ECDSASecp256k1 {
		return fmt.Errorf("%w: %s with %s", types.ErrUnsupportedAlgorithm, c.Request.ID.Kind, c.Request.Algorithm)
	}
	if c.Context.IsZero() {
		return fmt.Errorf("session has no context")
	}
	if !slices.Equal(c.Signers, c.Request.Operators()) {
		return fmt.Errorf("a keygen is run by all participants of its request")
	}
	if err := checkThreshold(c.Request.Threshold, len(c.Signers)); err != nil {
		return err
	}
	if len(c.Preparams) == 0 {
		return fmt.Errorf("%w: none were given", types.ErrNoPreparams)
	}
	return nil
}

// keygenResult completes, checks and encodes the share that the library made.
func keygenResult(r *roster, end <-chan *keygen.LocalPartySaveData, s share) (*session.Result, error) {
	select {
	case data := <-end:
		s.Data = *data
	default:
		return nil, unblamed(errors.New("the library did not finish the keygen"))
	}
	defer func() { wipeInt(s.Data.Xi) }()
	if err := s.validate(r); err != nil {
		return nil, unblamed(fmt.Errorf("check the share of a keygen: %w", err))
	}
	encoded, err := s.encode()
	if err != nil {
		return nil, err
	}
	return &session.Result{Share: encoded, Payload: s.payload(r)}, nil
}

// wipeInt overwrites a number. Copies that the library or the runtime made
// remain.
func wipeInt(x *big.Int) {
	if x == nil {
		return
	}
	words := x.Bits()
	clear(words[:cap(words)])
	x.SetInt64(0)
}

func wipePreparams(p *keygen.LocalPreParams) {
	if p.PaillierSK != nil {
		for _, x := range []*big.Int{p.PaillierSK.P, p.PaillierSK.Q, p.PaillierSK.LambdaN, p.PaillierSK.PhiN} {
			wipeInt(x)
		}
	}
	for _, x := range []*big.Int{p.Alpha, p.Beta, p.P, p.Q} {
		wipeInt(x)
	}
}
