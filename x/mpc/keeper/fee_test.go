package keeper_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/testutil/chain"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const collector = "collector"

func stake(amount int64) sdk.Coins { return sdk.NewCoins(sdk.NewInt64Coin("stake", amount)) }

// charging is a chain on which a key costs 100, a signature 10, a reshare 30, and the
// requester has so much. It has a READY key k.
func charging(t *testing.T, has int64) (*chain.Fixture, *chain.Bank, chain.Secret) {
	t.Helper()
	f := chain.New(t, 3)
	secret := f.ReadyKey("k", 1)
	bank := &chain.Bank{Balances: map[string]sdk.Coins{f.Requester: stake(has)}}
	f.Keeper.SetBank(bank, collector)
	setParams(t, f, func(p *types.Params) { p.KeygenFee, p.SignFee, p.ReshareFee = stake(100), stake(10), stake(30) })
	return f, bank, secret
}

// asks are the three kinds of requests by message, with what each costs.
var asks = map[string]struct {
	costs int64
	ask   func(f *chain.Fixture, requester, id string) error
}{
	"keygen": {100, func(f *chain.Fixture, requester, id string) error {
		_, err := f.Msg.KeyGen(f.Ctx, &types.MsgKeyGen{Requester: requester, KeyId: id, Algorithm: types.ALGORITHM_ECDSA_SECP256K1, Threshold: 1})
		return err
	}},
	"sign": {10, func(f *chain.Fixture, requester, id string) error {
		_, err := f.Msg.KeySign(f.Ctx, &types.MsgKeySign{Requester: requester, SignatureId: id, KeyId: "k", Payload: chain.Payload("a")})
		return err
	}},
	"reshare": {30, func(f *chain.Fixture, requester, id string) error {
		_, err := f.Msg.KeyReshare(f.Ctx, &types.MsgKeyReshare{Requester: requester, ReshareId: id, KeyId: "k", Threshold: 1})
		return err
	}},
}

// The fee is taken once: asking again is free, also with nothing left.
func TestFees(t *testing.T) {
	for name, c := range asks {
		t.Run(name, func(t *testing.T) {
			f, bank, _ := charging(t, c.costs)
			for range 3 {
				require.NoError(t, c.ask(f, f.Requester, "id"))
				require.Empty(t, bank.Balances[f.Requester])
				require.Equal(t, stake(c.costs), bank.Balances[collector])
			}
			require.Equal(t, 1, f.Entries(types.RequestsPrefix))
		})
	}
}

// Who cannot pay stores nothing, and is told so before.
func TestFeeNotPaid(t *testing.T) {
	for name, c := range asks {
		t.Run(name, func(t *testing.T) {
			f, bank, _ := charging(t, c.costs-1)
			keys := f.Entries(types.KeysPrefix)
			f.Events(&types.EventKeyReady{})
			err := c.ask(f, f.Requester, "id")
			require.ErrorIs(t, err, types.ErrFeeNotPaid)
			require.Equal(t, stake(c.costs-1), bank.Balances[f.Requester])
			require.Zero(t, f.Entries(types.RequestsPrefix))
			require.Zero(t, f.Entries(types.SignaturesPrefix)+f.Entries(types.ResharesPrefix))
			require.Equal(t, keys, f.Entries(types.KeysPrefix))
			require.Empty(t, f.Ctx.EventManager().Events())
			bank.Balances[f.Requester] = stake(c.costs)
			require.NoError(t, c.ask(f, f.Requester, "id"), "the id is not spent")
		})
	}
}

// What is refused for another reason costs nothing.
func TestRefusedRequestsAreFree(t *testing.T) {
	f, bank, _ := charging(t, 1000)
	f.KeySign("taken", "k", "text")
	bank.Balances[f.Requester] = stake(1000)
	stranger := chain.Account("stranger")
	bank.Balances[stranger] = stake(1000)
	for name, c := range asks {
		require.Error(t, c.ask(f, stranger, "id"), name)
	}
	require.ErrorIs(t, asks["sign"].ask(f, f.Requester, "taken"), types.ErrRequestPending)
	_, err := f.Msg.KeyGen(f.Ctx, &types.MsgKeyGen{Requester: f.Requester, KeyId: "x", Algorithm: types.ALGORITHM_ECDSA_SECP256K1, Threshold: 3})
	require.ErrorIs(t, err, types.ErrTooFewParticipants)
	require.Equal(t, stake(1000), bank.Balances[f.Requester])
	require.Equal(t, stake(1000), bank.Balances[stranger])
}

