package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	coretypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

func chainSecret(id string) chain.Secret { return chain.NewSecret(id) }

// The module's keys sign its newest attempts, to the byte, and nothing else: not even the
// module itself can ask for more.
func TestPolicy(t *testing.T) {
	f, _ := newSettling(t)
	id := f.accept(block(1, 1, 1))
	t1 := f.tx(id)
	good, err := t1.Payload(*t1.Current())
	require.NoError(t, err)
	changed := func(change func(*types.Transaction, *types.Attempt)) mpctypes.SignPayload {
		other, attempt := t1, *t1.Current()
		change(&other, &attempt)
		p, err := other.Payload(attempt)
		require.NoError(t, err)
		return p
	}
	signature := t1.Current().SignatureId
	for name, c := range map[string]struct {
		signature string
		payload   mpctypes.SignPayload
		ok        bool
	}{
		"as it is":           {signature, good, true},
		"another id":         {types.IDPrefix + "x", good, false},
		"another attempt":    {types.SignatureID(id, 2), good, false},
		"unknown":            {types.SignatureID(9, 1), good, false},
		"written otherwise":  {types.IDPrefix + "tx-01-1", good, false},
		"a digest":           {signature, chain.Payload("text"), false},
		"another kind":       {signature, mpctypes.KindPayload("ethereum-message", []byte("hello")), false},
		"another nonce":      {signature, changed(func(t *types.Transaction, _ *types.Attempt) { t.Nonce++ }), false},
		"another chain":      {signature, changed(func(t *types.Transaction, _ *types.Attempt) { t.ChainId++ }), false},
		"another contract":   {signature, changed(func(t *types.Transaction, _ *types.Attempt) { t.Contract = "0x" + contract[3:] + "b" }), false},
		"another call":       {signature, changed(func(t *types.Transaction, _ *types.Attempt) { t.Data = []byte{1} }), false},
		"more gas":           {signature, changed(func(_ *types.Transaction, a *types.Attempt) { a.GasLimit++ }), false},
		"another fee":        {signature, changed(func(_ *types.Transaction, a *types.Attempt) { a.FeePerGas++ }), false},
		"another tip, lower": {signature, changed(func(_ *types.Transaction, a *types.Attempt) { a.TipPerGas-- }), false},
	} {
		t.Run(name, func(t *testing.T) {
			_, decoded, err := c.payload.Signed(f.Keeper.PayloadKinds())
			require.NoError(t, err)
			check := mpctypes.SignCheck{Key: mpctypes.Key{Id: stateKey}, SignatureID: c.signature, Payload: c.payload, Decoded: decoded}
			if err := f.k.CheckSign(f.Ctx, check); c.ok {
				require.NoError(t, err)
			} else {
				require.Error(t, err)
			}
			check.Again = true
			require.Equal(t, c.ok, f.k.CheckSign(f.Ctx, check) == nil)
			check.Key.Id = "other"
			require.Error(t, f.k.CheckSign(f.Ctx, check), "another key")
		})
	}
	// Through x/mpc, as a mistake of the module would come.
	_, err = f.Keeper.ForModule(types.ModuleName).KeySign(f.Ctx, types.IDPrefix+"x", stateKey, good)
	require.ErrorIs(t, err, mpctypes.ErrPolicy)
}

// A transaction of today is within the parameters of today.
func TestPolicyKeepsToParameters(t *testing.T) {
	f, _ := newSettling(t)
	id := f.accept(block(1, 1, 1))
	t1 := f.tx(id)
	payload, err := t1.Payload(*t1.Current())
	require.NoError(t, err)
	_, decoded, err := payload.Signed(f.Keeper.PayloadKinds())
	require.NoError(t, err)
	check := mpctypes.SignCheck{Key: mpctypes.Key{Id: stateKey}, SignatureID: t1.Current().SignatureId, Payload: payload, Decoded: decoded}
	for name, c := range map[string]struct {
		change func(*types.Params)
		want   error
	}{
		"chain":    {func(p *types.Params) { p.ChainId++ }, coretypes.ErrWrongChain},
		"contract": {func(p *types.Params) { p.Destinations[0].Contract = "0x" + contract[3:] + "b" }, coretypes.ErrPolicy},
		"function": {func(p *types.Params) { p.Destinations[0].Function = "other(bytes32,uint256,uint256)" }, coretypes.ErrPolicy},
		"fee":      {func(p *types.Params) { p.StartFeePerGas, p.MaxFeePerGas = 999, 999 }, coretypes.ErrPolicy},
		"gas":      {func(p *types.Params) { p.GasLimit = 100_000 }, coretypes.ErrPolicy},
		"nothing":  {func(p *types.Params) { p.Destinations = nil }, types.ErrNotConfigured},
	} {
		f.setParams(c.change)
		require.ErrorIs(t, f.k.CheckSign(f.Ctx, check), c.want, name)
		check.Again = true
		require.NoError(t, f.k.CheckSign(f.Ctx, check), "%s: members go on with what was accepted", name)
		check.Again = false
	}
}
