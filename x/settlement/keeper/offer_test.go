package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// offer is what a transaction offers by now.
func (f *fixture) offer(id uint64) types.Offer {
	f.t.Helper()
	t := f.tx(id)
	return t.Offer()
}

// After a rise of the fees what is open climbs once, not step by step one after the other, and what
// is new after it begins high. When that is included, the next ones go down again.
func TestOffersFollowEachOther(t *testing.T) {
	f, secret := newSettling(t)
	f.setParams(func(p *types.Params) { p.MaxFeePerGas = 1_000_000 })
	again := func(id uint64) {
		t.Helper()
		f.EndBlocks(f.Ctx.BlockHeight() + 5)
		require.NoError(t, f.bump(0, id))
		f.sign(id, secret)
	}
	first, second := f.accept(block(1, 1, 1)), f.accept(block(2, 2, 2))
	f.sign(first, secret)
	f.sign(second, secret)
	require.Equal(t, types.Offer{Fee: 1000, Tip: 10}, f.offer(second), "nothing was offered above the parameters")
	for range 3 {
		again(first)
	}
	require.Equal(t, types.Offer{Fee: 1954, Tip: 22}, f.offer(first))

	third := f.accept(block(3, 3, 3)) // while the first is open
	f.sign(third, secret)
	require.Equal(t, types.Offer{Fee: 1000, Tip: 10}, f.offer(third), "what is asked for counts for nothing")
	include := func(id uint64, attempt int) {
		t.Helper()
		f.include(id, receipt(f.tx(id).Attempts[attempt].Hash, true))
	}
	include(first, 3)
	again(second)
	require.Equal(t, types.Offer{Fee: 1954, Tip: 22}, f.offer(second), "at once as much as was included")
	again(second)
	require.Equal(t, types.Offer{Fee: 2443, Tip: 28}, f.offer(second), "then by steps")
	include(second, 2)
	f.setParams(func(p *types.Params) { p.MaxFeePerGas = 2000 }) // no attempt offers more
	again(third)
	require.Equal(t, types.Offer{Fee: 2000, Tip: 28}, f.offer(third))
	include(third, 1)

	// Nothing is open. It goes down by a step each time.
	for i, want := range []types.Offer{{Fee: 1600, Tip: 22}, {Fee: 1280, Tip: 17}, {Fee: 1024, Tip: 13}, {Fee: 1000, Tip: 10}, {Fee: 1000, Tip: 10}} {
		n := uint64(4 + i)
		id := f.accept(block(n, n, byte(n)))
		require.Equal(t, want, f.offer(id))
		f.sign(id, secret)
		include(id, 0)
	}
}

// A transaction is open until its receipt is final and reported, long after the other chain included
// it. Who has more offered for it meanwhile makes no other begin higher.
func TestOffersOfWhatIsIncluded(t *testing.T) {
	f, secret := newSettling(t)
	f.setParams(func(p *types.Params) { p.StartFeePerGas, p.StartTipPerGas, p.MaxFeePerGas = 50_000, 1000, 1_000_000 })
	first := f.accept(block(1, 1, 1))
	included := f.sign(first, secret)
	f.setParams(func(p *types.Params) { p.MaxFeePerGas = 1_000_000 })
	waits := f.accept(block(2, 2, 2))
	for range 8 {
		f.EndBlocks(f.Ctx.BlockHeight() + 5)
		require.NoError(t, f.bump(0, first))
		f.sign(first, secret)
	}
	require.Greater(t, f.offer(first).Fee, uint64(250_000))
	start := types.Offer{Fee: 1000, Tip: 10}
	require.Equal(t, start, f.offer(waits))
	also := f.accept(block(3, 3, 3))
	require.Equal(t, start, f.offer(also), "while it is open")

	f.sign(waits, secret)
	f.sign(also, secret)
	f.include(first, receipt(included.Hash, true))
	require.Equal(t, types.Offer{Fee: 50_000, Tip: 1000}, f.offer(first))
	f.EndBlocks(f.Ctx.BlockHeight() + 5)
	require.NoError(t, f.bump(0, waits))
	require.Equal(t, types.Offer{Fee: 50_000, Tip: 1000}, f.offer(waits), "what was included counts, in one step")
}

// What was included by a hash that is not known says nothing of what was paid: what was before does.
func TestOfferOfUnknownHash(t *testing.T) {
	f, secret := newSettling(t)
	f.setParams(func(p *types.Params) { p.StartFeePerGas, p.StartTipPerGas, p.MaxFeePerGas = 2000, 100, 1_000_000 })
	known := f.accept(block(1, 1, 1))
	f.include(known, receipt(f.sign(known, secret).Hash, true))
	f.setParams(func(p *types.Params) { p.MaxFeePerGas = 1_000_000 })
	unknown := f.accept(block(2, 2, 2))
	f.sign(unknown, secret)
	for range 8 {
		f.EndBlocks(f.Ctx.BlockHeight() + 5)
		require.NoError(t, f.bump(0, unknown))
		f.sign(unknown, secret)
	}
	f.include(unknown, receipt(fmt.Sprintf("0x%064d", 9), true))
	require.Equal(t, types.Offer{Fee: 1600, Tip: 80}, f.offer(f.accept(block(3, 3, 3))), "a step below the one before")
}

// An offer begins within the limit of today, whatever was paid before.
func TestFirstOfferIsCapped(t *testing.T) {
	f, secret := newSettling(t)
	f.setParams(func(p *types.Params) { p.StartFeePerGas, p.StartTipPerGas, p.MaxFeePerGas = 50_000, 40_000, 50_000 })
	first := f.accept(block(1, 1, 1))
	f.include(first, receipt(f.sign(first, secret).Hash, true))
	f.setParams(func(p *types.Params) { p.MaxFeePerGas = 2000 })
	id := f.accept(block(2, 2, 2))
	require.Equal(t, types.Offer{Fee: 2000, Tip: 2000}, f.offer(id))
	f.sign(id, secret)
}

// Another key's offers are not its own.
func TestOffersOfAnotherKey(t *testing.T) {
	f, secret := newSettling(t)
	f.setParams(func(p *types.Params) { p.StartFeePerGas, p.MaxFeePerGas = 50_000, 50_000 })
	first := f.accept(block(1, 1, 1))
	f.include(first, receipt(f.sign(first, secret).Hash, true))
	f.readyKey(types.IDPrefix+"state-2", types.PURPOSE_STATE)
	f.setParams(func(p *types.Params) { p.MaxFeePerGas = 50_000 })
	require.Equal(t, types.Offer{Fee: 1000, Tip: 10}, f.offer(f.accept(block(2, 2, 2))))
}
