package mpcnode

import (
	"context"
	"fmt"
	"strings"

	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpcmodule "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// ChosenReport is whom the chain would choose for a keygen, or to get a share by a reshare, if
// it were asked for now.
type ChosenReport struct {
	// Operators are empty if the chain would choose nobody.
	Operators []string `json:"operators"`
	// Refusal is why it would not be taken, with the typed reason; empty: it would.
	Refusal string `json:"refusal,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// The states of a validator that Checkup names.
const (
	ValidatorBonded    = "bonded"
	ValidatorUnbonding = "unbonding"
	ValidatorUnbonded  = "unbonded"
	ValidatorJailed    = "jailed"
	// ValidatorGone: the chain has no such validator any more.
	ValidatorGone = "gone"
)

// choose asks the chain whom it would choose. The members of a keygen are chosen as those
// that a reshare gives shares to, by the same rule; nil: nobody asked.
func (x *examiner) choose(ctx context.Context, q Question, key *OutcomeReport) (*ChosenReport, error) {
	if !q.Choose {
		return nil, nil
	}
	threshold := q.Threshold
	if threshold == 0 && key != nil {
		threshold = key.Threshold
	}
	threshold = max(threshold, 1) // as few as can be
	answer, err := x.chain.CanKeyGen(ctx, &mpcmodule.QueryCanKeyGenRequest{Threshold: threshold, Participants: q.Committee})
	if err != nil {
		return nil, fmt.Errorf("ask the chain whom it would choose: %w", err)
	}
	chosen := &ChosenReport{Operators: append([]string{}, answer.Participants...)}
	refusal := answer.Reason
	if answer.Ok && key != nil {
		reshare, err := x.chain.CanReshare(ctx, &mpcmodule.QueryCanReshareRequest{KeyId: key.KeyID, Threshold: threshold, Participants: q.Committee})
		if err != nil {
			return nil, fmt.Errorf("ask the chain whether it would take a reshare: %w", err)
		}
		refusal = reshare.Reason
	}
	chosen.Refusal, chosen.Reason = splitRefusal(refusal)
	return chosen, nil
}

// splitRefusal takes the typed reason, and its remedy, off the text of an error of the module.
func splitRefusal(text string) (detail, reason string) {
	for _, word := range strings.Split(text, ": ") {
		said := word + ": " + types.Reason(word).Remedy()
		if detail, ok := strings.CutSuffix(text, said); ok && types.Reason(word).Remedy() != "" {
			if detail = strings.TrimSuffix(detail, ": "); detail == "" {
				detail = word
			}
			return detail, word
		}
	}
	return text, ""
}

// validator is what the chain says of an operator's validator; empty if that cannot be found
// out, as on a chain that answers no queries of x/staking. The address is that of the key that
// signs blocks for it; nil if nobody knows it.
func (x *examiner) validator(ctx context.Context, operator string) (state string, address []byte) {
	if operator == "" {
		return "", nil
	}
	answer, err := stakingtypes.NewQueryClient(askApp{x.app}).Validator(ctx, &stakingtypes.QueryValidatorRequest{ValidatorAddr: operator})
	switch {
	case err != nil && strings.Contains(err.Error(), operator+" not found"):
		return ValidatorGone, nil
	case err != nil:
		return "", nil
	case answer.Validator.Jailed:
		state = ValidatorJailed
	case answer.Validator.IsBonded():
		state = ValidatorBonded
	case answer.Validator.IsUnbonding():
		state = ValidatorUnbonding
	default:
		state = ValidatorUnbonded
	}
	return state, addressOf(answer.Validator)
}
