package keeper_test

import (
	"context"
	"fmt"
	"math/big"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/testutil/fakekind"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// allowance is the policy of a module whose key may move so much in all, and never to
// anybody who is on its list.
type allowance struct {
	barred map[string]bool
	// left stands for the module's own store, which is rolled back with what asked for the
	// signature.
	left *big.Int
}

// CheckSign implements types.SignPolicy. It is asked twice: when the request is made, where
// it counts; and by each participant before it signs, on the state of a later block, where
// what was counted must not be counted again.
func (a *allowance) CheckSign(_ context.Context, c types.SignCheck) error {
	if c.Decoded == nil {
		return types.ErrPolicy.Wrap("the allowance is for payloads that say what they move")
	}
	claims := c.Decoded.Claims()
	switch {
	case a.barred[claims.To]:
		return fmt.Errorf("nothing goes to %s", claims.To) // seen as policy_refused
	case c.Again:
		return nil
	case claims.Value == nil || claims.Value.Cmp(a.left) > 0:
		return fmt.Errorf("%v is more than the %s that are left", claims.Value, a.left)
	}
	a.left.Sub(a.left, claims.Value)
	return nil
}

// A module says what its own keys may sign.
func ExampleKeeper_AddPolicy() {
	f := chain.New(chain.Example(), 4) // in an app: the keeper that app.go makes
	policy := &allowance{barred: map[string]bool{"mallory": true}, left: big.NewInt(100)}
	f.Keeper.SetPayloadKinds(fakekind.Kind{}).AddPolicy("till", policy)

	till := f.Keeper.ForModule("till")
	if _, err := till.KeyGen(f.Ctx, "till:key", types.ALGORITHM_ECDSA_SECP256K1, 2, nil); err != nil {
		fmt.Println(err)
		return
	}
	f.AttestAll("till:key", chain.NewSecret("till")) // participants make it

	pay := func(id string, nonce uint64, to string, value uint64) {
		note := fakekind.Note{Chain: "bank", Nonce: nonce, To: to, Value: value}
		s, err := till.KeySign(f.Ctx, id, "till:key", types.KindPayload(fakekind.Name, note.Data()))
		if err != nil {
			fmt.Println(id, types.ReasonOf(err))
			return
		}
		fmt.Println(s.Id, s.Status)
	}
	pay("till:1", 1, "baker", 60)
	pay("till:2", 2, "mallory", 1)
	pay("till:3", 3, "baker", 60)

	// What changes after the request is made still counts: no participant signs then.
	policy.barred["baker"] = true
	fmt.Println(types.ReasonOf(f.Keeper.EngineCheckSign(f.Ctx, "till:1")))
	// Output:
	// till:1 SIGNATURE_STATUS_PENDING
	// till:2 policy_refused
	// till:3 policy_refused
	// policy_refused
}
