package checkpoint

import (
	"context"
	"fmt"

	corestore "cosmossdk.io/core/store"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpckeeper "github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// ModuleName is the name of the module, and the owner of its keys.
	ModuleName = "checkpoint"
	// StoreKey is the name of its store.
	StoreKey = ModuleName
	// Interval is how many blocks lie between two checkpoints.
	Interval = 5
	// threshold of the key: any two participants sign, no one alone.
	threshold = 1
)

// Keys of the store.
var (
	hashKey   = []byte("hash")   // of the block that is executed
	failedKey = []byte("failed") // how many keys came to nothing
	readyKey  = []byte("ready")  // the id of the key that signs
	// NewestKey has the newest Signed, as JSON.
	NewestKey = []byte("newest")
)

// Keeper is the state of the module.
type Keeper struct {
	store corestore.KVStoreService
	mpc   mpckeeper.ModuleAPI
}

// NewKeeper makes the keeper. What it asks of x/mpc belongs to the module.
func NewKeeper(store corestore.KVStoreService, mpc mpckeeper.ModuleAPI) Keeper {
	return Keeper{store, mpc}
}

// SetHash notes the hash of the block that is executed; the chain's PreBlocker calls it.
func (k Keeper) SetHash(ctx context.Context, hash []byte) error {
	return k.store.OpenKVStore(ctx).Set(hashKey, hash)
}

// EndBlock asks for a checkpoint when it is time for one. What x/mpc refuses must not
// stop the chain, nor leave anything half done: the next checkpoint tries again.
func (k Keeper) EndBlock(ctx context.Context) error {
	block := sdk.UnwrapSDKContext(ctx)
	if block.BlockHeight()%Interval != 0 {
		return nil
	}
	cached, write := block.CacheContext()
	if err := k.ask(cached); err != nil {
		block.Logger().Info("no checkpoint", "height", block.BlockHeight(), "err", err)
		return nil
	}
	write()
	return nil
}

// ask asks for the signature of a checkpoint, or for the key if there is none. Asking
// for the key again while it is made is free.
func (k Keeper) ask(ctx sdk.Context) error {
	store := k.store.OpenKVStore(ctx)
	key, err := store.Get(readyKey)
	if err != nil {
		return err
	}
	if key == nil {
		failed, err := store.Get(failedKey)
		if err != nil {
			return err
		}
		id := fmt.Sprintf("%s:key-%d", ModuleName, sdk.BigEndianToUint64(failed)+1)
		_, err = k.mpc.KeyGen(ctx, id, mpctypes.ALGORITHM_ECDSA_SECP256K1, threshold, nil)
		return err
	}
	hash, err := store.Get(hashKey)
	if err != nil {
		return err
	}
	point := Point{Chain: ctx.ChainID(), Height: ctx.BlockHeight(), Hash: hash}
	_, err = k.mpc.KeySign(ctx, fmt.Sprintf("%s:%d", ModuleName, point.Height), string(key), mpctypes.KindPayload(KindName, point.Data()))
	return err
}
