package app

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/txpool"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto/kzg4844"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/cosmos/cosmos-sdk/server/config"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	mpckeeper "github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// signatory is a chain with a READY key, and the account that asks for signatures by it.
type signatory struct {
	*chainInMemory
	account  *secp256k1.PrivKey
	address  sdk.AccAddress
	sequence uint64
	secret   chain.Secret
	query    mpctypes.QueryServer
	// identities of the participants, by their public keys.
	identities map[string]ed25519.PrivateKey
}

// keyID names the key.
const keyID = "treasury"

func newSignatory(t *testing.T, edit func(*mpctypes.GenesisState)) *signatory {
	t.Helper()
	keys, accounts := newKeys(1)
	app := newApplication(config.BlockExecutorSequential)
	genesis, identities := withIdentities(t, app, testGenesis(t, app, accounts), edit)
	s := &signatory{
		chainInMemory: startChain(t, app, genesis, 1), account: keys[0], address: accounts[0],
		secret: chain.NewSecret(keyID), query: mpckeeper.NewQueryServer(app.MPC), identities: identities,
	}
	asked := s.send(&mpctypes.MsgKeyGen{
		Requester: s.address.String(), KeyId: keyID, Threshold: 1, Algorithm: mpctypes.ALGORITHM_ECDSA_SECP256K1,
	})
	require.Zero(t, asked.Code, asked.Log)
	s.attest(s.request())
	return s
}

// request is the only one that is open.
func (s *signatory) request() types.Request {
	s.t.Helper()
	requests, err := s.app.MPCState().EngineRequests(s.app.NewContext(true))
	require.NoError(s.t, err)
	require.Len(s.t, requests, 1)
	return requests[0]
}

// attest makes a block in which all members of a request attest it.
func (s *signatory) attest(r types.Request) {
	s.t.Helper()
	s.bundle(func(b *mpctypes.BundleBuilder) bool { return attestAll(b, r, s.secret, s.identities) })
}

// withIdentities gives the participants of a genesis identities whose keys the test has,
// by their public keys.
func withIdentities(
	t *testing.T, app *App, genesis json.RawMessage, edit func(*mpctypes.GenesisState),
) (json.RawMessage, map[string]ed25519.PrivateKey) {
	t.Helper()
	identities := make(map[string]ed25519.PrivateKey)
	genesis, err := mpcnode.EditMPCGenesis(app.Codec, genesis, func(g *mpctypes.GenesisState) {
		for i := range g.Participants {
			entry := &g.Participants[i]
			key := chain.IdentityKey(entry.Participant.Operator)
			public, proof := mpcnode.ProveIdentity(key, testChainID, types.Operator(entry.Participant.Operator))
			entry.Participant.Identities[0].PublicKey, entry.ProofOfPossession = public, proof
			identities[string(public)] = key
		}
		edit(g)
	})
	require.NoError(t, err)
	return genesis, identities
}

// send makes a block of one message.
func (s *signatory) send(msg sdk.Msg) *abci.ExecTxResult {
	s.t.Helper()
	result := s.block(s.sign(s.account, 0, s.sequence, msg)).TxResults[0]
	s.sequence++
	return result
}

// bundle makes a block of results.
func (s *chainInMemory) bundle(add func(*mpctypes.BundleBuilder) bool) {
	s.t.Helper()
	b := mpctypes.NewBundleBuilder(mpctypes.DefaultParams().BundleLimits())
	require.True(s.t, add(b))
	encoded, err := b.Encode()
	require.NoError(s.t, err)
	require.Zero(s.t, s.block(encoded).TxResults[0].Code)
}

// ask asks for a signature.
func (s *signatory) ask(id, kind string, data []byte) *abci.ExecTxResult {
	s.t.Helper()
	return s.send(&mpctypes.MsgKeySign{Requester: s.address.String(), SignatureId: id, KeyId: keyID, Payload: mpctypes.KindPayload(kind, data)})
}

