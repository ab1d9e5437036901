package tss

import (
	"math/big"

	"github.com/bnb-chain/tss-lib/v2/crypto/paillier"
)

// decrypter opens ciphertexts under our own Paillier key by the Chinese
// remainder theorem. It takes two powers with moduli and exponents of half the
// size, where the library takes one of full size and, needlessly, another.
type decrypter struct {
	p, q   *big.Int
	pp, qq *big.Int
	// hp and hq are the inverses of L((1+N)^(p-1)) modulo p, and of the same
	// with q; L(1 + kp) = k. As (1+N)^(p-1) = 1 + (p-1)pq modulo p^2, hp is
	// the inverse of -q modulo p.
	hp, hq *big.Int
}

func newDecrypter(sk *paillier.PrivateKey) *decrypter {
	inverse := func(x, m *big.Int) *big.Int {
		n := new(big.Int).Neg(x)
		return n.ModInverse(n.Mod(n, m), m)
	}
	return &decrypter{
		p: sk.P, q: sk.Q,
		pp: new(big.Int).Mul(sk.P, sk.P), qq: new(big.Int).Mul(sk.Q, sk.Q),
		hp: inverse(sk.Q, sk.P), hq: inverse(sk.P, sk.Q),
	}
}

// decrypt gives the plaintext, 0 <= m < N, of a unit modulo N^2.
func (d *decrypter) decrypt(c *big.Int) *big.Int {
	mp, mq := residue(c, d.p, d.pp, d.hp), residue(c, d.q, d.qq, d.hq)
	// m = mq + q ((mp-mq) / q modulo p), and 1/q is -hp.
	mp.Sub(mq, mp)
	mp.Mul(mp, d.hp)
	mp.Mod(mp, d.p)
	return mp.Add(mp.Mul(mp, d.q), mq)
}

// residue is the plaintext modulo a prime p: L(c^(p-1) modulo p^2) h modulo p.
func residue(c, p, pp, h *big.Int) *big.Int {
	m := new(big.Int).Mod(c, pp)
	m.Exp(m, new(big.Int).Sub(p, one), pp)
	m.Div(m.Sub(m, one), p)
	return m.Mod(m.Mul(m, h), p)
}

// wipe overwrites what was made of the key; the primes are the share's.
func (d *decrypter) wipe() {
	for _, x := range []*big.Int{d.pp, d.qq, d.hp, d.hq} {
		wipeInt(x)
	}
}
