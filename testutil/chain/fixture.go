package chain

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"cosmossdk.io/collections"
	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/gogoproto/proto"

	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdked25519 "github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/store/v2"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/cosmos/cosmos-sdk/x/tx/signing"

	"github.com/sequencer-mpc/sequencer/x/mpc/keeper"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// ChainID of all fixtures.
const ChainID = "mpc-test"

var (
	accountCodec   = address.NewBech32Codec("seq")
	validatorCodec = address.NewBech32Codec("seqvaloper")
)

// Fixture is a keeper with its store and its validators.
type Fixture struct {
	t testing.TB
	// Ctx is at the height of the block that is being executed.
	Ctx       sdk.Context
	Cdc       codec.Codec
	StoreKey  *storetypes.KVStoreKey
	Keeper    *keeper.Keeper
	Msg       types.MsgServer
	Query     types.QueryServer
	Staking   *Staking
	Authority string
	// Requester is an account in the parameter requesters.
	Requester    string
	Participants []*Participant
	// Operators, if set, are the addresses of the validators instead of Operator's.
	Operators []string
	// Spoiled, if set, is asked before each access to a key of the store. Its error
	// is the store's; it may panic.
	Spoiled func(key []byte) error

	saved sdk.Context
	save  func()
}

// New makes a chain at height 1 with n bonded, registered validators, the first
// the strongest, with these addresses if any are given.
func New(t testing.TB, n int, operators ...string) *Fixture {
	t.Helper()
	return NewEmpty(t).begin(n, operators)
}

// NewPlain is New on a store without versions, for who makes many chains: a tree of iavl
// keeps a goroutine, and all that it holds, for as long as the process lives.
func NewPlain(t testing.TB, n int, operators ...string) *Fixture {
	t.Helper()
	return newEmpty(t, storetypes.StoreTypeDB).begin(n, operators)
}

// NewBeside is New with the stores of other modules in the same state.
func NewBeside(t testing.TB, n int, others ...storetypes.StoreKey) *Fixture {
	t.Helper()
	return newEmpty(t, storetypes.StoreTypeIAVL, others...).begin(n, nil)
}

func (f *Fixture) begin(n int, operators []string) *Fixture {
	t := f.t
	t.Helper()
	f.Operators = operators
	params := types.DefaultParams()
	params.Requesters = []string{f.Requester}
	params.RetireBlocks = 100 // what a decision put an end to goes within the blocks of a test
	require.NoError(t, f.Keeper.InitGenesis(f.Ctx, types.GenesisState{Params: params}))
	f.Ctx = f.Ctx.WithBlockHeight(1)
	for i := range n {
		f.Register(f.AddValidator(i))
	}
	return f
}

// NewEmpty makes a keeper on an empty store before genesis.
func NewEmpty(t testing.TB) *Fixture {
	t.Helper()
	return newEmpty(t, storetypes.StoreTypeIAVL)
}

func newEmpty(t testing.TB, stored storetypes.StoreType, others ...storetypes.StoreKey) *Fixture {
	t.Helper()
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles:     proto.HybridResolver,
		SigningOptions: signing.Options{AddressCodec: accountCodec, ValidatorAddressCodec: validatorCodec},
	})
	require.NoError(t, err)
	types.RegisterInterfaces(registry)
	f := &Fixture{
		t: t, Cdc: codec.NewProtoCodec(registry), StoreKey: storetypes.NewKVStoreKey(types.StoreKey),
		Staking: &Staking{}, Authority: Account("authority"), Requester: Account("requester"),
	}
	f.Ctx = f.emptyContext(stored, others).WithChainID(ChainID).WithBlockHeight(0)
	f.saved = f.Ctx
	f.Ctx, f.save = f.saved.CacheContext()
	f.GiveTo(f.Authority)
	return f
}

// GiveTo makes a keeper of the same state whose authority is this account.
func (f *Fixture) GiveTo(authority string) {
	f.Authority = authority
	f.Keeper = keeper.NewKeeper(f.Cdc, spoilable{runtime.NewKVStoreService(f.StoreKey), f}, f.Staking, f.Authority, validatorCodec, accountCodec)
	f.Msg, f.Query = keeper.NewMsgServer(f.Keeper), keeper.NewQueryServer(f.Keeper)
}

// emptyContext has an empty store of this type, and one for each other module.
func (f *Fixture) emptyContext(stored storetypes.StoreType, others []storetypes.StoreKey) sdk.Context {
	db := dbm.NewMemDB()
	stores := store.NewCommitMultiStore(db, log.NewNopLogger())
	for _, key := range append(others, f.StoreKey) {
		stores.MountStoreWithDB(key, stored, db)
	}
	require.NoError(f.t, stores.LoadLatestVersion())
	ctx := sdk.NewContext(stores, cmtproto.Header{Time: time.Now()}, false, log.NewNopLogger())
	return WithAppHash(ctx, "a state")
}

// WithAppHash is a context of a block before which the state was this one.
func WithAppHash(ctx sdk.Context, state string) sdk.Context {
	header, hash := ctx.HeaderInfo(), sha256.Sum256([]byte(state))
	header.AppHash = hash[:]
	return ctx.WithHeaderInfo(header)
}

// Account is the address of the account of this name.
func Account(name string) string {
	a, err := accountCodec.BytesToString(authtypes.NewModuleAddress("account " + name))
	if err != nil {
		panic(err)
	}
	return a
}

