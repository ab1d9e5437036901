// Package keeper is the state machine of x/mpc: it takes requests for keys and
// signatures, pins everything that they depend on, takes the participants'
// results, and decides.
//
// The way of a request is one direction only. KeyGen, KeySign and KeyReshare store
// the key, signature or reshare as PENDING together with an open request (request.go)
// that is found by expiry, by member and by key. It ends in exactly one of these
// ways: a result arrives (attestation.go, signature.go), its height comes
// (expiry.go), it is condemned (condemn.go) because a member that it needs revokes its
// identity (revocation.go) or its key is deleted (delete.go), or a reshare is cancelled
// (reshare.go). Then it leaves state, and whoever asked hears of it by an event and
// by hooks (hooks.go).
//
// A reshare has two requests, one after the other: its own, which makes the new
// shares, and a signature, which tests them over a digest that nobody knew before
// (test_digest.go). Only the second one's result changes the key (reshare_decide.go); until
// then, and if either fails, it signs with what it has.
//
// A deletion can be taken back while the key is DELETING (undelete.go). The end of a
// block prunes what is over for long (prune.go), and may ask for reshares by itself
// where participants leave or lose their shares (reshare_auto.go, share_missing.go). Who asks by message may have to pay (fee.go).
//
// Results are applied by package abci in PreBlock, expiries and condemnations in
// EndBlock (due.go), so many in each block: in one block a result comes before an
// expiry. What no transaction pays for is counted (work.go); hooks of results that
// cost too much for one block wait for the end of it or of the next (hooks_queue.go).
//
// What is to be signed is decoded when it is asked for (payload.go), and may be refused by
// a policy (policy.go); the request pins both.
//
// The node's engine reads committed state through engine.go, other modules ask
// through ModuleAPI, accounts through the Msg service.
package keeper
