package app

import (
	"crypto/ed25519"
	"fmt"
	"math/big"
	"math/rand"
	"slices"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	errorsmod "cosmossdk.io/errors"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/cosmos/cosmos-sdk/server/config"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/app/mpcnode"
	"github.com/sequencer-mpc/sequencer/app/payload/ethereum"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/chain"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

const (
	// trafficAccounts may all ask; the first trafficValidators of them are
	// validators too.
	trafficAccounts   = 8
	trafficValidators = 4
	trafficBlocks     = 60
	trafficSeeds      = 6
)

// traffic makes blocks in which accounts get into each other's way: they use the
// same ids, exhaust the limits, delete and reshare what others sign with, and
// revoke the identities of those who should do it.
type traffic struct {
	t        *testing.T
	rnd      *rand.Rand
	chain    *chainInMemory
	keys     []*secp256k1.PrivKey
	accounts []sdk.AccAddress
	sequence []uint64
	block    int
	// own are the keys and reshares that an account asked for last.
	own [trafficAccounts]struct{ key, reshare string }
	// identities are all that were ever registered, by public key.
	identities map[string]ed25519.PrivateKey
}

// identity makes another identity of a validator, with its proof.
func (tr *traffic) identity(operator string) (public, proof []byte) {
	key := chain.IdentityKey(fmt.Sprint(operator, len(tr.identities)))
	public, proof = mpcnode.ProveIdentity(key, testChainID, types.Operator(operator))
	tr.identities[string(public)] = key
	return public, proof
}

// genesis has limits that are reached and lifetimes that end within a run.
func (tr *traffic) genesis(a *App) []byte {
	genesis := testGenesis(tr.t, a, tr.accounts, tr.accounts[:trafficValidators]...)
	genesis, err := mpcnode.EditMPCGenesis(a.Codec, genesis, func(g *mpctypes.GenesisState) {
		p := &g.Params
		p.Requesters = nil
		for _, account := range tr.accounts {
			p.Requesters = append(p.Requesters, account.String())
		}
		p.MaxPending, p.MaxPendingPerRequester, p.RetireBlocks = 6, 2, 2
		p.SignLifetimeBlocks, p.SignAttemptBlocks = 4, 2
		p.KeygenLifetimeBlocks, p.KeygenAttemptBlocks = 6, 2
		p.ReshareLifetimeBlocks, p.ReshareAttemptBlocks = 6, 2
		for i := range g.Participants {
			entry := &g.Participants[i]
			entry.Participant.Identities[0].PublicKey, entry.ProofOfPossession = tr.identity(entry.Participant.Operator)
		}
	})
	require.NoError(tr.t, err)
	return genesis
}

// txs are those of the next block: the participants' results first.
func (tr *traffic) txs() (txs [][]byte) {
	if bundle := tr.bundle(); bundle != nil {
		txs = append(txs, bundle)
	}
	for _, i := range tr.rnd.Perm(trafficAccounts) {
		msgs := []sdk.Msg{tr.message(i)}
		if tr.rnd.Intn(2) == 0 {
			msgs = append(msgs, tr.message(i))
		}
		txs = append(txs, tr.chain.sign(tr.keys[i], uint64(i), tr.sequence[i], msgs...))
		tr.sequence[i]++
	}
	tr.block++
	return txs
}

// payload is a digest, or a transaction that shares its nonce with others.
func (tr *traffic) payload() mpctypes.SignPayload {
	if tr.rnd.Intn(2) == 0 {
		return chain.Payload(fmt.Sprint(tr.rnd.Intn(3)))
	}
	tx := ethtypes.NewTx(&ethtypes.LegacyTx{
		Nonce: uint64(tr.rnd.Intn(2)), GasPrice: big.NewInt(1), Gas: 21000, To: &common.Address{}, Value: big.NewInt(int64(tr.rnd.Intn(2))),
	})
	data, err := ethereum.UnsignedTransaction(tx, big.NewInt(1))
	require.NoError(tr.t, err)
	return mpctypes.KindPayload(ethereum.TransactionKind, data)
}

// message is something that an account asks for, of its own or of others.
func (tr *traffic) message(i int) sdk.Msg {
	me, own := tr.accounts[i].String(), &tr.own[i]
	key := fmt.Sprintf("key-%d-%d", tr.block/6, tr.rnd.Intn(4))
	if own.key != "" && tr.rnd.Intn(3) > 0 {
		key = own.key
	}
	switch dice := tr.rnd.Intn(20); {
	case dice < 7:
		own.key = fmt.Sprintf("key-%d-%d", tr.block/6, tr.rnd.Intn(4))
		return &mpctypes.MsgKeyGen{
			Requester: me, KeyId: own.key, Threshold: uint32(1 + tr.rnd.Intn(2)), Algorithm: mpctypes.ALGORITHM_ECDSA_SECP256K1,
			AllowRaw: tr.rnd.Intn(8) > 0,
		}
	case dice < 12:
		return &mpctypes.MsgKeySign{
			Requester: me, SignatureId: fmt.Sprintf("sig-%d-%d", tr.block, tr.rnd.Intn(4)), KeyId: key,
			Payload: tr.payload(),
		}
	case dice < 13:
		return &mpctypes.MsgKeyDelete{Requester: me, KeyId: key}
	case dice < 17:
		own.reshare = fmt.Sprintf("reshare-%d-%d", tr.block, tr.rnd.Intn(4))
		return &mpctypes.MsgKeyReshare{Requester: me, ReshareId: own.reshare, KeyId: key, Threshold: 1}
	case dice < 18:
		if own.reshare == "" {
			own.reshare = "nothing"
		}
		return &mpctypes.MsgCancelReshare{Requester: me, ReshareId: own.reshare}
	}
	operator := sdk.ValAddress(tr.accounts[i%trafficValidators]).String()
	if i >= trafficValidators {
		return &mpctypes.MsgKeyDelete{Requester: me, KeyId: key}
	}
	if tr.rnd.Intn(3) == 0 {
		return &mpctypes.MsgRevokeParticipant{Operator: operator}
	}
	public, proof := tr.identity(operator)
	return &mpctypes.MsgRegisterParticipant{Operator: operator, IdentityKey: public, ProofOfPossession: proof}
}

// bundle has the results of about half of what is open; nil if there are none.
func (tr *traffic) bundle() []byte {
	requests, err := tr.chain.app.MPCState().EngineRequests(tr.chain.app.NewContext(true))
	require.NoError(tr.t, err)
	builder, some := mpctypes.NewBundleBuilder(mpctypes.DefaultParams().BundleLimits()), false
	for _, r := range requests {
		if tr.rnd.Intn(2) == 0 {
			continue
		}
		secret := chain.NewSecret(string(r.KeyID))
		if r.ID.Kind == types.KindSign {
			result := secret.Sign(r.ID.ID, r.Digest)
			some = builder.AddSignature(&result) || some
			continue
		}
		some = attestAll(builder, r, secret, tr.identities) || some
	}
	if !some {
		return nil
	}
	bundle, err := builder.Encode()
	require.NoError(tr.t, err)
	return bundle
}

// attestAll adds the word of all members on a key or a reshare, and says whether some
// of it fits. Their identities are by public key.
func attestAll(builder *mpctypes.BundleBuilder, r types.Request, secret chain.Secret, identities map[string]ed25519.PrivateKey) (some bool) {
	for _, m := range r.Members {
		a := types.Attestation{
			Request: r.ID, Commitment: r.Commitment(testChainID), Session: chain.Session(r.ID.String()), Payload: secret.Payload(len(r.Committee())),
			Operator: m.Operator, IdentityVersion: m.IdentityVersion,
		}
		a.Sign(testChainID, identities[string(m.IdentityKey)])
		some = builder.AddAttestation(&a) || some
	}
	return some
}

// Whatever accounts, validators and participants do to each other in one block,
// both executors say the same of it. Block-STM runs it on two workers.
func TestExecutorsAgreeOnMPC(t *testing.T) {
	happened := make(map[string]int)
	for seed := range trafficSeeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			tr := &traffic{
				t: t, rnd: rand.New(rand.NewSource(int64(seed))), sequence: make([]uint64, trafficAccounts),
				identities: make(map[string]ed25519.PrivateKey),
			}
			tr.keys, tr.accounts = newKeys(trafficAccounts)
			sequential, parallel := newApplication(config.BlockExecutorSequential), newApplication(config.BlockExecutorBlockSTM)
			genesis := tr.genesis(sequential)
			tr.chain = startChain(t, sequential, genesis, 1)
			other := startChain(t, parallel, genesis, 1)
			for range trafficBlocks {
				txs := tr.txs()
				a, b := tr.chain.block(txs...), other.block(txs...)
				requireSame(t, a, b, tr.block)
				count(happened, a)
			}
		})
	}
	for _, what := range []string{
		"EventParticipantRegistered", "EventParticipantRevoked", "EventKeyReady", "EventKeyFailed", "EventKeyDeleting",
		"EventKeyDeleted", "EventSignatureReady", "EventSignFailed", "EventReshareTesting", "EventReshareReady",
		"EventReshareFailed", "cancelled", "identity_revoked", "key_deleted", "expired",
		"code of raw_not_allowed", "code of place_taken", "code of too_many_pending", "code of not_owner", "code of id_taken", "code of request_pending", "code of key_not_ready",
	} {
		require.Positive(t, happened[what], "%s never happened: %v", what, happened)
	}
}

