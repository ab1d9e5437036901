package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
)

// BenchmarkSettle measures a full block's end: MaxExpiriesPerBlock signatures of
// 16 members expire, and the block is committed, without the disk.
func BenchmarkSettle(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		f := chain.New(b, 16)
		setParams(b, f, unlimited)
		f.ReadyKey("k", 1)
		for i := range keeper.MaxExpiriesPerBlock {
			f.KeySign(fmt.Sprintf("s-%03d", i), "k", "text")
		}
		f.Commit()
		f.Ctx = f.Ctx.WithBlockHeight(301)
		b.StartTimer()
		gas := f.Keeper.SettleRequests(f.Ctx)
		f.Commit()
		require.Less(b, gas, keeper.EndBlockGas)
		b.ReportMetric(float64(gas)/1e6, "Mgas")
	}
}
