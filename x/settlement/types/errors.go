package types

import (
	errorsmod "cosmossdk.io/errors"
	grpccodes "google.golang.org/grpc/codes"
)

// The errors of the module. Each has a code of its own, which never changes its meaning,
// and its text is the reason followed by what to do about it. Operators find what not to do
// in the runbook.
var (
	// ErrBadParams: a parameter of MsgUpdateParams, or of a genesis file, is out of its bounds,
	// or destinations are not in order: correct the one that is named. All parameters are set at
	// once.
	ErrBadParams = register(2, grpccodes.InvalidArgument, "bad_params", "correct the parameter that is named")
	// ErrBadBatch: a proposed batch has a root that has not RootBytes, ends before it begins, or
	// names no purpose: correct what proposes. It fails before any state is looked at.
	ErrBadBatch = register(3, grpccodes.InvalidArgument, "bad_batch", "a batch has a root of 32 bytes, and ends where it begins or later")
	// ErrBadReceipt: a hash of a reported receipt is not 0x and 64 small hex digits: report what
	// the other chain's node says, as the relay does.
	ErrBadReceipt = register(4, grpccodes.InvalidArgument, "bad_receipt", "report what the other chain's node says: hashes are 0x and 64 small hex digits")
	// ErrBadKeyID: the id of a key to be made does not begin with IDPrefix, or what it takes are
	// no purposes, each once and in order: choose another id, sort them.
	ErrBadKeyID = register(5, grpccodes.InvalidArgument, "bad_key_id", "the id of a key of this module begins with "+IDPrefix)
	// ErrBadGenesis: the parts of a genesis file do not fit together: correct the entry that is
	// named, or export the state again.
	ErrBadGenesis = register(6, grpccodes.InvalidArgument, "bad_genesis", "correct the genesis file where it says")
	// ErrUnauthorized: somebody else than the authority sent a message of the authority's:
	// propose it by governance.
	ErrUnauthorized = register(7, grpccodes.PermissionDenied, "unauthorized", "only the authority may do this: propose it by governance")
	// ErrNotBonded: who proposes, reports or asks for a signature is no operator of a bonded
	// validator, or not any more: sign with the operator's account; bring a jailed validator
	// back first.
	ErrNotBonded = register(8, grpccodes.PermissionDenied, "not_bonded", "only operators of bonded validators may do this: sign with the operator's account")
	// ErrNotConfigured: the purpose has no destination or no key, chain_id is 0, or there is no
	// such purpose: the authority sets the parameters and makes the key, then propose again.
	ErrNotConfigured = register(9, grpccodes.FailedPrecondition, "not_configured", "the authority must set chain_id and a destination for the purpose first, and give it a READY key")
	// ErrNotNext: a proposed batch does not begin where the line goes on: query the lines, and
	// propose the batch that begins at next_block. Somebody's batch may have been accepted a
	// moment ago.
	ErrNotNext = register(10, grpccodes.FailedPrecondition, "not_next", "propose the batch that begins at the line's next_block")
	// ErrTooManyOpen: as many transactions of the key wait for inclusion as max_open allows: see
	// that the first of them is included, then send the deciding proposal again, of which
	// nothing was noted.
	ErrTooManyOpen = register(11, grpccodes.ResourceExhausted, "too_many_open", "wait until transactions of the key are included; see that relays run and the key's address has funds")
	// ErrUnknownBatch: the purpose has had no batch of this number: look for it in the purpose's
	// batches. One that is not kept any more is ErrPruned.
	ErrUnknownBatch = register(12, grpccodes.NotFound, "unknown_batch", "look for it in the purpose's batches")
	// ErrUnknownTx: there was no transaction of this id: look for it in the transactions. One
	// that is not kept any more is ErrPruned.
	ErrUnknownTx = register(13, grpccodes.NotFound, "unknown_transaction", "look for it in the transactions")
	// ErrUnknownKey: the module has no key of this id, whatever x/mpc has: look for it in the
	// module's keys, or have the authority make it.
	ErrUnknownKey = register(14, grpccodes.NotFound, "unknown_key", "look for it in the module's keys; the authority makes one")
	// ErrKeyNotReady: the key is PENDING, FAILED or DELETED where one that signs is needed: wait
	// if it is PENDING, otherwise have another one made.
	ErrKeyNotReady = register(15, grpccodes.FailedPrecondition, "key_not_ready", "wait until the key is READY; one that failed or was deleted never will be")
	// ErrIDTaken: the module has, or had, a key of this id: choose another, an id is never used
	// again.
	ErrIDTaken = register(16, grpccodes.AlreadyExists, "id_taken", "choose another id")
	// ErrAlreadyIncluded: a report, or a request for a signature, comes when it is decided what
	// became of the transaction: there is nothing left to do.
	ErrAlreadyIncluded = register(17, grpccodes.AlreadyExists, "already_included", "nothing is left to do for this transaction")
	// ErrStillSigning: another signature is asked for while x/mpc still has the newest attempt
	// signed: wait until that is signed, or its request expires.
	ErrStillSigning = register(18, grpccodes.FailedPrecondition, "still_signing", "wait until the signature is there, or its request expires")
	// ErrTooEarly: another attempt is asked for while one with a lower nonce of the key waits,
	// or before bump_blocks have passed since the last one was signed: wait, and look after the
	// first one.
	ErrTooEarly = register(19, grpccodes.FailedPrecondition, "too_early", "wait until the transactions of the key before it are included, and bump_blocks after the signature")
	// ErrFeeLimit: another attempt could not offer a tenth more than the last within
	// max_fee_per_gas, and has no other gas either: the authority may raise max_fee_per_gas.
	// What was sent may still be included.
	ErrFeeLimit = register(20, grpccodes.FailedPrecondition, "fee_limit", "the authority may raise max_fee_per_gas; other nodes take a replacement only for a tenth more")
	// ErrNotReverted: a batch is to be submitted again whose transaction succeeded, or may still
	// be included: wait for its receipt. With a deleted key it may be given up.
	ErrNotReverted = register(21, grpccodes.FailedPrecondition, "not_reverted", "only a batch whose last transaction reverted, or waits with a deleted key, is submitted again")
	// ErrNotOurs: the module's keys are asked to sign something else than the newest attempt of
	// an open transaction, or a hook names such a signature: only a program that was changed
	// does so. Find out who; nothing is signed.
	ErrNotOurs = register(22, grpccodes.PermissionDenied, "not_ours", "the module's keys sign the module's own transactions only")
	// ErrPruned: a batch or transaction was done more than retention_blocks ago, and is not
	// kept: ask a node that has old states, at a height of then.
	ErrPruned = register(23, grpccodes.NotFound, "pruned", "it was settled more than retention_blocks ago and is not kept; ask a node that has old states, at a height of then")
	// ErrOtherChain: a batch needs a nonce of a key that has its nonces on another chain than
	// chain_id: the authority makes another key, which takes the purpose, or sets chain_id back.
	// Then propose again.
	ErrOtherChain = register(24, grpccodes.FailedPrecondition, "other_chain", "the nonces of a key are of one chain: the authority makes another key, which takes the purpose, or sets chain_id back")
)

func register(code uint32, grpc grpccodes.Code, reason, remedy string) *errorsmod.Error {
	return errorsmod.RegisterWithGRPCCode(ModuleName, code, grpc, reason+": "+remedy)
}
