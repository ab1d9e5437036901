package keeper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// unlimited takes the limits of open requests away.
func unlimited(p *types.Params) {
	p.MaxPending, p.MaxPendingPerRequester = types.MaxPendingLimit, types.MaxPendingLimit
}

// More than a block's worth of requests expire at the same height: the rest
// follows in the next block, in the order of the index.
func TestExpiriesOfABlockAreBounded(t *testing.T) {
	const rest = 3
	f := chain.New(t, 3)
	setParams(t, f, unlimited)
	f.ReadyKey("k", 1)
	for i := range keeper.MaxExpiriesPerBlock + rest {
		f.KeySign(fmt.Sprintf("s-%03d", i), "k", "text")
	}
	f.EndBlocks(301)
	f.Events(&types.EventSignFailed{})

	f.EndBlocks(302)
	require.Equal(t, keeper.MaxExpiriesPerBlock, f.Events(&types.EventSignFailed{}))
	for i := range rest {
		requireSignature(t, f, fmt.Sprintf("s-%03d", i), types.SIGNATURE_STATUS_ERROR, "expired")
		requireSignature(t, f, fmt.Sprintf("s-%03d", keeper.MaxExpiriesPerBlock+i), types.SIGNATURE_STATUS_PENDING, "")
	}
	f.EndBlocks(303)
	require.Equal(t, rest, f.Events(&types.EventSignFailed{}))
	f.EndBlocks(304)
	require.Zero(t, f.Events(&types.EventSignFailed{}))
}

func TestBurialsOfABlockAreBounded(t *testing.T) {
	const rest = 2
	f := chain.New(t, 3)
	setParams(t, f, unlimited)
	for i := range keeper.MaxBurialsPerBlock + rest {
		id := fmt.Sprintf("k-%03d", i)
		f.KeyGen(id, 1)
		deleteKey(t, f, id)
	}
	f.EndBlocks(101)
	f.Events(&types.EventKeyDeleted{})

	f.EndBlocks(102)
	require.Equal(t, keeper.MaxBurialsPerBlock, f.Events(&types.EventKeyDeleted{}))
	f.EndBlocks(103)
	require.Equal(t, rest, f.Events(&types.EventKeyDeleted{}))
}

// Hooks count for the work of a block's end: what goes beyond its gas follows in
// the next blocks, and one entry is always settled.
func TestWorkOfABlockEndIsBounded(t *testing.T) {
	const (
		requests = 150
		costly   = keeper.HookGasLimit - 100_000
		most     = int(keeper.EndBlockGas/costly) + 1
	)
	f, r, api := withModule(t)
	moduleKey(t, f, api, "k")
	for i := range requests {
		_, err := api.KeySign(f.Ctx, fmt.Sprintf("s-%03d", i), "k", chain.Payload("text"))
		require.NoError(t, err)
	}
	r.do = func(ctx context.Context, _, _ string) error {
		sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(costly, "burning")
		return nil
	}
	f.EndBlocks(301)
	total := 0
	for height := int64(302); total < requests; height++ {
		f.Events(&types.EventSignFailed{})
		f.EndBlocks(height)
		settled := f.Events(&types.EventSignFailed{})
		total += settled
		require.LessOrEqual(t, settled, most)
		if total < requests {
			require.Greater(t, settled, most/2)
		}
	}
	require.Greater(t, requests, most)
	require.Equal(t, requests, total)
	require.Len(t, r.heard, requests+1, "each once")
}

// spoil makes the store fail, in one way or another, at all values whose names
// begin so.
func spoil(f *chain.Fixture, prefix collections.Prefix, name string, fail func() error) {
	f.Spoiled = func(key []byte) error {
		if bytes.HasPrefix(key, append(prefix.Bytes(), name...)) {
			return fail()
		}
		return nil
	}
}

var failures = map[string]func() error{
	"error": func() error { return errors.New("spoiled") },
	"panic": func() error { panic("spoiled") },
}

