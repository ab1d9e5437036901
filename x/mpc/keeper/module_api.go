package keeper

import (
	"context"

	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// ModuleAPI is what another module of the chain uses to ask for keys and
// signatures. What it asks for is owned by the module's account address
// (authtypes.NewModuleAddress of its name), so no account and no other module can
// use it, and the module's hooks (Keeper.AddHooks) are told of it.
//
// Ids are chosen by the caller and unique on the chain for ever; begin them with
// the module's name. Asking again for the same id with the same content is free
// and returns what is stored, whatever its status, so a caller needs no record of
// what it asked, until what is over is pruned (types.ErrPruned): signatures, reshares and
// keys that failed. An id that failed stays failed: ask again with a new one. A failed
// signature id does not mean that no signature exists. Some participants may have made it,
// so never treat it as proof that a payment was not signed.
type ModuleAPI struct {
	k      *Keeper
	module string
	owner  string
}

// ForModule makes the API of a module. It panics if the name cannot be the name of
// a module account.
func (k *Keeper) ForModule(name string) ModuleAPI {
	if name == "" {
		panic("x/mpc: ForModule needs the name of a module")
	}
	owner, err := k.accountCodec.BytesToString(authtypes.NewModuleAddress(name))
	if err != nil {
		panic("x/mpc: module account address of " + name + ": " + err.Error())
	}
	return ModuleAPI{k: k, module: name, owner: owner}
}

// Owner is the account address that owns what the module asks for.
func (a ModuleAPI) Owner() string { return a.owner }

// KeyGen asks for a key that threshold+1 participants can sign with. No
// participants: all bonded registered validators by power, up to
// max_participants. The key comes back PENDING; AfterKeyReady or AfterKeyFailed
// follows. Options are part of what was asked.
func (a ModuleAPI) KeyGen(
	ctx context.Context, keyID string, algorithm types.Algorithm, threshold uint32, participants []string, options ...KeyOption,
) (types.Key, error) {
	msg := types.MsgKeyGen{
		Requester: a.owner, KeyId: keyID, Algorithm: algorithm, Threshold: threshold, Participants: participants,
	}
	for _, option := range options {
		option(&msg)
	}
	return a.k.keyGen(ctx, msg, a.module)
}

// KeyOption says more of a key that a module asks for.
type KeyOption func(*types.MsgKeyGen)

// AllowRaw lets the key sign digests as they are (types.DigestPayload), of which no node
// can say what they are of: that it signs one thing only for a nonce of another chain does
// not hold then. Without it the key signs payloads of known kinds only (types.KindPayload).
func AllowRaw() KeyOption { return func(msg *types.MsgKeyGen) { msg.AllowRaw = true } }

// KeySign asks for a signature by one of the module's READY keys. It comes back
// PENDING; AfterSignatureReady or AfterSignFailed follows.
func (a ModuleAPI) KeySign(ctx context.Context, signatureID, keyID string, payload types.SignPayload) (types.Signature, error) {
	return a.k.keySign(ctx, types.MsgKeySign{
		Requester: a.owner, SignatureId: signatureID, KeyId: keyID, Payload: payload,
	}, a.module)
}

// KeyDelete decides that one of the module's keys is destroyed and returns the
// height at which its shares go. No result of its open requests counts from now
// on; they fail at the end of the block.
func (a ModuleAPI) KeyDelete(ctx context.Context, keyID string) (retireHeight int64, err error) {
	return a.k.keyDelete(ctx, types.MsgKeyDelete{Requester: a.owner, KeyId: keyID})
}

// KeyUndelete takes the deletion of one of the module's keys back, whoever decided it,
// as long as the key is DELETING. It signs again with the shares that it had; requests
// that the deletion failed stay failed.
func (a ModuleAPI) KeyUndelete(ctx context.Context, keyID string) (types.Key, error) {
	return a.k.undelete(ctx, types.MsgUndelete{Requester: a.owner, KeyId: keyID})
}

// KeyReshare asks for new shares of one of the module's keys, for a committee that
// may be the same. No participants: as for KeyGen. The reshare comes back PENDING;
// AfterKeyReshared or AfterReshareFailed (ReshareHooks) follows. The key signs all
// the time.
func (a ModuleAPI) KeyReshare(ctx context.Context, reshareID, keyID string, threshold uint32, participants []string) (types.Reshare, error) {
	return a.k.keyReshare(ctx, types.MsgKeyReshare{
		Requester: a.owner, ReshareId: reshareID, KeyId: keyID, Threshold: threshold, Participants: participants,
	}, a.module)
}

// CancelReshare gives up a reshare of one of the module's keys that is not decided,
// whoever asked for it.
func (a ModuleAPI) CancelReshare(ctx context.Context, reshareID string) (types.Reshare, error) {
	return a.k.cancelReshare(ctx, types.MsgCancelReshare{Requester: a.owner, ReshareId: reshareID})
}

// Reshare reads any reshare; types.ErrUnknownReshare if there is none, types.ErrPruned if
// it was decided more than retention_blocks ago.
func (a ModuleAPI) Reshare(ctx context.Context, id string) (types.Reshare, error) {
	return a.k.Reshare(ctx, id)
}

// CanReshare returns nil if KeyReshare with a new id would be accepted now,
// otherwise the error that it would give; and types.ErrTooFewSigners, as CanSign, if it
// would be and t or fewer participants are left whose share is not missing.
func (a ModuleAPI) CanReshare(ctx context.Context, keyID string, threshold uint32, participants []string) error {
	_, err := a.k.reshareReadiness(ctx, keyID, a.owner, a.module, threshold, participants)
	return err
}

// Key reads any key; types.ErrUnknownKey if there is none, types.ErrPruned if it failed
// so long ago that it is not kept. Other keys are.
func (a ModuleAPI) Key(ctx context.Context, id string) (types.Key, error) { return a.k.Key(ctx, id) }

// Finished is what became of the payload of a READY signature, ready to be used: of an
// Ethereum transaction, the signed one and its hash. False if the signature is not READY,
// or of a raw digest.
func (a ModuleAPI) Finished(ctx context.Context, s types.Signature) (mpctypes.FinishedPayload, bool, error) {
	return a.k.Finished(ctx, s)
}

// Signature reads any signature; types.ErrUnknownSignature if there is none,
// types.ErrPruned if it was decided more than retention_blocks ago.
func (a ModuleAPI) Signature(ctx context.Context, id string) (types.Signature, error) {
	return a.k.Signature(ctx, id)
}

// CanKeyGen returns nil if KeyGen with a new id would be accepted now, otherwise
// the error that it would give.
func (a ModuleAPI) CanKeyGen(ctx context.Context, threshold uint32, participants []string) error {
	_, err := a.k.keygenReadiness(ctx, a.owner, a.module, threshold, participants)
	return err
}

// CanSign returns nil if KeySign with a new id would be accepted now, otherwise
// the error that it would give; and types.ErrTooFewSigners if it would be, but so many
// participants said that their share is missing that nothing will come of it, unless they
// put their databases back.
func (a ModuleAPI) CanSign(ctx context.Context, keyID string) error {
	return a.k.signReadiness(ctx, keyID, a.owner, a.module)
}
