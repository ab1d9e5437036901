package keeper_test

import (
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
// is new begins high. When that is included, the next ones go down again.
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
	require.Equal(t, types.Offer{Fee: 1563, Tip: 17}, f.offer(third), "a step below")
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
	include(third, 0)

	// Nothing is open. It goes down by a step each time.
	for i, want := range []types.Offer{{Fee: 1250, Tip: 13}, {Fee: 1000, Tip: 10}, {Fee: 1000, Tip: 10}} {
		n := uint64(4 + i)
		id := f.accept(block(n, n, byte(n)))
		require.Equal(t, want, f.offer(id))
		f.sign(id, secret)
		include(id, 0)
	}
}

// An offer begins within the limit of today, whatever was offered before.
func TestFirstOfferIsCapped(t *testing.T) {
	f, secret := newSettling(t)
	f.setParams(func(p *types.Params) { p.StartFeePerGas, p.StartTipPerGas, p.MaxFeePerGas = 50_000, 40_000, 50_000 })
	f.sign(f.accept(block(1, 1, 1)), secret)
	f.setParams(func(p *types.Params) { p.MaxFeePerGas = 2000 })
	id := f.accept(block(2, 2, 2))
	require.Equal(t, types.Offer{Fee: 2000, Tip: 2000}, f.offer(id))
	f.sign(id, secret)
}

// Another key's offers are not its own.
func TestOffersOfAnotherKey(t *testing.T) {
	f, secret := newSettling(t)
	f.setParams(func(p *types.Params) { p.StartFeePerGas, p.MaxFeePerGas = 50_000, 50_000 })
	f.sign(f.accept(block(1, 1, 1)), secret)
	f.readyKey(types.IDPrefix+"state-2", types.PURPOSE_STATE)
	f.setParams(func(p *types.Params) { p.MaxFeePerGas = 50_000 })
	require.Equal(t, types.Offer{Fee: 1000, Tip: 10}, f.offer(f.accept(block(2, 2, 2))))
}
