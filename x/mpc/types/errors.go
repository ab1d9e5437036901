package types

import (
	"errors"
	"strings"

	errorsmod "cosmossdk.io/errors"
	grpccodes "google.golang.org/grpc/codes"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
)

// The errors of the module. Each has a code of its own, which never changes its
// meaning, and its text is the typed reason followed by what to do about it. It means
// what package mpc/types says of the reason of the same name.
var (
	ErrBadID                 = register(2, mpctypes.ErrBadID, grpccodes.InvalidArgument)
	ErrIDTaken               = register(3, mpctypes.ErrIDTaken, grpccodes.AlreadyExists)
	ErrRequestPending        = register(4, mpctypes.ErrRequestPending, grpccodes.AlreadyExists)
	ErrBadThreshold          = register(5, mpctypes.ErrBadThreshold, grpccodes.InvalidArgument)
	ErrTooFewParticipants    = register(6, mpctypes.ErrTooFewParticipants, grpccodes.FailedPrecondition)
	ErrTooManyParticipants   = register(7, mpctypes.ErrTooManyParticipants, grpccodes.InvalidArgument)
	ErrDuplicateParticipant  = register(8, mpctypes.ErrDuplicateParticipant, grpccodes.InvalidArgument)
	ErrUnknownParticipant    = register(9, mpctypes.ErrUnknownParticipant, grpccodes.NotFound)
	ErrUnregistered          = register(10, mpctypes.ErrUnregistered, grpccodes.FailedPrecondition)
	ErrNotBonded             = register(11, mpctypes.ErrNotBonded, grpccodes.FailedPrecondition)
	ErrBadDigest             = register(12, mpctypes.ErrBadDigest, grpccodes.InvalidArgument)
	ErrBadPayload            = register(13, mpctypes.ErrBadPayload, grpccodes.InvalidArgument)
	ErrUnsupportedAlgorithm  = register(14, mpctypes.ErrUnsupportedAlgorithm, grpccodes.InvalidArgument)
	ErrUnknownKey            = register(15, mpctypes.ErrUnknownKey, grpccodes.NotFound)
	ErrUnknownSignature      = register(16, mpctypes.ErrUnknownSignature, grpccodes.NotFound)
	ErrKeyNotReady           = register(17, mpctypes.ErrKeyNotReady, grpccodes.FailedPrecondition)
	ErrKeyDeleted            = register(18, mpctypes.ErrKeyDeleted, grpccodes.FailedPrecondition)
	ErrNotOwner              = register(19, mpctypes.ErrNotOwner, grpccodes.PermissionDenied)
	ErrNotRequester          = register(20, mpctypes.ErrNotRequester, grpccodes.PermissionDenied)
	ErrUnauthorized          = register(21, mpctypes.ErrUnauthorized, grpccodes.PermissionDenied)
	ErrTooManyPending        = register(22, mpctypes.ErrTooManyPending, grpccodes.ResourceExhausted)
	ErrBadProof              = register(23, mpctypes.ErrBadProof, grpccodes.InvalidArgument)
	ErrBadParams             = register(24, mpctypes.ErrBadParams, grpccodes.InvalidArgument)
	ErrIdentityKeyInUse      = register(25, mpctypes.ErrIdentityKeyInUse, grpccodes.AlreadyExists)
	ErrDuplicateRegistration = register(26, mpctypes.ErrDuplicateRegistration, grpccodes.AlreadyExists)
	ErrBadBundle             = register(27, mpctypes.ErrBadBundle, grpccodes.InvalidArgument)
	ErrUnknownRequest        = register(28, mpctypes.ErrUnknownRequest, grpccodes.NotFound)
	ErrAlreadyDecided        = register(29, mpctypes.ErrAlreadyDecided, grpccodes.AlreadyExists)
	ErrBadResult             = register(30, mpctypes.ErrBadResult, grpccodes.InvalidArgument)
	ErrBadGenesis            = register(31, mpctypes.ErrBadGenesis, grpccodes.InvalidArgument)
	ErrTooManyIdentities     = register(32, mpctypes.ErrTooManyIdentities, grpccodes.ResourceExhausted)
	ErrUnknownReshare        = register(33, mpctypes.ErrUnknownReshare, grpccodes.NotFound)
	ErrResharePending        = register(34, mpctypes.ErrResharePending, grpccodes.FailedPrecondition)
	ErrBadAddress            = register(35, mpctypes.ErrBadAddress, grpccodes.InvalidArgument)
	ErrKeyFailed             = register(36, mpctypes.ErrKeyFailed, grpccodes.FailedPrecondition)
	ErrTooFewSigners         = register(37, mpctypes.ErrTooFewSigners, grpccodes.FailedPrecondition)
	ErrKeyNotDeleting        = register(38, mpctypes.ErrKeyNotDeleting, grpccodes.FailedPrecondition)
	ErrPruned                = register(39, mpctypes.ErrPruned, grpccodes.NotFound)
	ErrFeeNotPaid            = register(40, mpctypes.ErrFeeNotPaid, grpccodes.FailedPrecondition)
	ErrUnknownKind           = register(41, mpctypes.ErrUnknownKind, grpccodes.InvalidArgument)
	ErrNotCanonical          = register(42, mpctypes.ErrNotCanonical, grpccodes.InvalidArgument)
	ErrPayloadTooLarge       = register(43, mpctypes.ErrPayloadTooLarge, grpccodes.InvalidArgument)
	ErrRawNotAllowed         = register(44, mpctypes.ErrRawNotAllowed, grpccodes.FailedPrecondition)
	ErrPlaceTaken            = register(45, mpctypes.ErrPlaceTaken, grpccodes.FailedPrecondition)
	ErrWrongChain            = register(46, mpctypes.ErrWrongChain, grpccodes.PermissionDenied)
	ErrPolicy                = register(47, mpctypes.ErrPolicy, grpccodes.PermissionDenied)
)

// registered lists all errors by ascending code.
var registered []registeredError

type registeredError struct {
	reason mpctypes.Reason
	err    *errorsmod.Error
}

func register(code uint32, reason mpctypes.Reason, grpc grpccodes.Code) *errorsmod.Error {
	err := errorsmod.RegisterWithGRPCCode(ModuleName, code, grpc, string(reason)+": "+reason.Remedy())
	registered = append(registered, registeredError{reason, err})
	return err
}

// FromReason turns an error that carries a typed reason into the registered error
// of that reason, so that a transaction fails with its code. Other errors come
// back as they are.
func FromReason(err error) error {
	reason := mpctypes.ReasonOf(err)
	for _, r := range registered {
		if r.reason != reason {
			continue
		}
		detail := strings.TrimPrefix(strings.TrimPrefix(err.Error(), string(reason)), ": ")
		if detail == "" {
			return r.err
		}
		return r.err.Wrap(detail)
	}
	return err
}

// ReasonOf is the reverse: the typed reason of an error of this module, or of one
// that carries a reason itself. Empty if it has none.
func ReasonOf(err error) mpctypes.Reason {
	for _, r := range registered {
		if errors.Is(err, r.err) {
			return r.reason
		}
	}
	return mpctypes.ReasonOf(err)
}
