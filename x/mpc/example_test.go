package mpc_test

import (
	"context"
	"fmt"

	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// vault is a module that keeps one key and lets it sign withdrawals.
type vault struct {
	mpc keeper.ModuleAPI
	// store stands for the module's own store, which is rolled back with the
	// transaction or the hook that wrote to it.
	store *vaultStore
	// signed is where signatures go.
	signed func(ctx context.Context, withdrawal string, signature types.Signature) error
}

// vaultStore is what the module keeps on chain.
type vaultStore struct {
	// failed counts the keys that were not made; the vault's key is the next one.
	failed int
}

// maxFailed: if so many keys in a row were not made, somebody must look why.
const maxFailed = 3

// keyID names the vault's key. An id that failed stays failed, so it changes until
// a key is made, and never after that.
func (s *vaultStore) keyID() string { return fmt.Sprintf("vault:key-%d", s.failed+1) }

// Open asks for the key, and for another one if that one failed. It may run at
// every upgrade: asking again is free. A key that was deleted comes back as such,
// and is not made again: somebody wanted it gone.
func (v vault) Open(ctx context.Context) error {
	key, err := v.askForKey(ctx)
	if err != nil || key.Status != types.KEY_STATUS_ERROR || key.Reason == string(mpctypes.ErrKeyDeleted) {
		return err
	}
	if v.store.failed+1 >= maxFailed {
		return types.ErrKeyFailed.Wrapf("%s, the last of %d", key.Id, maxFailed)
	}
	v.store.failed++
	_, err = v.askForKey(ctx)
	return err
}

func (v vault) askForKey(ctx context.Context) (types.Key, error) {
	return v.mpc.KeyGen(ctx, v.store.keyID(), types.ALGORITHM_ECDSA_SECP256K1, 2, nil)
}

// Withdraw asks for the signature of a withdrawal: of a message (EIP-191), which a
// contract on Ethereum reads as every validator here does. The id is the withdrawal's,
// so one withdrawal can never have two orders. An error has a typed reason and what
// to do, for the user. A withdrawal that was asked for before comes back as it is,
// whatever became of the key: asking CanSign first would spoil that.
func (v vault) Withdraw(ctx context.Context, withdrawal, order string) error {
	payload := types.KindPayload(ethereum.MessageKind, []byte(order))
	_, err := v.mpc.KeySign(ctx, "vault:"+withdrawal, v.store.keyID(), payload)
	return err
}

// The vault hears what became of it.
var _ types.Hooks = vault{}

// AfterSignatureReady implements types.Hooks.
func (v vault) AfterSignatureReady(ctx context.Context, s types.Signature) error {
	return v.signed(ctx, s.Id, s)
}

// AfterSignFailed implements types.Hooks. The signature may exist all the same, so
// the withdrawal stays reserved; it is not paid by another way.
func (v vault) AfterSignFailed(context.Context, types.Signature) error { return nil }

// AfterKeyReady implements types.Hooks.
func (v vault) AfterKeyReady(context.Context, types.Key) error { return nil }

// AfterKeyFailed implements types.Hooks. If nothing can be asked for just now, the
// error is in an event, and the next Open goes on.
func (v vault) AfterKeyFailed(ctx context.Context, _ types.Key) error { return v.Open(ctx) }

// AfterKeyDeleted implements types.Hooks.
func (v vault) AfterKeyDeleted(context.Context, types.Key) error { return nil }

// How a module asks for a key and for signatures by it.
func Example() {
	wire := func(k *keeper.Keeper, signed func(context.Context, string, types.Signature) error) vault {
		v := vault{mpc: k.ForModule("vault"), store: &vaultStore{}, signed: signed}
		k.AddHooks("vault", v) // before the modules register their services
		return v
	}
	runExample(wire)
	// Output:
	// key_not_ready
	// vault:withdrawal-1 is signed, v = true
}

func show(err error) { fmt.Println(types.ReasonOf(err)) }
