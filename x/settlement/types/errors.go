package types

import (
	errorsmod "cosmossdk.io/errors"
	grpccodes "google.golang.org/grpc/codes"
)

// The errors of the module. Each has a code of its own, which never changes its meaning,
// and its text is the reason followed by what to do about it.
var (
	ErrBadParams       = register(2, grpccodes.InvalidArgument, "bad_params", "correct the parameter that is named")
	ErrBadBatch        = register(3, grpccodes.InvalidArgument, "bad_batch", "a batch has a root of 32 bytes, and ends where it begins or later")
	ErrBadReceipt      = register(4, grpccodes.InvalidArgument, "bad_receipt", "report what the other chain's node says: hashes are 0x and 64 small hex digits")
	ErrBadKeyID        = register(5, grpccodes.InvalidArgument, "bad_key_id", "the id of a key of this module begins with "+IDPrefix)
	ErrBadGenesis      = register(6, grpccodes.InvalidArgument, "bad_genesis", "correct the genesis file where it says")
	ErrUnauthorized    = register(7, grpccodes.PermissionDenied, "unauthorized", "only the authority may do this: propose it by governance")
	ErrNotBonded       = register(8, grpccodes.PermissionDenied, "not_bonded", "only operators of bonded validators may do this: sign with the operator's account")
	ErrNotConfigured   = register(9, grpccodes.FailedPrecondition, "not_configured", "the authority must set chain_id and a destination for the purpose first, and give it a READY key")
	ErrNotNext         = register(10, grpccodes.FailedPrecondition, "not_next", "propose the batch that begins at the line's next_block")
	ErrTooManyOpen     = register(11, grpccodes.ResourceExhausted, "too_many_open", "wait until transactions of the key are included; see that relays run and the key's address has funds")
	ErrUnknownBatch    = register(12, grpccodes.NotFound, "unknown_batch", "look for it in the purpose's batches")
	ErrUnknownTx       = register(13, grpccodes.NotFound, "unknown_transaction", "look for it in the transactions")
	ErrUnknownKey      = register(14, grpccodes.NotFound, "unknown_key", "look for it in the module's keys; the authority makes one")
	ErrKeyNotReady     = register(15, grpccodes.FailedPrecondition, "key_not_ready", "wait until the key is READY; one that failed or was deleted never will be")
	ErrIDTaken         = register(16, grpccodes.AlreadyExists, "id_taken", "choose another id")
	ErrAlreadyIncluded = register(17, grpccodes.AlreadyExists, "already_included", "nothing is left to do for this transaction")
	ErrStillSigning    = register(18, grpccodes.FailedPrecondition, "still_signing", "wait until the signature is there, or its request expires")
	ErrTooEarly        = register(19, grpccodes.FailedPrecondition, "too_early", "wait until the transactions of the key before it are included, and bump_blocks after the signature")
	ErrFeeLimit        = register(20, grpccodes.FailedPrecondition, "fee_limit", "the authority may raise max_fee_per_gas; other nodes take a replacement only for a tenth more")
	ErrNotReverted     = register(21, grpccodes.FailedPrecondition, "not_reverted", "only a batch whose last transaction reverted, or waits with a deleted key, is submitted again")
	ErrNotOurs         = register(22, grpccodes.PermissionDenied, "not_ours", "the module's keys sign the module's own transactions only")
	ErrPruned          = register(23, grpccodes.NotFound, "pruned", "it was settled more than retention_blocks ago and is not kept; ask a node that has old states, at a height of then")
	ErrOtherChain      = register(24, grpccodes.FailedPrecondition, "other_chain", "the nonces of a key are of one chain: the authority makes another key, which takes the purpose, or sets chain_id back")
)

func register(code uint32, grpc grpccodes.Code, reason, remedy string) *errorsmod.Error {
	return errorsmod.RegisterWithGRPCCode(ModuleName, code, grpc, reason+": "+remedy)
}
