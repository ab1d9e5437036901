package mpc

import (
	"bytes"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// Judged is a result that Judge found nothing wrong with. Only Judge makes one, so
// that no curve is computed on the loop for what anybody may send.
type Judged struct {
	gossip *wire.Gossip
	// proves is the request that a finished signature was verified against; nil for
	// other results, and for a signature of no request that was open.
	proves *types.Request
}

// of says whether it was verified against what a request asks for.
func (j Judged) of(r *types.Request) bool {
	return j.proves != nil && bytes.Equal(j.proves.PublicKey, r.PublicKey) && bytes.Equal(j.proves.Digest, r.Digest)
}

// Judge verifies a finished signature against the public key and the digest of the
// request that is open here. The error is types.ErrBadResult: it is false, and no
// honest node passes it on, because a request has one key and one digest for ever.
//
// It may be called from any goroutine: it takes a tenth of a millisecond, which the
// loop cannot spare for what anybody may send. Other results are judged by
// HandleGossip.
func (c *Core) Judge(g *wire.Gossip) (Judged, error) {
	sum, ok := g.Sum.(*wire.Gossip_Signature)
	if !ok {
		return Judged{gossip: g}, nil
	}
	s, err := types.SignatureResultFromWire(sum.Signature)
	if err != nil {
		return Judged{}, fmt.Errorf("%w: %w", types.ErrBadResult, err)
	}
	r, open := (*c.judging.Load())[types.RequestID{Kind: types.KindSign, ID: s.RequestID}]
	if !open {
		return Judged{gossip: g}, nil
	}
	if err := types.VerifySignature(r.PublicKey, r.Digest, &s); err != nil {
		return Judged{}, fmt.Errorf("%w: %w", types.ErrBadResult, err)
	}
	return Judged{gossip: g, proves: r}, nil
}