// finished is what a payload became: it is asked for and signed.
func (s *signatory) finished(id, kind string, data []byte) *mpctypes.FinishedPayload {
	s.t.Helper()
	asked := s.ask(id, kind, data)
	require.Zero(s.t, asked.Code, asked.Log)
	ctx := s.app.NewContext(true)
	signature, err := s.app.MPC.Signature(ctx, id)
	require.NoError(s.t, err)
	result := s.secret.Sign(id, signature.Digest)
	s.bundle(func(b *mpctypes.BundleBuilder) bool { return b.AddSignature(&result) })
	answer, err := s.query.Signature(s.app.NewContext(true), &mpctypes.QuerySignatureRequest{SignatureId: id})
	require.NoError(s.t, err)
	require.Equal(s.t, mpctypes.SIGNATURE_STATUS_READY, answer.Signature.Status)
	return answer.Finished
}

// ethereumAddress is the key's, as the chain shows it.
func (s *signatory) ethereumAddress() common.Address {
	s.t.Helper()
	key, err := s.query.Key(s.app.NewContext(true), &mpctypes.QueryKeyRequest{KeyId: keyID})
	require.NoError(s.t, err)
	return common.HexToAddress(key.Addresses.Ethereum)
}

// simulatedChain is the id of go-ethereum's simulated chain.
var simulatedChain = big.NewInt(1337)

var gwei = big.NewInt(params.GWei)

func ether(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(params.Ether)) }

// blobs are one empty blob with its proof.
func blobs(t *testing.T) *ethtypes.BlobTxSidecar {
	t.Helper()
	var empty kzg4844.Blob
	commitment, err := kzg4844.BlobToCommitment(&empty)
	require.NoError(t, err)
	proofs, err := kzg4844.ComputeCellProofs(&empty)
	require.NoError(t, err)
	return ethtypes.NewBlobTxSidecar(ethtypes.BlobSidecarVersion1, []kzg4844.Blob{empty}, []kzg4844.Commitment{commitment}, proofs)
}

// What the chain's key signs is mined, whatever its type, and comes from the key's
// address.
func TestTransactionsAreMined(t *testing.T) {
	s := newSignatory(t, func(*mpctypes.GenesisState) {})
	from, to := s.ethereumAddress(), common.HexToAddress("0x00000000000000000000000000000000000000aa")
	ethereumChain := simulated.NewBackend(ethtypes.GenesisAlloc{from: {Balance: ether(100)}})
	defer func() { require.NoError(t, ethereumChain.Close()) }()
	client, ctx := ethereumChain.Client(), context.Background()
	wei, gwei256, sidecar := big.NewInt(12345), uint256.MustFromBig(gwei), blobs(t)
	feeCap := new(big.Int).Mul(gwei, big.NewInt(10))
	for nonce, tx := range []ethtypes.TxData{
		&ethtypes.LegacyTx{Nonce: 0, GasPrice: feeCap, Gas: 21000, To: &to, Value: wei},
		&ethtypes.AccessListTx{ChainID: simulatedChain, Nonce: 1, GasPrice: feeCap, Gas: 50000, To: &to, Value: wei, AccessList: ethtypes.AccessList{{Address: to}}},
		&ethtypes.DynamicFeeTx{ChainID: simulatedChain, Nonce: 2, GasTipCap: gwei, GasFeeCap: feeCap, Gas: 30000, To: &to, Value: wei, Data: []byte{1, 2, 3, 4}},
		&ethtypes.BlobTx{
			ChainID: uint256.MustFromBig(simulatedChain), Nonce: 3, GasTipCap: gwei256, GasFeeCap: uint256.MustFromBig(feeCap), Gas: 21000, To: to,
			Value: uint256.MustFromBig(wei), BlobFeeCap: gwei256, BlobHashes: sidecar.BlobHashes(),
		},
		&ethtypes.DynamicFeeTx{ChainID: simulatedChain, Nonce: 4, GasTipCap: gwei, GasFeeCap: feeCap, Gas: 120000, Data: common.FromHex("600160005500")},
	} {
		payload, err := ethereum.UnsignedTransaction(ethtypes.NewTx(tx), simulatedChain)
		require.NoError(t, err)
		finished := s.finished(string(rune('a'+nonce)), ethereum.TransactionKind, payload)
		var signed ethtypes.Transaction
		require.NoError(t, signed.UnmarshalBinary(common.FromHex(finished.Raw)))
		require.Equal(t, signed.Hash().Hex(), finished.Hash)
		sent := &signed
		if signed.Type() == ethtypes.BlobTxType {
			sent = signed.WithBlobTxSidecar(sidecar)
		}
		require.Eventually(t, func() bool { // the pool of the transaction before learns of its block in its own time
			err = client.SendTransaction(ctx, sent)
			return err == nil || !strings.Contains(err.Error(), txpool.ErrAlreadyReserved.Error())
		}, 20*time.Second, 10*time.Millisecond, "an account is in one pool at a time")
		require.NoError(t, err, "type %d", signed.Type())
		ethereumChain.Commit()
		receipt, err := client.TransactionReceipt(ctx, common.HexToHash(finished.Hash))
		require.NoError(t, err)
		require.Equal(t, ethtypes.ReceiptStatusSuccessful, receipt.Status)
		block, err := client.BlockByNumber(ctx, receipt.BlockNumber)
		require.NoError(t, err)
		mined := block.Transactions()[receipt.TransactionIndex]
		require.Equal(t, finished.Hash, mined.Hash().Hex())
		sender, err := ethtypes.Sender(ethtypes.LatestSignerForChainID(simulatedChain), mined)
		require.NoError(t, err)
		require.Equal(t, from, sender)
	}
	balance, err := client.BalanceAt(ctx, to, nil)
	require.NoError(t, err)
	require.Equal(t, int64(4*12345), balance.Int64())
	next, err := client.NonceAt(ctx, from, nil)
	require.NoError(t, err)
	require.EqualValues(t, 5, next)
}

