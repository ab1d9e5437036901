package mpcnode

import (
	"context"
	"fmt"
)

// signer compares the key that the node signs blocks with with that of its operator's
// validator; nil where there is none of both, or nobody knows one. A node that was made anew
// takes part in MPC with the identity that was restored, and signs no blocks.
func (x *examiner) signer(committed context.Context, c *Checkup) (*SignerReport, error) {
	switch {
	case len(x.consensus) == 0 || c.Identity.Operator == "" || c.Identity.Revoked:
		return nil, nil
	case c.Validator == "" || c.Validator == ValidatorGone:
		return nil, nil
	}
	op, found, err := x.app.MPCState().EngineOperatorOf(committed, x.consensus)
	if err != nil {
		return nil, fmt.Errorf("look for the validator of this node's key: %w", err)
	}
	return &SignerReport{Address: fmt.Sprintf("%X", x.consensus), Own: found && string(op) == c.Identity.Operator}, nil
}
