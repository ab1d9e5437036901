package mpc_test

import (
	"context"
	"fmt"

	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// vault is a module that keeps one key and lets it sign withdrawals.
type vault struct {
	mpc keeper.ModuleAPI
	// signed stands for the module's own store.
	signed func(ctx context.Context, withdrawal string, signature types.Signature) error
}

const vaultKey = "vault:key-1"

// Open asks for the key. It may run at every upgrade: asking again is free.
func (v vault) Open(ctx context.Context) error {
	_, err := v.mpc.KeyGen(ctx, vaultKey, types.ALGORITHM_ECDSA_SECP256K1, 2, nil)
	return err
}

// Withdraw asks for the signature of a withdrawal. The id is the withdrawal's, so
// one withdrawal can never have two digests.
func (v vault) Withdraw(ctx context.Context, withdrawal string, digest []byte) error {
	if err := v.mpc.CanSign(ctx, vaultKey); err != nil {
		return err // a typed reason and what to do, for the user
	}
	_, err := v.mpc.KeySign(ctx, "vault:"+withdrawal, vaultKey, types.DigestPayload(digest))
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

// AfterKeyFailed implements types.Hooks. A failed id stays failed: the next try
// needs another one.
func (v vault) AfterKeyFailed(ctx context.Context, key types.Key) error {
	_, err := v.mpc.KeyGen(ctx, key.Id+"-again", key.Algorithm, key.Threshold, nil)
	return err
}

// AfterKeyDeleted implements types.Hooks.
func (v vault) AfterKeyDeleted(context.Context, types.Key) error { return nil }

// How a module asks for a key and for signatures by it.
func Example() {
	wire := func(k *keeper.Keeper, store func(context.Context, string, types.Signature) error) vault {
		v := vault{mpc: k.ForModule("vault"), signed: store}
		k.AddHooks("vault", v) // before the modules register their services
		return v
	}
	runExample(wire)
	// Output:
	// key_not_ready
	// vault:withdrawal-1 is signed, v = true
}

func show(err error) { fmt.Println(types.ReasonOf(err)) }
