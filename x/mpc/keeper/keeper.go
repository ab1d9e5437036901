package keeper

import (
	"context"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	corestore "cosmossdk.io/core/store"
	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// requestKey names an open request: kind and id.
type requestKey = collections.Pair[uint32, string]

// attestationKey names a stored attestation: kind and id of the request, session,
// operator.
type attestationKey = collections.Quad[uint32, string, []byte, string]

// attemptKey names what an operator may attest once: kind and id of the request,
// operator, attempt.
type attemptKey = collections.Quad[uint32, string, string, uint32]

// refusalKey names a refusal: id of the signature, operator.
type refusalKey = collections.Pair[string, string]

// ackKey names what an operator owes its word on: operator, id of a DELETED key.
type ackKey = collections.Pair[string, string]

// Keeper is the only writer of the module's state. Its memory holds nothing that
// changes after start-up but what the log has been told, so that blocks may be executed
// optimistically and in parallel.
type Keeper struct {
	cdc            codec.Codec
	staking        types.StakingKeeper
	slashing       types.SlashingKeeper
	bank           types.BankKeeper
	feeCollector   string
	authority      string
	validatorCodec address.Codec
	accountCodec   address.Codec
	hooks          *hookRouter
	kinds          *mpctypes.PayloadKinds
	// policies are the modules' own checks of what their keys sign.
	policies map[string]types.SignPolicy
	told     toldUnreadable

	schema       collections.Schema
	params       collections.Item[types.Params]
	participants collections.Map[string, types.Participant]
	// identityKeys says whose an identity key is, for all versions ever.
	identityKeys collections.Map[[]byte, string]
	// participantChanges counts the writes of participants; setParticipant is the only
	// writer of it and of them.
	participantChanges collections.Item[uint64]
	keys               *collections.IndexedMap[string, types.Key, keyIndexes]
	signatures         *collections.IndexedMap[string, types.Signature, signatureIndexes]
	reshares           *collections.IndexedMap[string, types.Reshare, reshareIndexes]
	// requests holds open requests only. openRequest and closeRequest are the only
	// writers of it, of its indexes but requestExpiry and requestsByMember, and of its
	// counters.
	requests collections.Map[requestKey, types.Request]
	// requestExpiry says when the end of a block fails a request. One that is
	// condemned is there twice, at its expiry height, too.
	requestExpiry collections.KeySet[collections.Triple[int64, uint32, string]]
	// requestsByMember finds what a revocation may condemn; what one looked at is not
	// found by that member any more.
	requestsByMember requestIndex
	requestsByKey    requestIndex
	// condemnedRequests are open requests that take no results any more, with the
	// reason for which they fail.
	condemnedRequests collections.Map[requestKey, string]
	pendingTotal      collections.Item[uint64]
	pendingByOwner    collections.Map[string, uint64]
	attestations      collections.Map[attestationKey, types.StoredAttestation]
	attestedAttempts  collections.KeySet[attemptKey]
	// refusals are the reasons of members that will not sign what is PENDING, by signature
	// and operator. They stand beside the signature, which may be large, until it is decided.
	refusals collections.Map[refusalKey, string]
	// keyRetirements holds DELETING keys by the height at which they become
	// DELETED.
	keyRetirements collections.KeySet[collections.Pair[int64, string]]
	// awaitedAcks holds, by operator, the DELETED keys that wait for its word that it
	// destroyed what it had.
	awaitedAcks collections.KeySet[ackKey]
	faults      collections.Map[faultKey, types.Fault]
	// faultLapses holds the faults that count by the height at which they do not
	// any more.
	faultLapses collections.KeySet[lapseKey]
	// proofs counts the proofs of each participant that count.
	proofs collections.Map[string, uint32]
	// queuedHooks holds the hooks of results that wait for the end of a block, in the
	// order of the blocks that decided those.
	queuedHooks collections.KeySet[queuedHook]
	// decidedSignatures holds the signatures that are pruned some day, by the height of
	// their decision.
	decidedSignatures collections.KeySet[collections.Pair[int64, string]]
	// prunedSignatures holds the content hashes of those that were.
	prunedSignatures collections.Map[string, []byte]
	// decidedRequests holds the keys and reshares that are pruned some day, by the height
	// from which they are over.
	decidedRequests collections.KeySet[decidedRequest]
	// prunedRequests holds the content hashes of those that were.
	prunedRequests collections.Map[requestKey, []byte]
	// signedPlaces holds what a key signed for each nonce: see types.SignedPlace.Stored.
	signedPlaces collections.Map[collections.Pair[string, string], []byte]
	// autoResharePlace is the READY key at which the round of health checks is.
	autoResharePlace collections.Item[string]
	// absentees are who did not come to a reshare of some key, by operator.
	absentees collections.Map[string, types.Absentee]
	// keyChanges are the ids of the keys that were written last, by the number of the
	// write; setKey and pruneKey are the only writers of it, of keyChangesMade and of keys.
	keyChanges     collections.Map[uint64, string]
	keyChangesMade collections.Item[uint64]
}

// NewKeeper makes the keeper. authority is the account that may change the
// parameters and delete any key, normally the address of x/gov; an authority in
// the consensus parameters takes its place. The codecs are those of validator
// operators and of accounts.
func NewKeeper(
	cdc codec.Codec,
	storeService corestore.KVStoreService,
	stakingKeeper types.StakingKeeper,
	authority string,
	validatorAddressCodec, accountAddressCodec address.Codec,
) *Keeper {
	if _, err := accountAddressCodec.StringToBytes(authority); err != nil {
		panic("x/mpc: the authority is not an account address of this chain: " + err.Error())
	}
	sb := collections.NewSchemaBuilder(storeService)
	k := &Keeper{
		cdc:            cdc,
		staking:        stakingKeeper,
		authority:      authority,
		validatorCodec: validatorAddressCodec,
		accountCodec:   accountAddressCodec,
		hooks:          newHookRouter(),
		policies:       make(map[string]types.SignPolicy),

		params: collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](cdc)),
		participants: collections.NewMap(sb, types.ParticipantsPrefix, "participants",
			collections.StringKey, codec.CollValue[types.Participant](cdc)),
		identityKeys: collections.NewMap(sb, types.IdentityKeysPrefix, "identity_keys",
			collections.BytesKey, collections.StringValue),
		participantChanges: collections.NewItem(sb, types.ParticipantChangesPrefix, "participant_changes", collections.Uint64Value),
		keys: collections.NewIndexedMap(sb, types.KeysPrefix, "keys",
			collections.StringKey, codec.CollValue[types.Key](cdc), newKeyIndexes(sb)),
		signatures: collections.NewIndexedMap(sb, types.SignaturesPrefix, "signatures",
			collections.StringKey, codec.CollValue[types.Signature](cdc), newSignatureIndexes(sb)),
		reshares: collections.NewIndexedMap(sb, types.ResharesPrefix, "reshares",
			collections.StringKey, codec.CollValue[types.Reshare](cdc), newReshareIndexes(sb)),
		pendingTotal: collections.NewItem(sb, types.PendingTotalPrefix, "pending_total", collections.Uint64Value),
		pendingByOwner: collections.NewMap(sb, types.PendingByOwnerPrefix, "pending_by_owner",
			collections.StringKey, collections.Uint64Value),
		keyRetirements: collections.NewKeySet(sb, types.KeyRetirementsPrefix, "key_retirements",
			collections.PairKeyCodec(collections.Int64Key, collections.StringKey)),
		awaitedAcks: collections.NewKeySet(sb, types.AwaitedAcksPrefix, "awaited_acks",
			collections.PairKeyCodec(collections.StringKey, collections.StringKey)),
		faults: collections.NewMap(sb, types.FaultsPrefix, "faults",
			collections.PairKeyCodec(collections.StringKey, collections.StringKey), codec.CollValue[types.Fault](cdc)),
		faultLapses: collections.NewKeySet(sb, types.FaultLapsesPrefix, "fault_lapses",
			collections.TripleKeyCodec(collections.Int64Key, collections.StringKey, collections.StringKey)),
		proofs: collections.NewMap(sb, types.ProofsPrefix, "proofs", collections.StringKey, collections.Uint32Value),
		queuedHooks: collections.NewKeySet(sb, types.QueuedHooksPrefix, "queued_hooks",
			collections.QuadKeyCodec(collections.Int64Key, collections.StringKey, collections.StringKey, collections.StringKey)),
		decidedSignatures: collections.NewKeySet(sb, types.DecidedSignaturesPrefix, "decided_signatures",
			collections.PairKeyCodec(collections.Int64Key, collections.StringKey)),
		prunedSignatures: collections.NewMap(sb, types.PrunedSignaturesPrefix, "pruned_signatures",
			collections.StringKey, collections.BytesValue),
		signedPlaces: collections.NewMap(sb, types.SignedPlacesPrefix, "signed_places",
			collections.PairKeyCodec(collections.StringKey, collections.StringKey), collections.BytesValue),
		autoResharePlace: collections.NewItem(sb, types.AutoResharePlacePrefix, "auto_reshare_place", collections.StringValue),
		absentees: collections.NewMap(sb, types.AbsenteesPrefix, "absentees",
			collections.StringKey, codec.CollValue[types.Absentee](cdc)),
		keyChanges: collections.NewMap(sb, types.KeyChangesPrefix, "key_changes",
			collections.Uint64Key, collections.StringValue),
		keyChangesMade: collections.NewItem(sb, types.KeyChangesMadePrefix, "key_changes_made", collections.Uint64Value),
	}
	k.addRequestCollections(sb)
	schema, err := sb.Build()
	if err != nil {
		panic(err) // two collections share a prefix or a name: a mistake in this file
	}
	k.schema = schema
	return k
}

