package mpc_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

type wiring func(*keeper.Keeper, func(context.Context, string, types.Signature) error) vault

// runExample plays the participants' part for the example.
func runExample(wire wiring) {
	t := chain.Example()
	f := chain.New(t, 4)
	f.Keeper.SetPayloadKinds(ethereum.Kinds()...)
	v := wire(f.Keeper, func(_ context.Context, id string, s types.Signature) error {
		fmt.Printf("%s is signed, v = %v\n", id, s.V < 2)
		return nil
	})
	require.NoError(t, v.Open(f.Ctx))
	show(v.Withdraw(f.Ctx, "withdrawal-1", pay))
	secret := chain.NewSecret("vault")
	f.AttestAll(v.store.keyID(), secret)
	require.NoError(t, v.Withdraw(f.Ctx, "withdrawal-1", pay))
	signOpen(t, f, secret, "vault:withdrawal-1")
}

// pay is an order of the vault.
const pay = "withdrawal-1 of vault: 7 to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8"

// signOpen brings the signature that was asked for.
func signOpen(t testing.TB, f *chain.Fixture, secret chain.Secret, id string) {
	t.Helper()
	s, err := f.Keeper.Signature(f.Ctx, id)
	require.NoError(t, err)
	result := secret.Sign(id, s.Digest)
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
}

// newVault is the example's module on a chain of its own; what was signed is in the
// list.
func newVault(t *testing.T) (f *chain.Fixture, v vault, signed *[]string) {
	f, signed = chain.New(t, 4), new([]string)
	f.Keeper.SetPayloadKinds(ethereum.Kinds()...)
	v = vault{mpc: f.Keeper.ForModule("vault"), store: &vaultStore{}, signed: func(_ context.Context, id string, _ types.Signature) error {
		*signed = append(*signed, id)
		return nil
	}}
	f.Keeper.AddHooks("vault", v)
	return f, v, signed
}

// expire lets the vault's open keygen fail.
func expire(t *testing.T, f *chain.Fixture) {
	t.Helper()
	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	f.EndBlocks(f.Ctx.BlockHeight() + int64(params.KeygenLifetimeBlocks) + 1)
}

// The vault works with the key that was made in place of one that failed.
func TestVaultGoesOnWithAnotherKey(t *testing.T) {
	f, v, signed := newVault(t)
	require.NoError(t, v.Open(f.Ctx))
	expire(t, f)
	secret := chain.NewSecret("vault")
	f.AttestAll("vault:key-2", secret)
	require.NoError(t, v.Open(f.Ctx), "again is free")
	require.NoError(t, v.Withdraw(f.Ctx, "withdrawal-1", pay))
	signOpen(t, f, secret, "vault:withdrawal-1")
	require.Equal(t, []string{"vault:withdrawal-1"}, *signed)
	require.Equal(t, 2, f.Entries(types.KeysPrefix), "the one that failed, and the vault's")
}

// It asks for some keys in a row and no more, whoever calls.
func TestVaultGivesUp(t *testing.T) {
	f, v, _ := newVault(t)
	require.NoError(t, v.Open(f.Ctx))
	for range maxFailed + 2 {
		expire(t, f)
	}
	require.ErrorIs(t, v.Open(f.Ctx), types.ErrKeyFailed)
	require.Equal(t, maxFailed, f.Entries(types.KeysPrefix))
}

// A key that was deleted before it was made is not made again.
func TestVaultLeavesADeletedKeyAlone(t *testing.T) {
	f, v, _ := newVault(t)
	require.NoError(t, v.Open(f.Ctx))
	_, err := v.mpc.KeyDelete(f.Ctx, v.store.keyID())
	require.NoError(t, err)
	expire(t, f)
	require.NoError(t, v.Open(f.Ctx))
	require.Equal(t, 1, f.Entries(types.KeysPrefix))
}

// Asking again for a known withdrawal is free: neither a full list of requests nor
// the end of the key stands in its way.
func TestVaultRepeatsAWithdrawal(t *testing.T) {
	f, v, _ := newVault(t)
	require.NoError(t, v.Open(f.Ctx))
	f.AttestAll(v.store.keyID(), chain.NewSecret("vault"))
	again := func() error { return v.Withdraw(f.Ctx, "withdrawal-1", pay) }
	require.NoError(t, again())

	params, err := f.Keeper.Params(f.Ctx)
	require.NoError(t, err)
	params.MaxPending, params.MaxPendingPerRequester = 1, 1
	_, err = f.Msg.UpdateParams(f.Ctx, &types.MsgUpdateParams{Authority: f.Authority, Params: params})
	require.NoError(t, err)
	require.ErrorIs(t, v.Withdraw(f.Ctx, "withdrawal-2", pay), types.ErrTooManyPending)
	require.NoError(t, again())

	_, err = v.mpc.KeyDelete(f.Ctx, v.store.keyID())
	require.NoError(t, err)
	require.ErrorIs(t, v.Withdraw(f.Ctx, "withdrawal-3", pay), types.ErrKeyDeleted)
	require.NoError(t, again())
}

// What the vault has signed says what it is: its key signs no bare digest, and who reads the
// message checks the signature as that of a wallet.
func TestVaultSignsWhatCanBeRead(t *testing.T) {
	f, v, _ := newVault(t)
	require.NoError(t, v.Open(f.Ctx))
	secret := chain.NewSecret("vault")
	f.AttestAll(v.store.keyID(), secret)
	_, err := v.mpc.KeySign(f.Ctx, "vault:blind", v.store.keyID(), chain.Payload("pay"))
	require.ErrorIs(t, err, types.ErrRawNotAllowed)
	require.NoError(t, v.Withdraw(f.Ctx, "withdrawal-1", pay))
	signOpen(t, f, secret, "vault:withdrawal-1")
	s, err := f.Keeper.Signature(f.Ctx, "vault:withdrawal-1")
	require.NoError(t, err)
	require.Equal(t, accounts.TextHash([]byte(pay)), s.Digest)
}

// The README shows the example as it is: each paragraph of its Go code stands in it.
func TestReadmeShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	example, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	shown := regexp.MustCompile("(?ms)^```go\n(.*?)\n^```$").FindAllStringSubmatch(string(readme), -1)
	require.Len(t, shown, 1)
	flat := func(text string) string { return regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(text, "") }
	for _, paragraph := range strings.Split(shown[0][1], "\n\n") {
		require.Contains(t, flat(string(example)), "\n"+flat(paragraph)+"\n")
	}
}
