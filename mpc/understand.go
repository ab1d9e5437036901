package mpc

import (
	"context"
	"fmt"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// SignChecker may be implemented by a Chain whose modules have checks of their own for
// what their keys sign. The engine asks it before this node takes part in a signature.
type SignChecker interface {
	// CheckSign asks those checks again, on the last committed state. Its error carries the
	// reason of a refusal; one without a reason is trouble with reading.
	CheckSign(ctx context.Context, signatureID string) error
}

// understand decodes what a request is to sign, as every validator did when it was made,
// and compares: this node takes no part in what it cannot decode, nor in a digest that is
// another payload's, nor in what the key may not sign. Whether a key signs raw digests is
// the chain's to say, as it is which key is whose.
//
// It looks once for each block, however often it is asked: an initiator may send one
// Prepare after the other. What could not be read is tried again. What panics here is the
// fault of nobody who asks, and counts for the request alone.
func (c *Core) understand(r *types.Request) error {
	if err, known := c.understood[r.ID]; known {
		return err
	}
	err := errNotUnderstood
	c.guard(task{"understanding a request", r.ID.String()}, nil, func() { err = c.understandNow(r) })
	if err == nil || types.ReasonOf(err) != "" {
		c.understood[r.ID] = err
	}
	return err
}

// errNotUnderstood is no refusal: it is this node that fails.
var errNotUnderstood = fmt.Errorf("%w: what it is to sign cannot be looked at here", types.ErrPanic)

func (c *Core) understandNow(r *types.Request) error {
	if err := c.decode(r); err != nil {
		return err
	}
	checker, ok := c.opts.Chain.(SignChecker)
	if !ok {
		return nil
	}
	if err := checker.CheckSign(context.Background(), r.ID.ID); err != nil {
		return fmt.Errorf("check what %s signs: %w", r.ID, err)
	}
	return nil
}

func (c *Core) decode(r *types.Request) error {
	if r.Payload.IsZero() {
		if r.Policy != nil {
			return r.Policy.CheckRaw()
		}
		return nil
	}
	decoded, err := c.opts.Kinds.Decode(r.Payload)
	if err != nil {
		return fmt.Errorf("decode the payload of %s: %w", r.ID, err)
	}
	if digest := decoded.Digest(); string(digest[:]) != string(r.Digest) {
		return fmt.Errorf("%w: %s", types.ErrDigestDiffers, r.ID)
	}
	if r.Policy == nil {
		return nil
	}
	return r.Policy.Check(r.Payload.Kind, decoded.Claims())
}
