package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
)

// BenchmarkRoster is what it costs an engine to look at the participants: all of them, as
// after one registered, and whether one did.
func BenchmarkRoster(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
		f := chain.New(b, 0)
		for i := range n {
			f.Register(f.AddValidator(i))
			if i > 0 {
				f.Staking.Validators = f.Staking.Validators[1:] // it unbonded
			}
		}
		f.Commit()
		b.Run(fmt.Sprintf("participants=%d/changed", n), func(b *testing.B) {
			for b.Loop() {
				roster, err := f.Keeper.EngineRoster(f.Ctx)
				require.NoError(b, err)
				require.Len(b, roster.Operators(), n)
			}
		})
		b.Run(fmt.Sprintf("participants=%d/unchanged", n), func(b *testing.B) {
			for b.Loop() {
				changes, err := f.Keeper.EngineRosterChanges(f.Ctx)
				require.NoError(b, err)
				require.EqualValues(b, n, changes)
			}
		})
	}
}
