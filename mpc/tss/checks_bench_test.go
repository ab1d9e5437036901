package tss_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/tss"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fixtures"
)

// BenchmarkChecks is what it takes to judge what is stored: when a party is made of it,
// and completely. The share is one of four.
func BenchmarkChecks(b *testing.B) {
	k := fixtures.Shares(4, 2)
	op, set := k.Operators[0], fixtures.Preparams(0)
	for name, check := range map[string]func() error{
		"share when a party is made": func() error {
			_, err := protocol(b, types.KindSign).NewParty(signConfig(k, digestOf("bench"), op, k.Operators[:3]))
			return err
		},
		"share completely": func() error { return tss.CheckShare(k.Share(op), k.Payload, op, k.Operators) },
		"pre-parameters":   func() error { return tss.ValidatePreparams(set) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				require.NoError(b, check())
			}
		})
	}
}
