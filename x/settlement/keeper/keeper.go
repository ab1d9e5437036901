package keeper

import (
	"context"

	"github.com/cosmos/gogoproto/proto"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	corestore "cosmossdk.io/core/store"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// Keeper is the only writer of the module's state.
type Keeper struct {
	staking        types.StakingKeeper
	mpc            types.MPC
	authority      string
	validatorCodec address.Codec

	schema       collections.Schema
	params       collections.Item[types.Params]
	keys         collections.Map[string, types.Key]
	lines        collections.Map[uint32, types.Line]
	batches      collections.Map[collections.Pair[uint32, uint64], types.Batch]
	transactions collections.Map[uint64, types.Transaction]
	// transactionID is the id of the last transaction.
	transactionID collections.Item[uint64]
	// open holds the transactions that wait for inclusion, by key and nonce.
	open collections.Map[collections.Pair[string, uint64], uint64]
	// proposals holds what operators say of the next batch of a purpose: at most one for
	// each bonded validator and purpose.
	proposals collections.Map[collections.Pair[uint32, string], types.Proposal]
	// reports holds what operators say of an open transaction: as many for each.
	reports collections.Map[collections.Pair[uint64, string], types.Report]
	// done holds the transactions that nothing needs any more, by the height since when, and
	// id.
	done collections.KeySet[collections.Pair[uint64, uint64]]
}

// NewKeeper makes the keeper. authority is the account that may change the parameters and
// make keys, normally the address of x/gov; an authority in the consensus parameters takes
// its place. mpc is x/mpc for the module of this name (ForModule). The codec is that of
// validator operators.
func NewKeeper(
	cdc codec.Codec, store corestore.KVStoreService, staking types.StakingKeeper, mpc types.MPC, authority string, validators address.Codec,
) *Keeper {
	sb := collections.NewSchemaBuilder(store)
	k := &Keeper{
		staking: staking, mpc: mpc, authority: authority, validatorCodec: validators,
		params: collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](cdc)),
		keys:   collections.NewMap(sb, types.KeysPrefix, "keys", collections.StringKey, codec.CollValue[types.Key](cdc)),
		lines:  collections.NewMap(sb, types.LinesPrefix, "lines", collections.Uint32Key, codec.CollValue[types.Line](cdc)),
		batches: collections.NewMap(sb, types.BatchesPrefix, "batches",
			collections.PairKeyCodec(collections.Uint32Key, collections.Uint64Key), codec.CollValue[types.Batch](cdc)),
		transactions: collections.NewMap(sb, types.TransactionsPrefix, "transactions",
			collections.Uint64Key, codec.CollValue[types.Transaction](cdc)),
		transactionID: collections.NewItem(sb, types.TransactionIDPrefix, "transaction_id", collections.Uint64Value),
		open: collections.NewMap(sb, types.OpenPrefix, "open",
			collections.PairKeyCodec(collections.StringKey, collections.Uint64Key), collections.Uint64Value),
		proposals: collections.NewMap(sb, types.ProposalsPrefix, "proposals",
			collections.PairKeyCodec(collections.Uint32Key, collections.StringKey), codec.CollValue[types.Proposal](cdc)),
		reports: collections.NewMap(sb, types.ReportsPrefix, "reports",
			collections.PairKeyCodec(collections.Uint64Key, collections.StringKey), codec.CollValue[types.Report](cdc)),
		done: collections.NewKeySet(sb, types.DonePrefix, "done", collections.PairKeyCodec(collections.Uint64Key, collections.Uint64Key)),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err) // two collections share a prefix or a name: a mistake in this file
	}
	k.schema = schema
	return k
}

// emit adds a typed event. It can fail only on a message that was not generated with its
// descriptor.
func (k *Keeper) emit(ctx context.Context, event proto.Message) {
	block := sdk.UnwrapSDKContext(ctx)
	if err := block.EventManager().EmitTypedEvent(event); err != nil {
		block.Logger().Error("an event could not be encoded", "event", proto.MessageName(event), "err", err)
	}
}
