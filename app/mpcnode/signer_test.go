package mpcnode

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// A node signs blocks with the key of its operator's validator, or with another one, as it does
// where it was made anew and its MPC folder was restored.
func TestCheckupOfTheConsensusKey(t *testing.T) {
	s := newStage(t, 3, func(*stage) {})
	signs := func(i int) *SignerReport {
		address, err := s.app.f.Participants[i].Staked.GetConsAddr()
		require.NoError(t, err)
		s.consensus = address
		found := s.examine("", "").Signer
		if found != nil {
			require.Equal(t, fmt.Sprintf("%X", address), found.Address)
		}
		return found
	}
	require.True(t, signs(0).Own)
	require.False(t, signs(1).Own, "another participant's")
	own := s.app.f.Participants[0].Staked
	s.app.f.Participants[1].Staked.ConsensusPubkey, own.ConsensusPubkey = own.ConsensusPubkey, s.app.f.Participants[1].Staked.ConsensusPubkey
	require.False(t, signs(1).Own, "what was its own, before the chain took another key")

	s.consensus = []byte("nobody's")
	require.Equal(t, &SignerReport{Address: "6E6F626F64792773"}, s.examine("", "").Signer)

	for why, c := range map[string]struct {
		consensus []byte
		spoil     func(*Checkup)
	}{
		"a remote signer is away":         {nil, func(*Checkup) {}},
		"it never registered":             {s.consensus, func(c *Checkup) { c.Identity.Operator = "" }},
		"who revoked has no part":         {s.consensus, func(c *Checkup) { c.Identity.Revoked = true }},
		"nobody knows of the validator":   {s.consensus, func(c *Checkup) { c.Validator = "" }},
		"the chain has the validator not": {s.consensus, func(c *Checkup) { c.Validator = ValidatorGone }},
	} {
		about := Checkup{Identity: IdentityReport{Operator: string(s.operator(0))}, Validator: ValidatorBonded}
		c.spoil(&about)
		found, err := (&examiner{app: s.app, consensus: c.consensus}).signer(s.app.f.Ctx, &about)
		require.NoError(t, err)
		require.Nil(t, found, why)
	}
}
