package checkpoint

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"

	mpckeeper "github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

func newKeeper() (Keeper, sdk.Context) {
	key := storetypes.NewKVStoreKey(StoreKey)
	ctx := testutil.DefaultContext(key, storetypes.NewTransientStoreKey("transient"))
	return NewKeeper(runtime.NewKVStoreService(key), mpckeeper.ModuleAPI{}), ctx
}

// An id is never asked for again after its key failed or was deleted, and is counted once.
func TestKeysAreCounted(t *testing.T) {
	k, ctx := newKeeper()
	next := func() string {
		id, err := k.keyID(ctx)
		require.NoError(t, err)
		return id
	}
	for range 2 {
		require.NoError(t, k.AfterKeyFailed(ctx, mpctypes.Key{Id: "checkpoint:key-1"}))
		require.Equal(t, "checkpoint:key-2", next())
	}
	require.NoError(t, k.AfterKeyReady(ctx, mpctypes.Key{Id: "checkpoint:key-2"}))
	require.Equal(t, "checkpoint:key-2", next())
	require.NoError(t, k.AfterKeyDeleted(ctx, mpctypes.Key{Id: "checkpoint:key-2"}))
	require.Equal(t, "checkpoint:key-3", next())
}

// A signature that comes late does not replace that of a newer block.
func TestTheNewestBlockCounts(t *testing.T) {
	k, ctx := newKeeper()
	for _, height := range []int64{5, 15, 10} {
		require.NoError(t, k.AfterSignatureReady(ctx, mpctypes.Signature{
			Payload: mpctypes.KindPayload(KindName, point(height).Data()), KeyId: "key",
		}))
	}
	text, err := k.store.OpenKVStore(ctx).Get(NewestKey)
	require.NoError(t, err)
	var newest Signed
	require.NoError(t, json.Unmarshal(text, &newest))
	require.Equal(t, Signed{Height: 15, Hash: point(15).Hash, Key: "key"}, newest)
}
