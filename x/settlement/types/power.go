package types

import "cosmossdk.io/math"

// Power is the stake of the bonded validators by operator address.
type Power struct {
	of    map[string]math.Int
	total math.Int
}

// NewPower has nobody.
func NewPower() Power { return Power{make(map[string]math.Int), math.ZeroInt()} }

// Add adds a bonded validator.
func (p *Power) Add(operator string, tokens math.Int) {
	p.of[operator] = tokens
	p.total = p.total.Add(tokens)
}

// Bonded reports whether an operator's validator is one.
func (p Power) Bonded(operator string) bool { _, ok := p.of[operator]; return ok }

// Decides reports whether these operators have more than two thirds of the power together:
// as many as decide a block.
func (p Power) Decides(operators []string) bool {
	sum := math.ZeroInt()
	for _, o := range operators {
		if tokens, ok := p.of[o]; ok {
			sum = sum.Add(tokens)
		}
	}
	return sum.MulRaw(3).GT(p.total.MulRaw(2))
}