// SetSlashing gives the keeper what jails. It is called while the application is
// wired, or not at all.
func (k *Keeper) SetSlashing(slashing types.SlashingKeeper) *Keeper {
	k.slashing = slashing
	return k
}

func (k *Keeper) addRequestCollections(sb *collections.SchemaBuilder) {
	kindID := collections.PairKeyCodec(collections.Uint32Key, collections.StringKey)
	nameKindID := collections.TripleKeyCodec(collections.StringKey, collections.Uint32Key, collections.StringKey)
	k.requests = collections.NewMap(sb, types.RequestsPrefix, "requests", kindID, codec.CollValue[types.Request](k.cdc))
	k.requestExpiry = collections.NewKeySet(sb, types.RequestExpiryPrefix, "request_expiry",
		collections.TripleKeyCodec(collections.Int64Key, collections.Uint32Key, collections.StringKey))
	k.requestsByMember = collections.NewKeySet(sb, types.RequestsByMemberPrefix, "requests_by_member", nameKindID)
	k.requestsByKey = collections.NewKeySet(sb, types.RequestsByKeyPrefix, "requests_by_key", nameKindID)
	k.condemnedRequests = collections.NewMap(sb, types.CondemnedRequestsPrefix, "condemned_requests", kindID, collections.StringValue)
	k.attestations = collections.NewMap(sb, types.AttestationsPrefix, "attestations",
		collections.QuadKeyCodec(collections.Uint32Key, collections.StringKey, collections.BytesKey, collections.StringKey),
		codec.CollValue[types.StoredAttestation](k.cdc))
	k.attestedAttempts = collections.NewKeySet(sb, types.AttestedAttemptsPrefix, "attested_attempts",
		collections.QuadKeyCodec(collections.Uint32Key, collections.StringKey, collections.StringKey, collections.Uint32Key))
	k.decidedRequests = collections.NewKeySet(sb, types.DecidedRequestsPrefix, "decided_requests",
		collections.TripleKeyCodec(collections.Int64Key, collections.Uint32Key, collections.StringKey))
	k.prunedRequests = collections.NewMap(sb, types.PrunedRequestsPrefix, "pruned_requests", kindID, collections.BytesValue)
	k.refusals = collections.NewMap(sb, types.RefusalsPrefix, "refusals",
		collections.PairKeyCodec(collections.StringKey, collections.StringKey), collections.StringValue)
}

func (k *Keeper) logger(ctx context.Context) log.Logger {
	return sdk.UnwrapSDKContext(ctx).Logger().With("module", "x/"+types.ModuleName)
}
