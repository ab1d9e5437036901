package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// CheckAttestation says whether the attestation would apply to this state: it is
// waited for, by the identity that must sign it, it answers what was asked here and not
// what was asked under the same id on a branch that was rolled back, and what it says is
// sound.
func (k *Keeper) CheckAttestation(ctx context.Context, a *mpctypes.Attestation) error {
	identity, err := k.attestor(ctx, a)
	if err != nil {
		return err
	}
	if a.Commitment != identity.commitment {
		return types.ErrBadResult.Wrapf("the attestation of %s by %s is not of what this chain committed", a.Request, a.Operator)
	}
	if err := a.Verify(sdk.UnwrapSDKContext(ctx).ChainID(), identity.key); err != nil {
		return types.ErrBadResult.Wrap(err.Error())
	}
	if identity.request == nil {
		return nil
	}
	_, err = k.parsePayload(ctx, *identity.request, a)
	return err
}

// parsePayload decodes what was attested and checks it as far as one attestation can
// be: the session is a new one of the key, a reshare's payload is of the same key.
func (k *Keeper) parsePayload(ctx context.Context, r types.Request, a *mpctypes.Attestation) (mpctypes.KeygenPayload, error) {
	key, err := k.Key(ctx, r.KeyId)
	if err != nil {
		return mpctypes.KeygenPayload{}, err
	}
	if err := key.CheckSession(a.Session); err != nil {
		return mpctypes.KeygenPayload{}, err
	}
	return r.ParsePayload(a.Payload, key)
}

// ApplyAttestation checks an attestation and applies it. After an error the state
// is undefined; callers run it in a cache context.
func (k *Keeper) ApplyAttestation(ctx context.Context, a *mpctypes.Attestation) error {
	if err := k.CheckAttestation(ctx, a); err != nil {
		return err
	}
	switch a.Request.Kind {
	case mpctypes.KindDelete:
		return k.acknowledgeDeletion(ctx, a)
	case mpctypes.KindShareMissing:
		return k.recordMissing(ctx, a)
	case mpctypes.KindShareFound:
		return k.recordFound(ctx, a)
	}
	return k.storeAttestation(ctx, a)
}

// attestor is who must have signed an attestation of an open request; a deletion and a
// missing share have none.
type attestor struct {
	key     []byte
	request *types.Request
	// commitment is what it answers.
	commitment mpctypes.Hash
}

func (k *Keeper) attestor(ctx context.Context, a *mpctypes.Attestation) (attestor, error) {
	switch a.Request.Kind {
	case mpctypes.KindKeygen, mpctypes.KindReshare:
		return k.shareAttestor(ctx, a)
	case mpctypes.KindDelete:
		return k.deletionAttestor(ctx, a)
	case mpctypes.KindShareMissing, mpctypes.KindShareFound:
		return k.shareWordAttestor(ctx, a)
	}
	return attestor{}, types.ErrBadResult.Wrapf("a %s request takes no attestations", a.Request.Kind)
}

// shareAttestor checks everything about an attestation of a new share but signature
// and payload.
func (k *Keeper) shareAttestor(ctx context.Context, a *mpctypes.Attestation) (attestor, error) {
	r, waiting, err := k.waiting(ctx, requestKeyOf(a.Request))
	if err != nil {
		return attestor{}, err
	}
	if !waiting {
		return attestor{}, k.whyClosed(ctx, a.Request)
	}
	m, ok := r.Attestor(string(a.Operator))
	if !ok {
		return attestor{}, types.ErrUnknownParticipant.Wrapf("%s is no member of %s, or gets no share by it", a.Operator, a.Request)
	}
	if a.IdentityVersion != m.IdentityVersion {
		return attestor{}, types.ErrBadResult.Wrapf("identity version %d of %s, %s pinned %d", a.IdentityVersion, a.Operator, a.Request, m.IdentityVersion)
	}
	if now := r.Attempt(sdk.UnwrapSDKContext(ctx).BlockHeight()); a.Attempt > now {
		return attestor{}, types.ErrBadResult.Wrapf("attempt %d of %s, the chain is at %d", a.Attempt, a.Request, now)
	}
	attempted, err := k.attestedAttempts.Has(ctx, attemptKeyOf(a))
	if err != nil {
		return attestor{}, fmt.Errorf("look up attempt: %w", err)
	}
	attested, err := k.attestations.Has(ctx, attestationKeyOf(a))
	if err != nil {
		return attestor{}, fmt.Errorf("look up attestation: %w", err)
	}
	if attempted || attested {
		return attestor{}, types.ErrAlreadyDecided.Wrapf("%s attested this session or attempt of %s before", a.Operator, a.Request)
	}
	key, err := k.Key(ctx, r.KeyId)
	if err != nil {
		return attestor{}, err
	}
	return attestor{m.IdentityKey, &r, commitmentOf(ctx, r, key)}, nil
}

