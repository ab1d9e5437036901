package types

import "cosmossdk.io/collections"

const (
	// ModuleName is the name of the module, of its errors' codespace and of its
	// store.
	ModuleName = "mpc"
	// StoreKey is the name of the module's store.
	StoreKey = ModuleName
)

// Prefixes of the module's collections. A number is never used again for
// something else.
var (
	ParamsPrefix             = collections.NewPrefix(0)
	ParticipantsPrefix       = collections.NewPrefix(1)
	IdentityKeysPrefix       = collections.NewPrefix(2)
	KeysPrefix               = collections.NewPrefix(3)
	KeysByStatusPrefix       = collections.NewPrefix(4)
	KeysByOwnerPrefix        = collections.NewPrefix(5)
	SignaturesPrefix         = collections.NewPrefix(6)
	SignaturesByKeyPrefix    = collections.NewPrefix(7)
	RequestsPrefix           = collections.NewPrefix(8)
	RequestExpiryPrefix      = collections.NewPrefix(9)
	RequestsByMemberPrefix   = collections.NewPrefix(10)
	RequestsByKeyPrefix      = collections.NewPrefix(11)
	PendingTotalPrefix       = collections.NewPrefix(12)
	PendingByOwnerPrefix     = collections.NewPrefix(13)
	AttestationsPrefix       = collections.NewPrefix(14)
	AttestedAttemptsPrefix   = collections.NewPrefix(15)
	KeyRetirementsPrefix     = collections.NewPrefix(16)
	CondemnedRequestsPrefix  = collections.NewPrefix(17)
	FaultsPrefix             = collections.NewPrefix(18)
	FaultLapsesPrefix        = collections.NewPrefix(19)
	ResharesPrefix           = collections.NewPrefix(20)
	ResharesByKeyPrefix      = collections.NewPrefix(21)
	ResharesByStatusPrefix   = collections.NewPrefix(22)
	QueuedHooksPrefix        = collections.NewPrefix(23)
	DecidedSignaturesPrefix  = collections.NewPrefix(24)
	PrunedSignaturesPrefix   = collections.NewPrefix(25)
	AutoResharePlacePrefix   = collections.NewPrefix(26)
	ProofsPrefix             = collections.NewPrefix(27)
	SignedPlacesPrefix       = collections.NewPrefix(28)
	KeyChangesPrefix         = collections.NewPrefix(30)
	KeyChangesMadePrefix     = collections.NewPrefix(31)
	AwaitedAcksPrefix        = collections.NewPrefix(32)
	ParticipantChangesPrefix = collections.NewPrefix(33)
	RefusalsPrefix           = collections.NewPrefix(34)
	AbsenteesPrefix          = collections.NewPrefix(35)
	DecidedRequestsPrefix    = collections.NewPrefix(36)
	PrunedRequestsPrefix     = collections.NewPrefix(37)
)
