package types_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

func TestPolicy(t *testing.T) {
	claims := types.Claims{ChainID: "1", To: "a", Value: big.NewInt(5), Fee: big.NewInt(3), Calls: []string{"f", "g"}}
	for name, c := range map[string]struct {
		policy types.Policy
		claims types.Claims
		want   types.Reason
	}{
		"no limits":              {types.Policy{}, claims, ""},
		"nothing said":           {types.Policy{}, types.Claims{}, ""},
		"kind":                   {types.Policy{Kinds: []string{"other", "kind"}}, claims, ""},
		"another kind":           {types.Policy{Kinds: []string{"other"}}, claims, types.ErrPolicy},
		"chain":                  {types.Policy{ChainIDs: []string{"2", "1"}}, claims, ""},
		"another chain":          {types.Policy{ChainIDs: []string{"2"}}, claims, types.ErrWrongChain},
		"no chain":               {types.Policy{ChainIDs: []string{"1"}}, types.Claims{}, types.ErrWrongChain},
		"to":                     {types.Policy{To: []string{"a"}}, claims, ""},
		"to another":             {types.Policy{To: []string{"b"}}, claims, types.ErrPolicy},
		"to nobody":              {types.Policy{To: []string{"a"}}, types.Claims{}, types.ErrPolicy},
		"all calls":              {types.Policy{Calls: []string{"g", "f"}}, claims, ""},
		"not all calls":          {types.Policy{Calls: []string{"f"}}, claims, types.ErrPolicy},
		"no call":                {types.Policy{Calls: []string{"f"}}, types.Claims{}, types.ErrPolicy},
		"value":                  {types.Policy{MaxValue: big.NewInt(5)}, claims, ""},
		"too much":               {types.Policy{MaxValue: big.NewInt(4)}, claims, types.ErrPolicy},
		"nobody knows how much":  {types.Policy{MaxValue: big.NewInt(4)}, types.Claims{}, types.ErrPolicy},
		"fee":                    {types.Policy{MaxFee: big.NewInt(3)}, claims, ""},
		"too dear":               {types.Policy{MaxFee: big.NewInt(2)}, claims, types.ErrPolicy},
		"nobody knows what fees": {types.Policy{MaxFee: big.NewInt(2)}, types.Claims{}, types.ErrPolicy},
	} {
		require.Equal(t, c.want, types.ReasonOf(c.policy.Check("kind", c.claims)), name)
	}
	require.Equal(t, types.ErrPolicy, types.ReasonOf((&types.Policy{}).CheckRaw()))
}

func TestCommitmentCoversPolicy(t *testing.T) {
	seen := make(map[types.Hash]bool)
	for _, p := range []*types.Policy{
		nil, {}, {Kinds: []string{"a"}}, {ChainIDs: []string{"a"}}, {To: []string{"a"}}, {Calls: []string{"a"}}, {Calls: []string{"a", "b"}},
		{MaxValue: new(big.Int)}, {MaxFee: new(big.Int)}, {MaxFee: big.NewInt(1)},
	} {
		r := types.Request{ID: types.RequestID{Kind: types.KindSign, ID: "s"}, Policy: p}
		require.False(t, seen[r.Commitment("chain")], "%v", p)
		seen[r.Commitment("chain")] = true
	}
}
