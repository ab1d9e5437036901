package mpcnode

import (
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// App is what a chain's application offers to the engine beside what the SDK
// asks of it. baseapp has the first three.
type App interface {
	servertypes.Application
	// ChainID is in everything that is signed.
	ChainID() string
	// LastBlockHeight is that of the last committed block.
	LastBlockHeight() int64
	// CreateQueryContext gives a committed state to read from.
	CreateQueryContext(height int64, prove bool) (sdk.Context, error)
	// MPCLink is what the application's ABCI handlers were made with.
	MPCLink() *Link
	// MPCState reads x/mpc.
	MPCState() State
}
