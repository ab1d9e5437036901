package tss

import (
	"fmt"
	"math/big"

	"github.com/bnb-chain/tss-lib/v2/crypto"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// validate checks that a share is whole, that it belongs to the roster of the
// key's participants and that its numbers fit each other: own secrets against
// own public values, share commitments against the public key, and everybody's
// parameters as far as that takes no time. Every session that uses a share
// starts with it, so it is cheap (BenchmarkChecks). What it leaves out, primality of our
// own primes and small factors of everybody's moduli, was checked before the
// share was made, and CheckShare checks it again.
func (s *share) validate(r *roster) error {
	if err := checkThreshold(s.Threshold, len(s.Operators)); err != nil {
		return err
	}
	if err := checkLists(&s.Data, len(r.sorted)); err != nil {
		return err
	}
	for i, id := range r.sorted {
		if s.Data.Ks[i].Cmp(id.KeyInt()) != 0 {
			return fmt.Errorf("party key %d of the share is not that of its participant", i)
		}
	}
	if err := checkPeers(&s.Data); err != nil {
		return err
	}
	if err := checkPreparamNumbers(&s.Data.LocalPreParams); err != nil {
		return err
	}
	if err := checkOwn(&s.Data, r.index(r.self)); err != nil {
		return err
	}
	return checkPolynomial(&s.Data, s.Threshold)
}

// checkLists wants n of everything and no hole.
func checkLists(d *keygen.LocalPartySaveData, n int) error {
	for name, list := range map[string][]*big.Int{"Ks": d.Ks, "NTildej": d.NTildej, "H1j": d.H1j, "H2j": d.H2j} {
		if len(list) != n {
			return fmt.Errorf("share has %d of %s, not %d", len(list), name, n)
		}
		for i, x := range list {
			if x == nil || x.Sign() <= 0 {
				return fmt.Errorf("%s %d of the share is missing", name, i)
			}
		}
	}
	if len(d.BigXj) != n || len(d.PaillierPKs) != n {
		return fmt.Errorf("share has %d commitments and %d Paillier keys, not %d", len(d.BigXj), len(d.PaillierPKs), n)
	}
	for i := range n {
		if !isCurvePoint(d.BigXj[i]) || d.PaillierPKs[i] == nil || d.PaillierPKs[i].N == nil {
			return fmt.Errorf("commitment or Paillier key %d of the share is missing or malformed", i)
		}
	}
	if !isCurvePoint(d.ECDSAPub) {
		return fmt.Errorf("public key of the share is no point of the curve")
	}
	return nil
}

// checkPeers wants what the guard wants of everybody's auxiliary parameters,
// all but the factors, and no two participants with the same.
func checkPeers(d *keygen.LocalPartySaveData) error {
	all := auxiliaries(d)
	for i, a := range all {
		if err := a.check(); err != nil {
			return fmt.Errorf("parameters of participant %d: %w", i, err)
		}
		for j := range i {
			if a.overlaps(all[j]) {
				return fmt.Errorf("participants %d and %d have the same modulus, h1 or h2", j, i)
			}
		}
	}
	return nil
}

// auxiliaries are everybody's, in the order of the lists.
func auxiliaries(d *keygen.LocalPartySaveData) []auxiliary {
	all := make([]auxiliary, len(d.Ks))
	for i := range all {
		all[i] = auxiliary{d.PaillierPKs[i].N, d.NTildej[i], d.H1j[i], d.H2j[i]}
	}
	return all
}

// checkOwn compares the secrets with what the others know of us.
func checkOwn(d *keygen.LocalPartySaveData, self int) error {
	q := groupOrder()
	switch {
	case d.Xi == nil || d.Xi.Sign() <= 0 || d.Xi.Cmp(q) >= 0:
		return fmt.Errorf("secret share is out of range")
	case d.ShareID == nil || d.ShareID.Cmp(d.Ks[self]) != 0:
		return fmt.Errorf("share belongs to another participant")
	case !crypto.ScalarBaseMult(d.ECDSAPub.Curve(), d.Xi).Equals(d.BigXj[self]):
		return fmt.Errorf("secret share does not match its commitment")
	case d.PaillierSK.N.Cmp(d.PaillierPKs[self].N) != 0:
		return fmt.Errorf("own Paillier key is not the one the others know")
	case d.NTildei.Cmp(d.NTildej[self]) != 0 || d.H1i.Cmp(d.H1j[self]) != 0 || d.H2i.Cmp(d.H2j[self]) != 0:
		return fmt.Errorf("auxiliary parameters do not match those the others know")
	}
	return nil
}

// checkPolynomial wants every run of t+1 commitments to give the public key:
// then all of them lie on one polynomial of degree t.
func checkPolynomial(d *keygen.LocalPartySaveData, t int) error {
	for i := 0; i+t < len(d.Ks); i++ {
		if !interpolateZero(d.Ks[i:i+t+1], d.BigXj[i:i+t+1]).Equals(d.ECDSAPub) {
			return fmt.Errorf("share commitments do not give the public key")
		}
	}
	return nil
}

// CheckShare says whether an encoded share is whole and is self's share of the
// key that payload describes, as its participants (ascending) attested it. It
// is for backups and recovery, takes longer with each participant (BenchmarkChecks),
// and accepts fixtures.
func CheckShare(encoded []byte, payload types.KeygenPayload, self types.Operator, participants []types.Operator) error {
	s, err := decodeShare(encoded)
	if err != nil {
		return fmt.Errorf("check share: %w", err)
	}
	defer s.wipe()
	r, err := newRoster(s.Session, self, participants)
	if err != nil {
		return fmt.Errorf("check share: %w", err)
	}
	if err := s.validate(r); err != nil {
		return fmt.Errorf("check share: %w", err)
	}
	if err := validatePreparams(&s.Data.LocalPreParams); err != nil {
		return fmt.Errorf("check share: %w", err)
	}
	for i, a := range auxiliaries(&s.Data) {
		if err := a.checkFactors(); err != nil {
			return fmt.Errorf("check share: parameters of participant %d: %w", i, err)
		}
	}
	own := s.payload(r)
	if string(own.Encode()) != string(payload.Encode()) {
		return fmt.Errorf("check share: it belongs to another key or session than the attested one")
	}
	return nil
}

// ShareOwner finds which of a key's participants (ascending) an encoded share
// belongs to. It looks at names only; CheckShare checks the numbers.
func ShareOwner(encoded []byte, participants []types.Operator) (types.Operator, error) {
	s, err := decodeShare(encoded)
	if err != nil {
		return "", fmt.Errorf("find owner of share: %w", err)
	}
	defer s.wipe()
	r, err := makeRoster(s.Session, "", participants)
	if err != nil {
		return "", fmt.Errorf("find owner of share: %w", err)
	}
	if s.Data.ShareID != nil {
		for _, op := range r.operators {
			if partyKey(s.Session, op).Cmp(s.Data.ShareID) == 0 {
				return op, nil
			}
		}
	}
	return "", fmt.Errorf("find owner of share: none of the %d participants", len(participants))
}
