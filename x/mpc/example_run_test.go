package mpc_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

type wiring func(*keeper.Keeper, func(context.Context, string, types.Signature) error) vault

// exampleTB lets an example use the fixture; it ends the example on failure.
type exampleTB struct{ testing.TB }

func (exampleTB) Helper()                   {}
func (exampleTB) Errorf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (exampleTB) FailNow()                  { panic("failed") }

// runExample plays the participants' part for the example.
func runExample(wire wiring) {
	t := exampleTB{}
	f := chain.New(t, 4)
	v := wire(f.Keeper, func(_ context.Context, id string, s types.Signature) error {
		fmt.Printf("%s is signed, v = %v\n", id, s.V < 2)
		return nil
	})
	require.NoError(t, v.Open(f.Ctx))
	show(v.Withdraw(f.Ctx, "withdrawal-1", chain.Digest("pay")))
	secret := chain.NewSecret("vault")
	f.AttestAll(vaultKey, secret)
	require.NoError(t, v.Withdraw(f.Ctx, "withdrawal-1", chain.Digest("pay")))
	result := secret.Sign("vault:withdrawal-1", chain.Digest("pay"))
	require.NoError(t, f.Keeper.ApplySignature(f.Ctx, &result))
}