// The authority and modules pay nothing.
func TestWhoPaysNoFees(t *testing.T) {
	f, bank, _ := charging(t, 0)
	api := f.Keeper.ForModule("vault")
	require.NoError(t, asks["keygen"].ask(f, f.Authority, "g"))
	require.NoError(t, asks["reshare"].ask(f, f.Authority, "r"))
	require.NoError(t, api.CanKeyGen(f.Ctx, 1, nil))
	moduleKey(t, f, api, "vault:k")
	require.NoError(t, api.CanSign(f.Ctx, "vault:k"))
	_, err := api.KeySign(f.Ctx, "vault:s", "vault:k", chain.Payload("a"))
	require.NoError(t, err)
	_, err = api.KeyReshare(f.Ctx, "vault:r", "vault:k", 1, nil)
	require.NoError(t, err)
	require.Empty(t, bank.Balances[collector])
}

func TestReadinessKnowsFees(t *testing.T) {
	f, bank, _ := charging(t, 99)
	answers := func() map[string]bool {
		keygen, err := f.Query.CanKeyGen(f.Ctx, &types.QueryCanKeyGenRequest{Requester: f.Requester, Threshold: 1})
		require.NoError(t, err)
		sign, err := f.Query.CanSign(f.Ctx, &types.QueryCanSignRequest{KeyId: "k"})
		require.NoError(t, err)
		reshare, err := f.Query.CanReshare(f.Ctx, &types.QueryCanReshareRequest{KeyId: "k", Threshold: 1})
		require.NoError(t, err)
		for _, reason := range []string{keygen.Reason, sign.Reason, reshare.Reason} {
			if reason != "" {
				require.Contains(t, reason, "fee_not_paid")
			}
		}
		return map[string]bool{"keygen": keygen.Ok, "sign": sign.Ok, "reshare": reshare.Ok}
	}
	require.Equal(t, map[string]bool{"keygen": false, "sign": true, "reshare": true}, answers())
	bank.Balances[f.Requester] = stake(29)
	require.Equal(t, map[string]bool{"keygen": false, "sign": true, "reshare": false}, answers())
	bank.Balances[f.Requester] = stake(9)
	require.Equal(t, map[string]bool{"keygen": false, "sign": false, "reshare": false}, answers())
	bank.Balances[f.Requester] = stake(100)
	require.Equal(t, map[string]bool{"keygen": true, "sign": true, "reshare": true}, answers())
	nobody, err := f.Query.CanKeyGen(f.Ctx, &types.QueryCanKeyGenRequest{Threshold: 1})
	require.NoError(t, err)
	require.True(t, nobody.Ok, "nobody in particular asks")
}

// Fees need what moves coins; a chain that starts anew keeps them.
func TestFeesNeedABank(t *testing.T) {
	f, _, _ := charging(t, 0)
	f.EndBlocks(5)
	gs, err := f.Keeper.ExportGenesis(f.Ctx)
	require.NoError(t, err)
	bz, err := f.Cdc.MarshalJSON(gs)
	require.NoError(t, err)
	var read types.GenesisState
	require.NoError(t, f.Cdc.UnmarshalJSON(bz, &read))
	require.True(t, gs.Params.Equal(read.Params)) // an empty list is read as one, not as none
	without := chain.NewEmpty(t)
	require.ErrorIs(t, without.Keeper.InitGenesis(without.Ctx, read), types.ErrBadParams)
	with := chain.NewEmpty(t)
	with.Keeper.SetBank(&chain.Bank{}, collector)
	require.NoError(t, with.Keeper.InitGenesis(with.Ctx, read))
}

// brokenBank fails for a reason of its own.
type brokenBank struct{ chain.Bank }

func (*brokenBank) SendCoinsFromAccountToModule(context.Context, sdk.AccAddress, string, sdk.Coins) error {
	return errors.New("send is restricted")
}

// Trouble that is not want of coins is not called so.
func TestFeeTrouble(t *testing.T) {
	f, _, _ := charging(t, 1000)
	f.Keeper.SetBank(&brokenBank{}, collector)
	err := asks["sign"].ask(f, f.Requester, "id")
	require.ErrorContains(t, err, "send is restricted")
	require.NotErrorIs(t, err, types.ErrFeeNotPaid)
	require.Zero(t, f.Entries(types.RequestsPrefix))
}
