package checkpoint

import (
	"context"
	"errors"
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
	// NewestKey has the newest Signed, as JSON.
	NewestKey = []byte("newest")
)

// asked is what is asked for: the module's part of x/mpc (keeper.ModuleAPI).
type asked interface {
	KeyGen(
		ctx context.Context, keyID string, algorithm mpctypes.Algorithm, threshold uint32, participants []string, options ...mpckeeper.KeyOption,
	) (mpctypes.Key, error)
	KeySign(ctx context.Context, signatureID, keyID string, payload mpctypes.SignPayload) (mpctypes.Signature, error)
}

// Keeper is the state of the module.
type Keeper struct {
	store corestore.KVStoreService
	mpc   asked
}

// NewKeeper makes the keeper. What it asks of x/mpc belongs to the module.
func NewKeeper(store corestore.KVStoreService, mpc asked) Keeper { return Keeper{store, mpc} }

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

// ask asks for the signature of a checkpoint, once there is a key. Asking for the key again
// is free, and the answer says what became of it. So nothing depends on a hook alone: one
// that fails is rolled back, and x/mpc does not call it again.
func (k Keeper) ask(ctx sdk.Context) error {
	id, err := k.keyID(ctx)
	if err != nil {
		return err
	}
	key, err := k.mpc.KeyGen(ctx, id, mpctypes.ALGORITHM_ECDSA_SECP256K1, threshold, nil)
	if errors.Is(err, mpctypes.ErrPruned) { // it failed, so long ago that no more is known
		return k.AfterKeyFailed(ctx, mpctypes.Key{Id: id})
	}
	if err != nil {
		return err
	}
	switch key.Status {
	case mpctypes.KEY_STATUS_READY:
		return k.sign(ctx, id)
	case mpctypes.KEY_STATUS_ERROR, mpctypes.KEY_STATUS_DELETED:
		return k.AfterKeyFailed(ctx, key)
	}
	return nil // it is made, or deleted unless somebody takes that back
}

// keyID names the key: an id that failed stays failed, so it counts on.
func (k Keeper) keyID(ctx context.Context) (string, error) {
	failed, err := k.store.OpenKVStore(ctx).Get(failedKey)
	return fmt.Sprintf("%s:key-%d", ModuleName, sdk.BigEndianToUint64(failed)+1), err
}

func (k Keeper) sign(ctx sdk.Context, keyID string) error {
	hash, err := k.store.OpenKVStore(ctx).Get(hashKey)
	if err != nil {
		return err
	}
	point := Point{Chain: ctx.ChainID(), Height: ctx.BlockHeight(), Hash: hash}
	_, err = k.mpc.KeySign(ctx, fmt.Sprintf("%s:%d", ModuleName, point.Height), keyID, mpctypes.KindPayload(KindName, point.Data()))
	return err
}
