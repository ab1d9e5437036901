package types

import "context"

// FaultHooks is how a slashing module hears of what is held against participants.
// It is told of every fault, in the way of Hooks: in a cache context of its own
// with a gas limit, rolled back alone.
//
// An accusation (fault.Kind) proves nothing. Whoever punishes for one gives every
// participant the means to harm every other.
type FaultHooks interface {
	// AfterFault: the chain has taken evidence or an accusation.
	AfterFault(ctx context.Context, fault Fault) error
}

// ReshareHooks is how a module hears of reshares of its own keys, whoever asked for
// them, in the way of Hooks.
type ReshareHooks interface {
	// AfterKeyReshared: the key signs with the new shares. Its public key is what it
	// was.
	AfterKeyReshared(ctx context.Context, key Key, reshare Reshare) error
	// AfterReshareFailed: reshare.Reason says why. The key is what it was.
	AfterReshareFailed(ctx context.Context, reshare Reshare) error
}

// UndeleteHooks is for the Hooks of a module that wants to hear when a deletion of one
// of its keys is taken back, whoever does it. Hooks that implement it are told, in the
// way of all hooks.
type UndeleteHooks interface {
	// AfterKeyUndeleted: the key is READY again. Requests that the deletion failed stay
	// failed.
	AfterKeyUndeleted(ctx context.Context, key Key) error
}

// Hooks is how a module hears of what it asked for. It is told of its own keys
// and signatures only, each once. Where many results come together, AfterKeyReady and
// AfterSignatureReady may come at the end of the block or of a later one, with the key
// as it is by then.
//
// Every call runs in a cache context of its own with a gas limit
// (keeper.HookGasLimit). An error, a panic or running out of gas rolls back that
// call alone and is reported by EventHookFailed; the result itself stands. A hook
// may call the keeper again; hooks that are called because of it share its limit.
type Hooks interface {
	// AfterKeyReady: the key can sign.
	AfterKeyReady(ctx context.Context, key Key) error
	// AfterKeyFailed: the key will never be; key.Reason says why.
	AfterKeyFailed(ctx context.Context, key Key) error
	// AfterSignatureReady: r, s and v are there and verified.
	AfterSignatureReady(ctx context.Context, signature Signature) error
	// AfterSignFailed: the chain gives up; signature.Reason says why. It does not
	// mean that no signature exists.
	AfterSignFailed(ctx context.Context, signature Signature) error
	// AfterKeyDeleted: the deletion is final, and the shares are destroyed from the new
	// retire_height on.
	AfterKeyDeleted(ctx context.Context, key Key) error
}
