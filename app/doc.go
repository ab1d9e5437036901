// Package app is the sequencer chain: a Cosmos SDK application wired by hand
// (auth, bank, staking, slashing, distribution, gov, evidence, upgrade,
// consensus, authz, genutil) with x/mpc in it, and x/settlement, which uses it.
//
// The application decides nothing about MPC itself. x/mpc holds the requests
// and their results; package mpcnode carries the engine that works on them:
//
//	block ──► x/mpc state ──► PrepareCheckState ──► Link.Wake ──► engine
//	                                                                │
//	proposal ◄── x/mpc/abci wrappers ◄── Link.Results ◄─────────────┘
//
// App owns its stores and its Link. It starts no goroutine: root commands build
// throw-away applications, and blocks are replayed before a node exists.
//
// There is no mint module: the supply is fixed at genesis, and distribution
// hands the fees to the validators.
package app
