package tss

import (
	"fmt"
	"runtime"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// Protocols makes the protocols that run on tss-lib. It is immutable and safe
// for concurrent use.
type Protocols struct{ options options }

type options struct {
	concurrency   int
	allowInsecure bool
}

// Option changes how parties are made.
type Option func(*options)

// WithConcurrency sets how many cores one keygen may use to verify its peers'
// proofs; at least 1. The default is GOMAXPROCS. Signing always works on all
// peers at once.
func WithConcurrency(n int) Option {
	return func(o *options) { o.concurrency = max(n, 1) }
}

// AllowInsecureFixtures accepts shares and pre-parameters that are marked
// insecure because their secrets are published in this repository. For tests
// only: a real node never sets it, so a fixture that finds its way into a
// node's database signs nothing.
func AllowInsecureFixtures() Option {
	return func(o *options) { o.allowInsecure = true }
}

// New makes the protocols.
func New(opts ...Option) *Protocols {
	p := &Protocols{options{concurrency: runtime.GOMAXPROCS(0)}}
	for _, o := range opts {
		o(&p.options)
	}
	return p
}

var _ session.Protocols = (*Protocols)(nil)

// Protocol finds the protocol of a request: keygen, signing and resharing with
// ECDSA on secp256k1. Anything else is types.ErrUnsupportedAlgorithm.
func (p *Protocols) Protocol(kind types.RequestKind, algorithm types.Algorithm) (session.Protocol, error) {
	if algorithm == types.ECDSASecp256k1 {
		switch kind {
		case types.KindKeygen:
			return keygenProtocol{p.options}, nil
		case types.KindSign:
			return signProtocol{p.options}, nil
		case types.KindReshare:
			return reshareProtocol{p.options}, nil
		case types.KindPresign:
			return presignProtocol{signProtocol{p.options}}, nil
		}
	}
	return nil, fmt.Errorf("%w: no protocol for %s with %s", types.ErrUnsupportedAlgorithm, kind, algorithm)
}

// checkInsecure refuses fixtures outside tests.
func (o options) checkInsecure(insecure bool, what string) error {
	if insecure && !o.allowInsecure {
		return fmt.Errorf("the %s is a published test fixture and protects nothing; make a new one", what)
	}
	return nil
}

// checkThreshold wants 1 <= t < n; t+1 sign.
func checkThreshold(t, n int) error {
	if t < 1 || t >= n {
		return fmt.Errorf("%w: t is %d of %d participants", types.ErrBadThreshold, t, n)
	}
	return nil
}