// commitmentOf names an open request, as engines do.
func commitmentOf(ctx context.Context, r types.Request, key types.Key) mpctypes.Hash {
	engine := r.ToEngine(key)
	return engine.Commitment(sdk.UnwrapSDKContext(ctx).ChainID())
}

// deletionAttestor checks everything about a deletion's attestation but its
// signature.
func (k *Keeper) deletionAttestor(ctx context.Context, a *mpctypes.Attestation) (attestor, error) {
	key, err := k.Key(ctx, a.Request.ID)
	if err != nil {
		return attestor{}, err
	}
	if err := key.AwaitsAck(string(a.Operator)); err != nil {
		return attestor{}, err
	}
	engine := key.ToEngine()
	return k.unpinnedAttestor(ctx, a, engine.DeletionCommitment(sdk.UnwrapSDKContext(ctx).ChainID()))
}

// unpinnedAttestor is an operator by its current identity: no request pinned one, and those
// that were replaced may be in the hands of others.
func (k *Keeper) unpinnedAttestor(ctx context.Context, a *mpctypes.Attestation, commitment mpctypes.Hash) (attestor, error) {
	p, err := k.Participant(ctx, string(a.Operator))
	if err != nil {
		return attestor{}, err
	}
	id, ok := p.Current()
	if !ok || id.Version != a.IdentityVersion {
		return attestor{}, types.ErrUnregistered.Wrapf("version %d is not the current identity of %s", a.IdentityVersion, a.Operator)
	}
	return attestor{key: id.PublicKey, commitment: commitment}, nil
}

// whyClosed tells a request that is decided, or going to fail, from one that never
// was.
func (k *Keeper) whyClosed(ctx context.Context, id mpctypes.RequestID) error {
	var err error
	switch id.Kind {
	case mpctypes.KindSign:
		_, err = k.Signature(ctx, id.ID)
	case mpctypes.KindReshare:
		_, err = k.Reshare(ctx, id.ID)
	default:
		_, err = k.Key(ctx, id.ID)
	}
	if err != nil && !errors.Is(err, types.ErrPruned) {
		return err
	}
	return types.ErrAlreadyDecided.Wrap(id.String())
}

func (k *Keeper) acknowledgeDeletion(ctx context.Context, a *mpctypes.Attestation) error {
	key, err := k.Key(ctx, a.Request.ID)
	if err != nil {
		return err
	}
	if err := key.Acknowledge(string(a.Operator), a.FoundNothing()); err != nil {
		return err
	}
	if err := k.setKey(ctx, key); err != nil {
		return err
	}
	if err := k.awaitedAcks.Remove(ctx, collections.Join(string(a.Operator), key.Id)); err != nil {
		return fmt.Errorf("remove key %s from those that %s destroys: %w", key.Id, a.Operator, err)
	}
	k.emit(ctx, &types.EventDeletionAck{
		KeyId: key.Id, Operator: string(a.Operator), Acks: uint32(len(key.DeletionAcks)), Holders: uint32(len(key.Holders)),
		Empty: uint32(len(key.DeletionEmpty)),
	})
	return nil
}

