package types

import (
	"fmt"
	"math/big"
	"slices"
)

// Policy says what a key may sign. An empty list, or a nil number, limits nothing.
type Policy struct {
	Kinds    []string
	ChainIDs []string
	To       []string
	Calls    []string
	MaxValue *big.Int
	MaxFee   *big.Int
}

// Check refuses with ErrPolicy, or ErrWrongChain, what a key may not sign: kind and claims
// are the payload's. What is limited, and the payload says nothing of, is refused.
func (p *Policy) Check(kind string, c Claims) error {
	switch {
	case !oneOf(p.Kinds, kind):
		return fmt.Errorf("%w: payloads of the kind %s", ErrPolicy, kind)
	case !oneOf(p.ChainIDs, c.ChainID):
		return fmt.Errorf("%w: %.64q", ErrWrongChain, c.ChainID)
	case !oneOf(p.To, c.To):
		return fmt.Errorf("%w: to %.128q", ErrPolicy, c.To)
	case !within(c.Value, p.MaxValue):
		return fmt.Errorf("%w: a value of %s, at most %s may be moved", ErrPolicy, said(c.Value), p.MaxValue)
	case !within(c.Fee, p.MaxFee):
		return fmt.Errorf("%w: a fee of up to %s, at most %s may be spent", ErrPolicy, said(c.Fee), p.MaxFee)
	case len(p.Calls) > 0 && len(c.Calls) == 0:
		return fmt.Errorf("%w: it calls nothing", ErrPolicy)
	}
	for _, call := range c.Calls {
		if !oneOf(p.Calls, call) {
			return fmt.Errorf("%w: a call of %.128q", ErrPolicy, call)
		}
	}
	return nil
}

// CheckRaw refuses a digest of which nobody can say what it is of.
func (p *Policy) CheckRaw() error {
	return fmt.Errorf("%w: a digest as it is", ErrPolicy)
}

// oneOf: an empty list has everything.
func oneOf(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }

func within(n, limit *big.Int) bool { return limit == nil || n != nil && n.Cmp(limit) <= 0 }

func said(n *big.Int) string {
	if n == nil {
		return "nobody knows how much"
	}
	return n.String()
}

// signBytes adds the policy to what names a request.
func (p *Policy) signBytes(s *signBytes) {
	s.str("policy")
	for _, list := range [][]string{p.Kinds, p.ChainIDs, p.To, p.Calls} {
		s.u64(uint64(len(list)))
		for _, entry := range list {
			s.str(entry)
		}
	}
	for _, n := range []*big.Int{p.MaxValue, p.MaxFee} {
		s.str(said(n))
	}
}
