package types

import "cosmossdk.io/collections"

const (
	// ModuleName is the name of the module, of its errors' codespace, of its store, and the
	// owner of its keys in x/mpc.
	ModuleName = "settlement"
	// StoreKey is the name of the module's store.
	StoreKey = ModuleName
	// IDPrefix begins the ids of the module's keys and signatures in x/mpc, where no one
	// else may use it.
	IDPrefix = ModuleName + ":"
)

// Prefixes of the module's collections. A number is never used again for something else.
var (
	ParamsPrefix        = collections.NewPrefix(0)
	KeysPrefix          = collections.NewPrefix(1)
	LinesPrefix         = collections.NewPrefix(2)
	BatchesPrefix       = collections.NewPrefix(3)
	TransactionsPrefix  = collections.NewPrefix(4)
	TransactionIDPrefix = collections.NewPrefix(5)
	OpenPrefix          = collections.NewPrefix(6)
	ProposalsPrefix     = collections.NewPrefix(7)
	ReportsPrefix       = collections.NewPrefix(8)
	DonePrefix          = collections.NewPrefix(9)
)
