package types

import (
	"context"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// Bounds of policies in the parameters: all of them are read with each request for a
// signature, 256 keys with a few entries each are some 50 KB.
const (
	MaxPolicies          = 256
	MaxPolicyEntries     = 64
	MaxPolicyEntryBytes  = 128
	maxPolicyNumberBytes = 78 // digits of 2^256
)

// SignPolicy is a module's check of what its keys sign.
type SignPolicy interface {
	// CheckSign refuses what the module's key must not sign, with an error that says why;
	// whoever asked sees it under policy_refused, or under the reason that the error has.
	// It is called when the request is made, and what it stores then stays if the request
	// does. It is called again, on the state of a later block, by each participant before it
	// signs (SignCheck.Again); nothing that it stores then stays, and what it refuses is not
	// signed by that participant. Each time it may use as much gas as a hook
	// (keeper.HookGasLimit), and refuses if it needs more; the first time the request pays
	// for it. It must be deterministic.
	CheckSign(ctx context.Context, c SignCheck) error
}

// SignCheck is what a module is asked of.
type SignCheck struct {
	Key         Key
	SignatureID string
	Payload     SignPayload
	// Decoded is the payload as it was understood; nil for a raw digest.
	Decoded mpctypes.DecodedPayload
	Digest  []byte
	// Again: the request was made before, and a participant is about to sign.
	Again bool
}

var decimalForm = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)

// Validate checks a policy of the parameters.
func (p KeyPolicy) Validate() error {
	if err := mpctypes.ValidateID(p.KeyId); err != nil {
		return err
	}
	for _, list := range [][]string{p.Kinds, p.ChainIds, p.To, p.Calls} {
		if len(list) > MaxPolicyEntries {
			return fmt.Errorf("a list has %d entries, at most %d are allowed", len(list), MaxPolicyEntries)
		}
		for _, entry := range list {
			if entry == "" || len(entry) > MaxPolicyEntryBytes {
				return fmt.Errorf("an entry has %d bytes, not 1 to %d", len(entry), MaxPolicyEntryBytes)
			}
		}
	}
	for _, hex := range slices.Concat(p.To, p.Calls) {
		if strings.HasPrefix(strings.ToLower(hex), "0x") && hex != strings.ToLower(hex) {
			return fmt.Errorf("%s must be in small letters", hex)
		}
	}
	for _, n := range []string{p.MaxValue, p.MaxFee} {
		if n != "" && (len(n) > maxPolicyNumberBytes || !decimalForm.MatchString(n)) {
			return fmt.Errorf("%.80q is no decimal number of at most %d digits", n, maxPolicyNumberBytes)
		}
	}
	return nil
}

// ToEngine converts for the node; nil if there is none.
func (p *KeyPolicy) ToEngine() *mpctypes.Policy {
	if p == nil {
		return nil
	}
	return &mpctypes.Policy{
		Kinds: slices.Clone(p.Kinds), ChainIDs: slices.Clone(p.ChainIds), To: slices.Clone(p.To), Calls: slices.Clone(p.Calls),
		MaxValue: limitOf(p.MaxValue), MaxFee: limitOf(p.MaxFee),
	}
}

// limitOf is nil for no limit.
func limitOf(n string) *big.Int {
	if n == "" {
		return nil
	}
	limit, ok := new(big.Int).SetString(n, 10)
	if !ok {
		return new(big.Int) // Validate saw a number; if it is none, nothing is within it
	}
	return limit
}

// PolicyOf is the policy of a key; nil if it has none.
func (p Params) PolicyOf(keyID string) *KeyPolicy {
	i, found := slices.BinarySearchFunc(p.Policies, keyID, func(policy KeyPolicy, id string) int {
		return strings.Compare(policy.KeyId, id)
	})
	if !found {
		return nil
	}
	return &p.Policies[i]
}

func (p Params) validatePolicies() error {
	if len(p.Policies) > MaxPolicies {
		return ErrBadParams.Wrapf("policies has %d entries, at most %d are allowed", len(p.Policies), MaxPolicies)
	}
	for i, policy := range p.Policies {
		if err := policy.Validate(); err != nil {
			return ErrBadParams.Wrapf("policies: key %.64q: %s", policy.KeyId, err)
		}
		if i > 0 && p.Policies[i-1].KeyId >= policy.KeyId {
			return ErrBadParams.Wrapf("policies: %s must come before %s, and each key once", policy.KeyId, p.Policies[i-1].KeyId)
		}
	}
	return nil
}