// A transaction with other fees replaces the one that waits; another one with its nonce
// is not signed.
func TestNonceIsUsedOnce(t *testing.T) {
	s := newSignatory(t, func(*mpctypes.GenesisState) {})
	from, to := s.ethereumAddress(), common.HexToAddress("0x00000000000000000000000000000000000000aa")
	ethereumChain := simulated.NewBackend(ethtypes.GenesisAlloc{from: {Balance: ether(100)}})
	defer func() { require.NoError(t, ethereumChain.Close()) }()
	client, ctx := ethereumChain.Client(), context.Background()
	payload := func(change func(*ethtypes.DynamicFeeTx)) []byte {
		tx := &ethtypes.DynamicFeeTx{ChainID: simulatedChain, GasTipCap: gwei, GasFeeCap: new(big.Int).Mul(gwei, big.NewInt(2)), Gas: 21000, To: &to, Value: big.NewInt(7)}
		change(tx)
		data, err := ethereum.UnsignedTransaction(ethtypes.NewTx(tx), simulatedChain)
		require.NoError(t, err)
		return data
	}
	bump := func(tx *ethtypes.DynamicFeeTx) {
		tx.GasTipCap, tx.GasFeeCap = new(big.Int).Mul(gwei, big.NewInt(2)), new(big.Int).Mul(gwei, big.NewInt(4))
	}
	for i, change := range []func(*ethtypes.DynamicFeeTx){func(*ethtypes.DynamicFeeTx) {}, bump} {
		var tx ethtypes.Transaction
		finished := s.finished(string(rune('a'+i)), ethereum.TransactionKind, payload(change))
		require.NoError(t, tx.UnmarshalBinary(common.FromHex(finished.Raw)))
		require.NoError(t, client.SendTransaction(ctx, &tx))
	}
	refused := s.ask("other", ethereum.TransactionKind, payload(func(tx *ethtypes.DynamicFeeTx) { tx.Value = big.NewInt(8) }))
	require.Equal(t, mpctypes.ErrPlaceTaken.ABCICode(), refused.Code, refused.Log)
	require.Contains(t, refused.Log, "place_taken")
	refused = s.ask("weak", ethereum.TransactionKind, payload(func(tx *ethtypes.DynamicFeeTx) { tx.Gas-- }))
	require.Equal(t, mpctypes.ErrPlaceTaken.ABCICode(), refused.Code, refused.Log)
	ethereumChain.Commit()
	balance, err := client.BalanceAt(ctx, to, nil)
	require.NoError(t, err)
	require.Equal(t, int64(7), balance.Int64(), "one of the two was mined")
}

