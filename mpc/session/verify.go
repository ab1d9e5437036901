package session

import (
	"bytes"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// A signature is checked once by each node, when the envelope that it is of first arrives.
// A Start carries the Prepare and the Readys once more: those that this node has, byte for
// byte, it does not check again.

// verifyMember checks an envelope against the identity that the request
// pinned for its sender.
func verifyMember(e *wire.Envelope, cfg *Config) (types.Verified, error) {
	if err := types.CheckEnvelope(e, cfg.ChainID); err != nil {
		return types.Verified{}, err
	}
	member, ok := cfg.Request.Member(types.Operator(e.Header.From))
	if !ok || member.IdentityVersion != e.Header.IdentityVersion {
		return types.Verified{}, fmt.Errorf("%s with identity version %d is no member of %s",
			e.Header.From, e.Header.IdentityVersion, cfg.Request.ID)
	}
	v, err := types.VerifyEnvelope(e, cfg.ChainID, member.IdentityKey)
	if err == nil && v.Request() != cfg.Request.ID {
		return types.Verified{}, fmt.Errorf("an envelope of %s is for %s, not %s", v.From(), v.Request(), cfg.Request.ID)
	}
	return v, err
}

// verify checks one of our own or an embedded envelope against the identity
// that the request pinned.
func (s *Session) verify(e *wire.Envelope) (types.Verified, error) {
	return verifyMember(e, &s.cfg)
}

// confirmVerified is verify of what was verified before: nothing is left to check if that was
// against the same identity.
func (s *Session) confirmVerified(v types.Verified) (types.Verified, error) {
	h := v.Header()
	member, ok := s.cfg.Request.Member(v.From())
	if ok && member.IdentityVersion == h.IdentityVersion && v.By(member.IdentityKey) && h.ChainId == s.cfg.ChainID && v.Request() == s.cfg.Request.ID {
		return v, nil
	}
	return s.verify(v.Envelope())
}

// verifyEmbedded is verify of what a Start carries.
func (s *Session) verifyEmbedded(e *wire.Envelope) (types.Verified, error) {
	if e == nil || e.Header == nil {
		return s.verify(e)
	}
	for _, v := range []types.Verified{s.prepare, s.ready, s.readys[types.Operator(e.Header.From)]} {
		if sameEnvelope(v.Envelope(), e) {
			return s.confirmVerified(v)
		}
	}
	return s.verify(e)
}

// sameEnvelope compares all that is signed, and the signature.
func sameEnvelope(a, b *wire.Envelope) bool {
	return a != nil && (a == b || bytes.Equal(a.Signature, b.Signature) && bytes.Equal(a.Body, b.Body) &&
		types.HeaderHash(a.Header) == types.HeaderHash(b.Header))
}