// requireSame compares what CometBFT hashes, and what people are told.
func requireSame(t *testing.T, a, b *abci.ResponseFinalizeBlock, block int) {
	t.Helper()
	require.Len(t, b.TxResults, len(a.TxResults))
	for i, r := range a.TxResults {
		require.Equal(t, r.Code, b.TxResults[i].Code, "transaction %d of block %d: %s / %s", i, block, r.Log, b.TxResults[i].Log)
		require.Equal(t, r.GasUsed, b.TxResults[i].GasUsed, "gas of transaction %d of block %d: %s", i, block, r.Log)
		require.Equal(t, r.Events, b.TxResults[i].Events, "events of transaction %d of block %d", i, block)
	}
	require.Equal(t, cmttypes.NewResults(a.TxResults).Hash(), cmttypes.NewResults(b.TxResults).Hash(), "block %d", block)
	require.Equal(t, a.Events, b.Events, "events of block %d", block)
	require.Equal(t, a.AppHash, b.AppHash, "block %d", block)
}

// count adds up what became of a block: events, the reasons in them, and codes of
// transactions that failed.
func count(happened map[string]int, r *abci.ResponseFinalizeBlock) {
	events := slices.Clone(r.Events)
	for _, result := range r.TxResults {
		events = append(events, result.Events...)
		if result.Codespace == mpctypes.ModuleName {
			happened["code of "+codeName(result)]++
		}
	}
	for _, e := range events {
		name, ours := strings.CutPrefix(e.Type, "sequencer.mpc.v1.")
		if !ours {
			continue
		}
		happened[name]++
		for _, attribute := range e.Attributes {
			if attribute.Key == "reason" {
				happened[strings.Trim(attribute.Value, `"`)]++
			}
		}
	}
}

// codeName is the typed reason of a code.
func codeName(result *abci.ExecTxResult) string {
	return string(mpctypes.ReasonOf(errorsmod.ABCIError(result.Codespace, result.Code, result.Log)))
}
