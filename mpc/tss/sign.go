package tss

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/bnb-chain/tss-lib/v2/common"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/keygen"
	"github.com/bnb-chain/tss-lib/v2/ecdsa/signing"
	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// signProtocol is GG18 signing by t+1 participants of a key.
type signProtocol struct{ options options }

var _ session.Protocol = signProtocol{}

// Rounds describes the nine rounds.
func (signProtocol) Rounds(_, _ int) []session.Round { return sessionRounds(signSpec()) }

// NewParty decodes a copy of the share for this session alone, checks it and
// makes a party.
func (g signProtocol) NewParty(c session.PartyConfig) (session.Party, error) {
	if err := checkSignConfig(c); err != nil {
		return nil, fmt.Errorf("make signing party: %w", err)
	}
	p, err := g.newParty(c, new(big.Int).SetBytes(c.Request.Digest), &c.Request)
	if err != nil {
		return nil, fmt.Errorf("make signing party: %w", err)
	}
	return p, nil
}

// newParty makes a party that signs a digest, which the library reads when it starts
// and from round 5 on, for a request, which is read at the end.
func (g signProtocol) newParty(c session.PartyConfig, digest *big.Int, target *types.Request) (*party, error) {
	s, err := g.openShare(c)
	if err != nil {
		return nil, err
	}
	r, err := newRoster(c.Request.KeySession, c.Self, c.Signers)
	if err != nil {
		s.wipe()
		return nil, err
	}
	// The subset shares its numbers with s, which nobody else has.
	data := keygen.BuildLocalSaveDataSubset(s.Data, r.sorted)
	out := make(chan tss.Message, outCapacity(len(r.operators)))
	end := make(chan *common.SignatureData, 1)
	guard := newSignGuard(r, &data)
	return &party{
		library: signing.NewLocalParty(digest, r.parameters(s.Threshold, g.options.concurrency), data, out, end, digestBytes),
		roster:  r, spec: signSpec(), guard: guard, out: out,
		result: func() (*session.Result, error) { return signResult(end, target) },
		wipe: func() {
			s.wipe()
			guard.wipe()
		},
	}, nil
}

// digestBytes is the length of what is signed. The library is told, so that a
// digest with leading zeros stays one of 32 bytes.
const digestBytes = 32

func checkSignConfig(c session.PartyConfig) error {
	req := &c.Request
	if req.ID.Kind != types.KindSign || req.Algorithm != types.ECDSASecp256k1 {
		return fmt.Errorf("%w: %s with %s", types.ErrUnsupportedAlgorithm, req.ID.Kind, req.Algorithm)
	}
	if err := types.ValidateDigest(req.Digest); err != nil {
		return err
	}
	return checkSigners(c)
}

// checkSigners checks all that does not depend on what is signed.
func checkSigners(c session.PartyConfig) error {
	req := &c.Request
	if err := checkThreshold(req.Threshold, len(req.Members)); err != nil {
		return err
	}
	if len(c.Signers) != req.Threshold+1 {
		return fmt.Errorf("%d signers, a key with threshold %d needs exactly %d", len(c.Signers), req.Threshold, req.Threshold+1)
	}
	for _, op := range c.Signers {
		if _, ok := req.Member(op); !ok {
			return fmt.Errorf("signer %s is no participant of the request", op)
		}
	}
	if len(c.Share) == 0 {
		return fmt.Errorf("%w: none was given", types.ErrShareMissing)
	}
	return nil
}

// openShare decodes the share and checks it.
func (g signProtocol) openShare(c session.PartyConfig) (*share, error) {
	s, err := decodeShare(c.Share)
	if err != nil {
		return nil, err
	}
	if err := g.checkShare(s, c); err != nil {
		s.wipe()
		return nil, err
	}
	return s, nil
}

// checkShare checks a share by itself and against the request.
func (g signProtocol) checkShare(s *share, c session.PartyConfig) error {
	if err := g.options.checkInsecure(s.Insecure, "share"); err != nil {
		return err
	}
	req := &c.Request
	switch {
	case s.Session != req.KeySession:
		return fmt.Errorf("the share is of session %s, the key of %s", s.Session.Short(), req.KeySession.Short())
	case s.Threshold != req.Threshold:
		return fmt.Errorf("the share has threshold %d, the request %d", s.Threshold, req.Threshold)
	}
	for _, op := range c.Signers {
		if !slices.Contains(s.Operators, op) {
			return fmt.Errorf("signer %s has no share of the key", op)
		}
	}
	all, err := newRoster(s.Session, c.Self, s.Operators)
	if err != nil {
		return err
	}
	if err := s.validate(all); err != nil {
		return err
	}
	if !bytes.Equal(compressPoint(s.Data.ECDSAPub), req.PublicKey) {
		return fmt.Errorf("the share is of another public key than the request")
	}
	return nil
}

// signResult takes the signature from the library and verifies it by other
// means. If it is wrong, a peer cheated and nobody can say which.
func signResult(end <-chan *common.SignatureData, req *types.Request) (*session.Result, error) {
	var data *common.SignatureData
	select {
	case data = <-end:
	default:
		return nil, unblamed(errors.New("the library did not finish the signature"))
	}
	if len(data.SignatureRecovery) != 1 {
		return nil, fmt.Errorf("the library gave %d bytes of recovery id, not 1", len(data.SignatureRecovery))
	}
	sig := &types.SignatureResult{
		RequestID: req.ID.ID, R: bytes.Clone(data.R), S: bytes.Clone(data.S), V: uint32(data.SignatureRecovery[0]),
	}
	if err := types.VerifySignature(req.PublicKey, req.Digest, sig); err != nil {
		return nil, unblamed(fmt.Errorf("verify the finished signature: %w", err))
	}
	return &session.Result{Signature: sig}, nil
}
