package app

import (
	"context"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/cosmos/gogoproto/proto"
	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/payload"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/settlement/relay"
	settlementtypes "github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// helper is an account that speaks for others, where they let it.
type helper struct {
	s        *settlers
	key      *secp256k1.PrivKey
	address  sdk.AccAddress
	sequence uint64
}

// helpers are accounts of nobody else; each exists when something is granted to it.
func (s *settlers) helpers(n int) (all []*helper) {
	keys, addresses := newKeys(len(s.keys) + n)
	for i := len(s.keys); i < len(keys); i++ {
		all = append(all, &helper{s: s, key: keys[i], address: addresses[i]})
	}
	return all
}

// grant lets a helper send a type of messages for an account, until a time if it is not nil.
func (s *settlers) grant(from int, to *helper, msg sdk.Msg, until *time.Time) {
	s.t.Helper()
	allow, err := authz.NewMsgGrant(s.accounts[from], to.address, authz.NewGenericAuthorization(sdk.MsgTypeURL(msg)), until)
	require.NoError(s.t, err)
	require.NoError(s.t, s.send(from, allow))
}

// exec sends messages of others.
func (h *helper) exec(msgs ...sdk.Msg) error {
	h.s.t.Helper()
	wrapped := authz.NewMsgExec(h.address, msgs)
	account := h.s.app.Auth.GetAccount(h.s.app.NewContext(true), h.address)
	result := h.s.block(h.s.sign(h.key, account.GetAccountNumber(), h.sequence, &wrapped)).TxResults[0]
	h.sequence++
	if result.Code != 0 {
		return fmt.Errorf("%s %d: %s", result.Codespace, result.Code, result.Log)
	}
	return nil
}

// helpersNode is the chain as a relay sees it that has no operator's key.
type helpersNode struct {
	operatorsNode
	h *helper
}

// Send implements relay.Sequencer.
func (n *helpersNode) Send(_ context.Context, msg sdk.Msg) error { return n.h.exec(msg) }

var relayed = []sdk.Msg{&settlementtypes.MsgBumpFee{}, &settlementtypes.MsgReportReceipt{}}

// Relays with keys of their own, which the operators let send what a relay sends, settle a batch
// that has to be offered for more. Of the operators' keys none signs meanwhile.
func TestRelaysWithoutOperatorsKeys(t *testing.T) {
	s, secret, l1 := settlingOn(t)
	s.setParams(func(p *settlementtypes.Params) { p.StartFeePerGas = gwei.Uint64() / 2 })
	r := &relays{t: t}
	helpers := s.helpers(3)
	for i, h := range helpers {
		for _, msg := range relayed {
			s.grant(i, h, msg, nil)
		}
		r.all = append(r.all, relay.New(l1.Client(), &helpersNode{operatorsNode{s, i}, h},
			relay.Options{Operator: s.operators[i], Confirmations: 2, BumpAfter: 2, Interval: time.Hour},
			func(line string) { r.lines = append(r.lines, fmt.Sprint(i, " ", line)) }))
	}
	s.propose(1, 100, common.Hash{1})
	before := append([]uint64(nil), s.sequences...)
	s.members(secret)
	r.step()
	mine(t, l1)
	mine(t, l1)
	r.step()
	r.said("asked for a signature with a higher fee")
	s.members(secret)
	r.step()
	mine(t, l1)
	mine(t, l1)
	r.step()
	r.said("success true: reported")
	settled := s.transaction(1)
	require.Equal(t, settlementtypes.TRANSACTION_STATUS_SUCCEEDED, settled.Status)
	require.EqualValues(t, 2, settled.Current().Number)
	stored, err := l1.Client().StorageAt(t.Context(), stateContract, common.BigToHash(big.NewInt(1)), nil)
	require.NoError(t, err)
	require.Equal(t, common.Hash{1}.Bytes(), stored)
	for i, account := range s.accounts {
		require.Equal(t, before[i], s.sequences[i])
		require.Equal(t, before[i], s.app.Auth.GetAccount(s.app.NewContext(true), account).GetSequence())
		require.Positive(t, helpers[i].sequence)
	}
}

// A relay's key that is stolen sends what a relay sends, for its own operator and as long as that
// is granted, and nothing else, however it is wrapped.
func TestRelaysKeyIsStolen(t *testing.T) {
	s, secret, _ := settlingOn(t)
	h := s.helpers(1)[0]
	until := s.time.Add(time.Hour)
	for _, msg := range relayed {
		s.grant(0, h, msg, &until)
	}
	s.propose(1, 100, common.Hash{1})
	s.members(secret)
	hash := "0x1111111111111111111111111111111111111111111111111111111111111111"
	report := func(operator int) *settlementtypes.MsgReportReceipt {
		return &settlementtypes.MsgReportReceipt{Operator: s.operators[operator], TransactionId: 1, Receipt: settlementtypes.Receipt{Hash: hash, BlockHash: hash}}
	}
	nested := authz.NewMsgExec(s.accounts[0], []sdk.Msg{report(0)})
	own := authz.NewMsgExec(h.address, []sdk.Msg{report(1)})
	more, err := authz.NewMsgGrant(s.accounts[0], h.address, authz.NewGenericAuthorization(sdk.MsgTypeURL(&banktypes.MsgSend{})), nil)
	require.NoError(t, err)
	for name, msg := range map[string]sdk.Msg{
		"coins":                banktypes.NewMsgSend(s.accounts[0], h.address, sdk.NewCoins(sdk.NewInt64Coin(BondDenom, 1))),
		"a batch":              &settlementtypes.MsgProposeBatch{Operator: s.operators[0], Purpose: settlementtypes.PURPOSE_STATE, FirstBlock: 101, LastBlock: 101, StateRoot: make([]byte, 32)},
		"a revocation":         &mpctypes.MsgRevokeParticipant{Operator: s.operators[0]},
		"a key":                &mpctypes.MsgKeyGen{Requester: s.accounts[0].String(), KeyId: "k", Threshold: 1, Algorithm: mpctypes.ALGORITHM_ECDSA_SECP256K1},
		"another operator's":   report(1),
		"the authority's":      &settlementtypes.MsgMakeKey{Authority: Authority(), KeyId: settlementtypes.IDPrefix + "x", Threshold: 1},
		"a grant":              more,
		"as its operator":      &nested,
		"another's in its own": &own,
	} {
		require.ErrorContains(t, h.exec(msg), "authz 2: ", name)
	}
	require.ErrorContains(t, h.exec(report(0), report(1)), "authz 2: ", "one of two")
	reports := func() []settlementtypes.Report {
		answer, err := s.query.Transaction(s.app.NewContext(true), &settlementtypes.QueryTransactionRequest{Id: 1})
		require.NoError(t, err)
		return answer.Reports
	}
	require.Empty(t, reports())
	bad := report(0)
	bad.Receipt.Hash = "0x1"
	require.ErrorContains(t, h.exec(bad), "settlement 4: ", "what stands in it is looked at as if it stood alone")
	require.NoError(t, h.exec(report(0)))
	require.Len(t, reports(), 1)

	revoke := authz.NewMsgRevoke(s.accounts[0], h.address, sdk.MsgTypeURL(relayed[1]))
	require.NoError(t, s.send(0, &revoke))
	require.ErrorContains(t, h.exec(report(0)), "authz 2: ")
	bump := &settlementtypes.MsgBumpFee{Operator: s.operators[0], TransactionId: 1}
	require.NoError(t, h.exec(bump))
	s.time = until
	require.ErrorContains(t, h.exec(bump), "authz 2: ", "a block removes what has expired")
}

// A key that is asked for by one whom the requester lets do so is the requester's, at the
// requester's cost, under the requester's rights and limits.
func TestGrantedKeyIsTheRequesters(t *testing.T) {
	s := newSettlers(t)
	s.block()
	params, err := s.app.MPC.Params(s.app.NewContext(true))
	require.NoError(t, err)
	params.KeygenFee = sdk.NewCoins(sdk.NewInt64Coin(BondDenom, 1000))
	s.govern(&mpctypes.MsgUpdateParams{Authority: Authority(), Params: params})
	h := s.helpers(1)[0]
	keygen := &mpctypes.MsgKeyGen{Requester: s.accounts[0].String(), KeyId: "k", Threshold: 1, Algorithm: mpctypes.ALGORITHM_ECDSA_SECP256K1}
	s.grant(0, h, keygen, nil)
	s.grant(1, h, keygen, nil)
	others := *keygen
	others.Requester = s.accounts[1].String()
	require.ErrorContains(t, h.exec(&others), mpctypes.ErrNotRequester.Error(), "who may ask for none lets nobody ask for one")
	bad := *keygen
	bad.KeyId = ""
	require.ErrorContains(t, h.exec(&bad), mpctypes.ErrBadID.Error())

	coins := func(a sdk.AccAddress) int64 {
		return s.app.Bank.GetBalance(s.app.NewContext(true), a, BondDenom).Amount.Int64()
	}
	before := coins(s.accounts[0])
	require.NoError(t, h.exec(keygen))
	require.Equal(t, before-1000, coins(s.accounts[0]))
	key, err := s.app.MPC.Key(s.app.NewContext(true), "k")
	require.NoError(t, err)
	require.Equal(t, s.accounts[0].String(), key.Owner)
	require.Error(t, h.exec(&mpctypes.MsgKeyDelete{Requester: h.address.String(), KeyId: "k"}), "it is not the helper's")
}

// A key whose calls a policy limits signs a grant, or what others granted, only if the policy
// names that, and what it carries, too.
func TestGrantsInSignDocuments(t *testing.T) {
	_, accounts := newKeys(2)
	send := banktypes.NewMsgSend(accounts[0], accounts[1], sdk.NewCoins(sdk.NewInt64Coin(BondDenom, 1)))
	grant, err := authz.NewMsgGrant(accounts[0], accounts[1], authz.NewGenericAuthorization(sdk.MsgTypeURL(send)), nil)
	require.NoError(t, err)
	exec := authz.NewMsgExec(accounts[0], []sdk.Msg{send})
	kind := payload.NewSignDirect(NewTool().InterfaceRegistry)
	for url, msg := range map[string]sdk.Msg{
		"/cosmos.authz.v1beta1.GenericAuthorization": grant,
		"/cosmos.bank.v1beta1.MsgSend":               &exec,
	} {
		packed, err := codectypes.NewAnyWithValue(msg)
		require.NoError(t, err)
		encode := func(m proto.Message) []byte {
			bz, err := proto.Marshal(m)
			require.NoError(t, err)
			return bz
		}
		decoded, err := kind.Decode(encode(&txtypes.SignDoc{
			ChainId: testChainID, BodyBytes: encode(&txtypes.TxBody{Messages: []*codectypes.Any{packed}}),
			AuthInfoBytes: encode(&txtypes.AuthInfo{SignerInfos: []*txtypes.SignerInfo{{
				ModeInfo: &txtypes.ModeInfo{Sum: &txtypes.ModeInfo_Single_{Single: &txtypes.ModeInfo_Single{Mode: signing.SignMode_SIGN_MODE_DIRECT}}},
			}}}),
		}))
		require.NoError(t, err)
		require.Equal(t, []string{sdk.MsgTypeURL(msg), url}, decoded.Claims().Calls)
		for _, calls := range [][]string{{url}, {sdk.MsgTypeURL(msg)}} {
			limits := types.Policy{Calls: calls}
			require.ErrorIs(t, limits.Check(kind.Name(), decoded.Claims()), types.ErrPolicy)
		}
	}
}
