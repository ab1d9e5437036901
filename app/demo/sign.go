package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// sign asks for a signature of the message, follows its making and checks it.
func (s *story) sign(ctx context.Context, id string) (signature []byte, height int64, err error) {
	sig, err := s.follow(ctx, s.signatureOf(id))
	if err != nil {
		return nil, 0, err
	}
	signature, err = s.check(sig)
	return signature, sig.DecidedHeight, err
}

// follow asks for a signature and follows its making.
func (s *story) follow(ctx context.Context, msg *mpctypes.MsgKeySign) (sig mpctypes.Signature, err error) {
	began := time.Now()
	w := s.newWatcher(msg.SignatureId)
	asked, err := s.send(ctx, msg)
	if err != nil {
		return sig, err
	}
	err = w.until(ctx, func() (done bool, err error) {
		sig, done, err = s.decided(ctx, msg.SignatureId)
		return done, err
	})
	if err != nil {
		return sig, err
	}
	s.out.sayf("READY in block %d, %d blocks and %.1f s after the request", sig.DecidedHeight, sig.DecidedHeight-asked, time.Since(began).Seconds())
	return sig, nil
}

// signatureOf asks for a signature of the message.
func (s *story) signatureOf(id string) *mpctypes.MsgKeySign {
	return s.payloadOf(id, ethereum.MessageKind, []byte(s.message))
}

// payloadOf asks for a signature of a payload.
func (s *story) payloadOf(id, kind string, data []byte) *mpctypes.MsgKeySign {
	return &mpctypes.MsgKeySign{
		Requester: s.requester.Address, SignatureId: id, KeyId: s.keyID, Payload: mpctypes.KindPayload(kind, data),
	}
}

// decided says whether a signature is there. It is an error if there will be none.
func (s *story) decided(ctx context.Context, id string) (mpctypes.Signature, bool, error) {
	resp, err := s.requester.Query.Signature(ctx, &mpctypes.QuerySignatureRequest{SignatureId: id})
	if err != nil {
		return mpctypes.Signature{}, false, err
	}
	sig := resp.Signature
	if sig.Status == mpctypes.SIGNATURE_STATUS_ERROR {
		return sig, false, fmt.Errorf("the signature %s failed: %s", id, sig.Reason)
	}
	return sig, sig.Status == mpctypes.SIGNATURE_STATUS_READY, nil
}

// check recovers who made a signature: it must be the key that was made first.
func (s *story) check(sig mpctypes.Signature) ([]byte, error) {
	signature, address, err := recoverAddress(messageHash(s.message), sig)
	if err != nil {
		return nil, err
	}
	s.out.sayf("signature 0x%x", signature)
	if address != s.address {
		return nil, fmt.Errorf("%s recovers %s from the signature, but the key is %s", library, address, s.address)
	}
	s.out.sayf("%s recovers %s: it is the key's", library, address)
	return signature, nil
}