// What is refused says why, each with its own code.
func TestPayloadsAreRefused(t *testing.T) {
	s := newSignatory(t, func(*mpctypes.GenesisState) {})
	for name, c := range map[string]struct {
		kind, data string
		want       uint32
	}{
		"too large":     {ethereum.MessageKind, strings.Repeat("a", int(mpctypes.DefaultParams().MaxPayloadBytes)+1), mpctypes.ErrPayloadTooLarge.ABCICode()},
		"unknown kind":  {"bitcoin-tx", "a", mpctypes.ErrUnknownKind.ABCICode()},
		"unreadable":    {ethereum.TransactionKind, "a", mpctypes.ErrBadPayload.ABCICode()},
		"not canonical": {ethereum.TypedDataKind, "{ }", mpctypes.ErrNotCanonical.ABCICode()},
	} {
		refused := s.ask("s", c.kind, []byte(c.data))
		require.Equal(t, c.want, refused.Code, "%s: %s", name, refused.Log)
		require.Equal(t, mpctypes.ModuleName, refused.Codespace)
	}
	raw := s.send(&mpctypes.MsgKeySign{Requester: s.address.String(), SignatureId: "s", KeyId: keyID, Payload: chain.Payload("text")})
	require.Equal(t, mpctypes.ErrRawNotAllowed.ABCICode(), raw.Code, raw.Log)
	message := s.finished("s", ethereum.MessageKind, []byte("hello"))
	require.Empty(t, message.Hash)
	signature, err := hex.DecodeString(strings.TrimPrefix(message.Raw, "0x"))
	require.NoError(t, err)
	require.Len(t, signature, 65)
}

// A policy keeps a key from signing for another chain, or more than it may move.
func TestPolicyIsKept(t *testing.T) {
	s := newSignatory(t, func(g *mpctypes.GenesisState) {
		g.Params.Policies = []mpctypes.KeyPolicy{{
			KeyId: keyID, Kinds: []string{ethereum.TransactionKind}, ChainIds: []string{simulatedChain.String()},
			To: []string{"0x00000000000000000000000000000000000000aa"}, Calls: []string{"0xdeadbeef"}, MaxValue: "7", MaxFee: fee2000Gas,
		}}
	})
	to := common.HexToAddress("0x00000000000000000000000000000000000000aa")
	ask := func(id string, change func(*ethtypes.DynamicFeeTx)) *abci.ExecTxResult {
		tx := &ethtypes.DynamicFeeTx{
			ChainID: simulatedChain, GasTipCap: gwei, GasFeeCap: gwei, Gas: 2000, To: &to, Value: big.NewInt(7), Data: common.FromHex("deadbeef01"),
		}
		change(tx)
		data, err := ethereum.UnsignedTransaction(ethtypes.NewTx(tx), tx.ChainID)
		require.NoError(t, err)
		return s.ask(id, ethereum.TransactionKind, data)
	}
	for name, c := range map[string]struct {
		change func(*ethtypes.DynamicFeeTx)
		want   uint32
	}{
		"another chain":    {func(tx *ethtypes.DynamicFeeTx) { tx.ChainID = big.NewInt(1) }, mpctypes.ErrWrongChain.ABCICode()},
		"another address":  {func(tx *ethtypes.DynamicFeeTx) { tx.To = &common.Address{1} }, mpctypes.ErrPolicy.ABCICode()},
		"a new contract":   {func(tx *ethtypes.DynamicFeeTx) { tx.To = nil }, mpctypes.ErrPolicy.ABCICode()},
		"another selector": {func(tx *ethtypes.DynamicFeeTx) { tx.Data[0]++ }, mpctypes.ErrPolicy.ABCICode()},
		"no selector":      {func(tx *ethtypes.DynamicFeeTx) { tx.Data = tx.Data[:3] }, mpctypes.ErrPolicy.ABCICode()},
		"too much":         {func(tx *ethtypes.DynamicFeeTx) { tx.Value = big.NewInt(8) }, mpctypes.ErrPolicy.ABCICode()},
		"too dear":         {func(tx *ethtypes.DynamicFeeTx) { tx.Gas++ }, mpctypes.ErrPolicy.ABCICode()},
	} {
		refused := ask("s", c.change)
		require.Equal(t, c.want, refused.Code, "%s: %s", name, refused.Log)
	}
	message := s.ask("s", ethereum.MessageKind, []byte("hello"))
	require.Equal(t, mpctypes.ErrPolicy.ABCICode(), message.Code, message.Log)
	good := ask("s", func(*ethtypes.DynamicFeeTx) {})
	require.Zero(t, good.Code, good.Log)
}

// fee2000Gas is what 2000 gas of one gwei each cost.
const fee2000Gas = "2000000000000"
