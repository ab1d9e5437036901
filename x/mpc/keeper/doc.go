// Package keeper is the state machine of x/mpc: it takes requests for keys and
// signatures, pins everything that they depend on, takes the participants'
// results, and decides.
//
// The way of a request is one direction only. KeyGen and KeySign store the key or
// signature as PENDING together with an open request (request.go) that is found
// by expiry, by member and by key. It ends in exactly one of these ways, and
// leaves state at once: a result arrives (attestation.go, signature.go), its
// height comes (expiry.go), a member revokes its identity (participant.go), or
// its key is deleted (delete.go). Whoever asked hears of it by an event and by
// hooks (hooks.go).
//
// Results are applied by package abci in PreBlock, expiries in EndBlock: in one
// block a result comes before an expiry.
//
// The node's engine reads committed state through engine.go, other modules ask
// through ModuleAPI, accounts through the Msg service.
package keeper