// storeAttestation records a member's word on its new share. If it was the last that
// its session waited for, the key is READY, or the reshare is tested.
func (k *Keeper) storeAttestation(ctx context.Context, a *mpctypes.Attestation) error {
	stored := types.StoredAttestation{
		Kind: types.RequestKind(a.Request.Kind), RequestId: a.Request.ID, Operator: string(a.Operator),
		Attempt: a.Attempt, Session: a.Session[:], Payload: a.Payload,
	}
	if err := k.setAttestation(ctx, stored); err != nil {
		return err
	}
	r, _, err := k.request(ctx, requestKeyOf(a.Request))
	if err != nil {
		return err
	}
	key, err := k.Key(ctx, r.KeyId)
	if err != nil {
		return err
	}
	key.AddHolder(stored.Operator)
	agreed, err := k.countAgreeing(ctx, a)
	if err != nil {
		return err
	}
	switch {
	case agreed < r.Attestors():
		return k.setKey(ctx, key)
	case r.Kind == types.REQUEST_KIND_RESHARE:
		return k.stageReshare(ctx, r, key, a)
	}
	return k.decideKeygen(ctx, r, key, a)
}

// countAgreeing counts the members that attested this payload for this session: none
// is stored of those that get no share.
func (k *Keeper) countAgreeing(ctx context.Context, a *mpctypes.Attestation) (int, error) {
	n := 0
	session := collections.NewSuperPrefixedQuadRange3[uint32, string, []byte, string](uint32(a.Request.Kind), a.Request.ID, a.Session[:])
	err := k.attestations.Walk(ctx, session, func(_ attestationKey, s types.StoredAttestation) (bool, error) {
		if string(s.Payload) == string(a.Payload) {
			n++
		}
		return false, nil
	})
	if err != nil {
		return 0, fmt.Errorf("count attestations of %s: %w", a.Request, err)
	}
	return n, nil
}

// decideKeygen names the session that got there first.
func (k *Keeper) decideKeygen(ctx context.Context, r types.Request, key types.Key, a *mpctypes.Attestation) error {
	payload, err := r.ParsePayload(a.Payload, key)
	if err != nil {
		return err
	}
	if err := k.closeRequest(ctx, r); err != nil {
		return err
	}
	retire, err := k.retireHeight(ctx)
	if err != nil {
		return err
	}
	if err := key.Win(a, payload, sdk.UnwrapSDKContext(ctx).BlockHeight(), retire); err != nil {
		return err
	}
	if err := k.setKey(ctx, key); err != nil {
		return err
	}
	k.emit(ctx, &types.EventKeyReady{
		KeyId: key.Id, Owner: key.Owner, Epoch: key.Epoch, Session: hexOf(key.Session), PublicKey: hexOf(key.PublicKey),
	})
	return k.runResultHook(ctx, keyReadyHook(key))
}

// setAttestation stores an attestation, and that its attempt is used.
func (k *Keeper) setAttestation(ctx context.Context, s types.StoredAttestation) error {
	kind := uint32(s.Kind)
	if err := k.attestations.Set(ctx, collections.Join4(kind, s.RequestId, s.Session, s.Operator), s); err != nil {
		return fmt.Errorf("store attestation of %s: %w", s.Operator, err)
	}
	if err := k.attestedAttempts.Set(ctx, collections.Join4(kind, s.RequestId, s.Operator, s.Attempt)); err != nil {
		return fmt.Errorf("store attempt of %s: %w", s.Operator, err)
	}
	return nil
}

// dropAttestations removes what was attested for a request.
func (k *Keeper) dropAttestations(ctx context.Context, r types.Request) error {
	kind := uint32(r.Kind)
	if err := k.attestations.Clear(ctx, collections.NewSuperPrefixedQuadRange[uint32, string, []byte, string](kind, r.Id)); err != nil {
		return fmt.Errorf("remove attestations of %s: %w", r.RequestID(), err)
	}
	if err := k.attestedAttempts.Clear(ctx, collections.NewSuperPrefixedQuadRange[uint32, string, string, uint32](kind, r.Id)); err != nil {
		return fmt.Errorf("remove attempts of %s: %w", r.RequestID(), err)
	}
	return nil
}

func requestKeyOf(id mpctypes.RequestID) requestKey { return collections.Join(uint32(id.Kind), id.ID) }

func attestationKeyOf(a *mpctypes.Attestation) attestationKey {
	return collections.Join4(uint32(a.Request.Kind), a.Request.ID, a.Session[:], string(a.Operator))
}

func attemptKeyOf(a *mpctypes.Attestation) attemptKey {
	return collections.Join4(uint32(a.Request.Kind), a.Request.ID, string(a.Operator), a.Attempt)
}
