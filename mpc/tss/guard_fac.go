package tss

import "math/big"

// checkFac judges the numbers of a proof that the peer's modulus n has no small
// factor; the verifier's auxiliary modulus nTilde is ours. The library checks
// no bound but that of Z1 and Z2, and raises to all the others. Honest numbers,
// with a challenge e < q and n = PQ:
//
//	Z1, Z2 = e P + alpha             alpha < q^3 sqrt(n); the library refuses more
//	W1, W2 = e mu + x                mu < q Ñ, x < q^3 Ñ:   below (q^2+q^3) Ñ
//	Sigma                            drawn below q n Ñ
//	V      = e (Sigma - nu P) + r    r < q^3 n Ñ:           below (q^2+q^3) n Ñ
//
// V is encoded without its sign. It is negative only if r < e nu P, that is
// with probability below 2^-1000.
func checkFac(parts [][]byte, n, nTilde *big.Int) error {
	if err := checkCount("FacProof", parts, facParts); err != nil {
		return err
	}
	root := new(big.Int).Sqrt(n)
	both := new(big.Int).Mul(n, nTilde)
	z := root.Mul(root, power(3))
	w := blindBound(nTilde)
	sigma := new(big.Int).Mul(power(1), both)
	v := blindBound(both)
	return firstBroken(
		unitsRule("FacProof P, Q, A, B or T", nTilde, parts[:5]...),
		belowRule("FacProof Sigma", parts[5], sigma, "q N NTilde"),
		belowRule("FacProof Z1", parts[6], z, "q^3 sqrt(N)"),
		belowRule("FacProof Z2", parts[7], z, "q^3 sqrt(N)"),
		belowRule("FacProof W1", parts[8], w, "2 q^3 NTilde"),
		belowRule("FacProof W2", parts[9], w, "2 q^3 NTilde"),
		belowRule("FacProof V", parts[10], v, "2 q^3 N NTilde"),
	)
}

// blindBound is 2 q^3 m. What hides a secret modulo m is drawn below q^3 m; the
// challenge times what it hides adds less than q^2 m.
func blindBound(m *big.Int) *big.Int {
	b := new(big.Int).Mul(power(3), m)
	return b.Lsh(b, 1)
}