// Operator is the address of validator i.
func Operator(i int) string {
	a, err := validatorCodec.BytesToString(authtypes.NewModuleAddress(fmt.Sprint("validator ", i)))
	if err != nil {
		panic(err)
	}
	return a
}

// AddValidator adds a bonded validator, weaker than those before it, that has not
// registered.
func (f *Fixture) AddValidator(i int) *Participant {
	operator := Operator(i)
	if f.Operators != nil {
		operator = f.Operators[i]
	}
	consensus, err := codectypes.NewAnyWithValue(sdked25519.GenPrivKeyFromSecret([]byte(operator)).PubKey())
	require.NoError(f.t, err)
	v := &stakingtypes.Validator{OperatorAddress: operator, Status: stakingtypes.Bonded, ConsensusPubkey: consensus, Tokens: math.OneInt()}
	f.Staking.Validators = append(f.Staking.Validators, v)
	p := &Participant{Operator: v.OperatorAddress, Identity: IdentityKey(v.OperatorAddress), Staked: v, chain: f}
	f.Participants = append(f.Participants, p)
	return p
}

// Register registers a participant's identity key.
func (f *Fixture) Register(p *Participant) {
	f.t.Helper()
	resp, err := f.Msg.RegisterParticipant(f.Ctx, &types.MsgRegisterParticipant{
		Operator: p.Operator, IdentityKey: Public(p.Identity), ProofOfPossession: Proof(ChainID, p.Operator, p.Identity),
	})
	require.NoError(f.t, err)
	p.Version = resp.Version
}

// Sorted is the participants in the order in which requests name them.
func (f *Fixture) Sorted() []*Participant {
	sorted := slices.Clone(f.Participants)
	slices.SortFunc(sorted, func(a, b *Participant) int { return strings.Compare(a.Operator, b.Operator) })
	return sorted
}

// KeyGen asks for a key of all participants that signs raw digests, too.
func (f *Fixture) KeyGen(id string, threshold uint32) types.Key {
	f.t.Helper()
	resp, err := f.Msg.KeyGen(f.Ctx, &types.MsgKeyGen{
		Requester: f.Requester, KeyId: id, Algorithm: types.ALGORITHM_ECDSA_SECP256K1, Threshold: threshold,
		AllowRaw: true,
	})
	require.NoError(f.t, err)
	return resp.Key
}

// ReadyKey makes a key READY by everybody's attestations.
func (f *Fixture) ReadyKey(id string, threshold uint32) Secret {
	f.t.Helper()
	f.KeyGen(id, threshold)
	secret := NewSecret(id)
	f.AttestAll(id, secret)
	return secret
}

// AttestAll lets all participants attest a key.
func (f *Fixture) AttestAll(id string, secret Secret) {
	f.t.Helper()
	for _, p := range f.Participants {
		a := p.Attest(id, 0, Session(id), secret.Payload(len(f.Participants)))
		require.NoError(f.t, f.Keeper.ApplyAttestation(f.Ctx, &a))
	}
}

// KeySign asks for a signature over the digest of a text.
func (f *Fixture) KeySign(id, keyID, text string) types.Signature {
	f.t.Helper()
	resp, err := f.Msg.KeySign(f.Ctx, &types.MsgKeySign{
		Requester: f.Requester, SignatureId: id, KeyId: keyID, Payload: Payload(text),
	})
	require.NoError(f.t, err)
	return resp.Signature
}

// Clear removes the entries below a prefix, as in a state of before there were any.
func (f *Fixture) Clear(prefix collections.Prefix) {
	store := f.Ctx.KVStore(f.StoreKey)
	entries := storetypes.KVStorePrefixIterator(store, prefix.Bytes())
	var keys [][]byte
	for ; entries.Valid(); entries.Next() {
		keys = append(keys, entries.Key())
	}
	require.NoError(f.t, entries.Close())
	for _, key := range keys {
		store.Delete(key)
	}
}

// Entries counts the entries of the module's store below a prefix.
func (f *Fixture) Entries(prefix collections.Prefix) int {
	n := 0
	entries := storetypes.KVStorePrefixIterator(f.Ctx.KVStore(f.StoreKey), prefix.Bytes())
	defer func() { require.NoError(f.t, entries.Close()) }()
	for ; entries.Valid(); entries.Next() {
		n++
	}
	return n
}

// Commit saves the state to the tree below and goes on with a new branch of it, as
// a chain does after each block. Nothing needs it but what is measured: a tree is
// slow while much of it is not saved.
func (f *Fixture) Commit() {
	f.save()
	f.saved.MultiStore().(storetypes.CommitMultiStore).Commit()
	branch, save := f.saved.CacheContext()
	f.Ctx, f.save = f.Ctx.WithMultiStore(branch.MultiStore()), save
}

// EndBlocks ends blocks until the one before height, and begins that one.
func (f *Fixture) EndBlocks(height int64) {
	f.t.Helper()
	for f.Ctx.BlockHeight() < height {
		require.NoError(f.t, f.Keeper.EndBlock(f.Ctx))
		f.Ctx = f.Ctx.WithBlockHeight(f.Ctx.BlockHeight() + 1)
	}
}

// Events counts the events of a type since the last call, and forgets all events.
func (f *Fixture) Events(event proto.Message) int {
	n := 0
	for _, e := range f.Ctx.EventManager().Events() {
		if e.Type == proto.MessageName(event) {
			n++
		}
	}
	f.Ctx = f.Ctx.WithEventManager(sdk.NewEventManager())
	return n
}