// A block's worth of requests that cannot be failed, the oldest of all, hold
// nobody up: they step aside, without an effect, and have their turn again.
func TestSpoiledRequestsStepAside(t *testing.T) {
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 3)
			setParams(t, f, unlimited)
			f.ReadyKey("k", 1)
			for i := range keeper.MaxExpiriesPerBlock {
				f.KeySign(fmt.Sprintf("bad-%03d", i), "k", "text")
			}
			f.EndBlocks(2)
			f.KeySign("good", "k", "text")
			f.EndBlocks(301)
			f.Events(&types.EventSignFailed{})
			spoil(f, types.SignaturesPrefix, "bad", fail)

			f.EndBlocks(302)
			require.Zero(t, f.Events(&types.EventSignFailed{}))
			require.Equal(t, keeper.MaxExpiriesPerBlock+1, f.Entries(types.RequestExpiryPrefix))
			require.Equal(t, keeper.MaxExpiriesPerBlock+1, f.Entries(types.RequestsPrefix), "nothing half done")
			f.EndBlocks(303)
			requireSignature(t, f, "good", types.SIGNATURE_STATUS_ERROR, "expired")
			require.Equal(t, keeper.MaxExpiriesPerBlock, f.Entries(types.RequestsPrefix))
			f.EndBlocks(301 + keeper.RetryBlocks)
			f.Events(&types.EventSignFailed{})
			f.EndBlocks(302 + keeper.RetryBlocks)
			require.Zero(t, f.Events(&types.EventSignFailed{}), "still spoiled, and no more than that")

			f.Spoiled = nil
			f.EndBlocks(302 + 2*keeper.RetryBlocks)
			require.Equal(t, keeper.MaxExpiriesPerBlock, f.Events(&types.EventSignFailed{}))
			require.Zero(t, f.Entries(types.RequestExpiryPrefix))
			require.Zero(t, f.Entries(types.RequestsPrefix))
		})
	}
}

// At the end of a block, too, a disk that fails stops this node.
func TestBrokenDiskStopsTheBlock(t *testing.T) {
	f := chain.New(t, 3)
	f.ReadyKey("k", 1)
	deleteKey(t, f, "k")
	spoil(f, types.KeysPrefix, "k", func() error { panic(fmt.Errorf("get: %w", syscall.EIO)) })
	require.PanicsWithError(t, "get: "+syscall.EIO.Error(), func() { f.EndBlocks(102) })
}

func TestSpoiledKeysStepAside(t *testing.T) {
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 3)
			for _, id := range []string{"bad", "good"} {
				f.ReadyKey(id, 1)
				deleteKey(t, f, id)
			}
			spoil(f, types.KeysPrefix, "bad", fail)
			f.EndBlocks(102)
			requireKey(t, f, "good", types.KEY_STATUS_DELETED, "")
			require.Equal(t, 1, f.Entries(types.KeyRetirementsPrefix))

			f.Spoiled = nil
			f.EndBlocks(101 + keeper.RetryBlocks)
			requireKey(t, f, "bad", types.KEY_STATUS_DELETING, "")
			f.EndBlocks(102 + keeper.RetryBlocks)
			requireKey(t, f, "bad", types.KEY_STATUS_DELETED, "")
			require.Zero(t, f.Entries(types.KeyRetirementsPrefix))
		})
	}
}

// A queue that cannot be written, or whose entries mean nothing, does not halt the
// chain either.
func TestSpoiledQueues(t *testing.T) {
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			f := chain.New(t, 3)
			f.KeyGen("k", 1)
			f.EndBlocks(601)
			spoil(f, types.RequestExpiryPrefix, "", fail)
			f.EndBlocks(602)
			requireKey(t, f, "k", types.KEY_STATUS_PENDING, "")
			f.Spoiled = nil
			f.EndBlocks(603)
			requireKey(t, f, "k", types.KEY_STATUS_ERROR, "expired")
		})
	}
	t.Run("entry of nothing", func(t *testing.T) {
		f := chain.New(t, 3)
		f.KeyGen("k", 1)
		store := f.Ctx.KVStore(f.StoreKey)
		require.Equal(t, 1, f.Entries(types.RequestExpiryPrefix))
		entries := store.Iterator(types.RequestExpiryPrefix.Bytes(), nil)
		of := bytes.Clone(entries.Key())
		require.NoError(t, entries.Close())
		store.Set(append(of[:len(of)-1], "gone"...), []byte{})
		f.EndBlocks(602)
		requireKey(t, f, "k", types.KEY_STATUS_ERROR, "expired")
		require.Zero(t, f.Entries(types.RequestExpiryPrefix))
	})
	t.Run("entry that is none", func(t *testing.T) {
		f := chain.New(t, 3)
		f.KeyGen("k", 1)
		f.Ctx.KVStore(f.StoreKey).Set(append(types.RequestExpiryPrefix.Bytes(), strings.Repeat("\x01", 9)...), []byte{})
		f.EndBlocks(602)
		requireKey(t, f, "k", types.KEY_STATUS_PENDING, "")
	})
}
