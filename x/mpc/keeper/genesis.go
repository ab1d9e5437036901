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

// InitGenesis imports a state into an empty store. Participants need not be
// validators yet, so it does not matter in which order the modules are imported.
//
// Time goes on where the export stopped: open requests keep the blocks that they
// had left and the attempt that they had reached, and what was asked for, decided,
// registered or revoked and faults stay as long ago, and their end as far away, as they
// were. That may put heights before the first block.
func (k *Keeper) InitGenesis(ctx context.Context, gs types.GenesisState) error {
	if err := k.CheckGenesis(gs); err != nil {
		return err
	}
	if err := k.SetParams(ctx, gs.Params); err != nil {
		return err
	}
	// The block of the export stands for the one before this chain's first.
	shift := max(sdk.UnwrapSDKContext(ctx).BlockHeight()-1, 0) - gs.ExportHeight
	for _, p := range gs.Participants {
		p.Participant.Shift(shift)
		if err := k.importParticipant(ctx, p); err != nil {
			return err
		}
	}
	if err := k.importDecided(ctx, gs, shift); err != nil {
		return err
	}
	return k.importOpen(ctx, gs, shift)
}

// importDecided imports keys, signatures and reshares, whatever became of them.
func (k *Keeper) importDecided(ctx context.Context, gs types.GenesisState, shift int64) error {
	for _, key := range gs.Keys {
		key.Shift(shift)
		if err := k.importKey(ctx, key); err != nil {
			return err
		}
	}
	for _, s := range gs.Signatures {
		s.Shift(shift)
		if err := k.setSignature(ctx, s); err != nil {
			return err
		}
	}
	for _, p := range gs.PrunedSignatures {
		if err := k.prunedSignatures.Set(ctx, p.Id, p.ContentHash); err != nil {
			return fmt.Errorf("store what is left of signature %s: %w", p.Id, err)
		}
	}
	for _, p := range gs.PrunedRequests {
		if err := k.prunedRequests.Set(ctx, requestKeyOf(p.RequestID()), p.ContentHash); err != nil {
			return fmt.Errorf("store what is left of %s: %w", p.RequestID(), err)
		}
	}
	for _, p := range gs.SignedPlaces {
		if err := k.signedPlaces.Set(ctx, collections.Join(p.KeyId, p.Place), p.Stored()); err != nil {
			return fmt.Errorf("store the place %s of key %s: %w", p.Place, p.KeyId, err)
		}
	}
	for _, r := range gs.Reshares {
		r.Shift(shift)
		if err := k.setReshare(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// importOpen imports the requests that are open, and what goes on for a while: what was
// said about them, faults, absentees, hooks that wait for gas.
func (k *Keeper) importOpen(ctx context.Context, gs types.GenesisState, shift int64) error {
	condemned := make(map[mpctypes.RequestID]mpctypes.Reason, len(gs.Condemned))
	for _, c := range gs.Condemned {
		condemned[c.RequestID()] = mpctypes.Reason(c.Reason)
	}
	for _, a := range gs.Attestations { // before the requests, some of which go on because of them
		if err := k.setAttestation(ctx, a); err != nil {
			return err
		}
	}
	for _, r := range gs.Requests {
		r.Shift(shift)
		if err := k.importRequest(ctx, r, condemned[r.RequestID()]); err != nil {
			return err
		}
	}
	for _, f := range gs.Faults {
		f.Shift(shift)
		if err := k.importFault(ctx, f); err != nil {
			return err
		}
	}
	for _, a := range gs.Absentees {
		a.Shift(shift)
		if err := k.setAbsentee(ctx, a); err != nil {
			return err
		}
	}
	for _, q := range gs.QueuedHooks {
		q.Shift(shift)
		if err := k.importQueuedHook(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// importParticipant verifies the proof of a new participant over this chain. One
// that was exported proved itself to the chain that it comes from.
func (k *Keeper) importParticipant(ctx context.Context, g types.GenesisParticipant) error {
	p := g.Participant
	operator, _, err := k.operator(p.Operator)
	if err != nil {
		return err
	}
	p.Operator = operator
	if err := g.VerifyProof(sdk.UnwrapSDKContext(ctx).ChainID(), operator); err != nil {
		return err
	}
	for _, id := range p.Identities {
		if err := k.claimIdentityKey(ctx, id.PublicKey, operator); err != nil {
			return err
		}
	}
	return k.setParticipant(ctx, p)
}

func (k *Keeper) importFault(ctx context.Context, f types.Fault) error {
	var err error
	if f.Participant, _, err = k.operator(f.Participant); err != nil {
		return err
	}
	if f.Kind == types.FAULT_KIND_ACCUSATION {
		if f.Accuser, _, err = k.operator(f.Accuser); err != nil {
			return err
		}
	}
	return k.setFault(ctx, f)
}

func (k *Keeper) importQueuedHook(ctx context.Context, q types.QueuedHook) error {
	if err := k.queuedHooks.Set(ctx, collections.Join4(q.Height, q.Hook, q.Id, q.Place)); err != nil {
		return fmt.Errorf("queue %s of %s: %w", q.Hook, q.Id, err)
	}
	return nil
}

func (k *Keeper) importKey(ctx context.Context, key types.Key) error {
	if key.Status == types.KEY_STATUS_DELETING {
		if err := k.keyRetirements.Set(ctx, collections.Join(key.RetireHeight, key.Id)); err != nil {
			return fmt.Errorf("index key %s by its end: %w", key.Id, err)
		}
	}
	if err := k.awaitAcks(ctx, key); err != nil {
		return err
	}
	return k.setKey(ctx, key)
}

// importRequest opens a request. One that was condemned and still waited for the
// end of a block is condemned again, for the same reason; so is one whose key or
// members cannot decide it any more, whatever the file says.
func (k *Keeper) importRequest(ctx context.Context, r types.Request, reason mpctypes.Reason) error {
	if err := k.openRequest(ctx, r); err != nil {
		return err
	}
	if reason == "" {
		var err error
		if reason, err = k.condemnation(ctx, r); err != nil || reason == "" {
			return err
		}
	}
	return k.condemnRequest(ctx, keyOf(r), reason)
}

// condemnation is why an imported request cannot be decided any more; empty if it
// can. What participants said of their shares ends only reshares that the module asked for,
// which it does for none that too few can deal: an owner may have asked for one all the same.
func (k *Keeper) condemnation(ctx context.Context, r types.Request) (mpctypes.Reason, error) {
	key, err := k.Key(ctx, r.KeyId)
	if err != nil {
		return "", err
	}
	if key.Status == types.KEY_STATUS_DELETING || key.Status == types.KEY_STATUS_DELETED {
		return mpctypes.ErrKeyDeleted, nil
	}
	revoked, err := k.revocations().of(ctx, r)
	switch {
	case err != nil:
		return "", fmt.Errorf("member of request %s: %w", r.RequestID(), err)
	case !r.DoesWithout(revoked):
		return mpctypes.ErrIdentityRevoked, nil
	case r.Test && isSpoiled(ctx, r):
		k.logger(ctx).Warn("the chain has another id, and what new shares of a key sign to prove themselves may have been asked of the old ones on the chain before; their reshare is cancelled, ask again with a new id",
			"reshare", types.ReshareOfTest(r.Id), "key", r.KeyId)
		return mpctypes.ErrCancelled, nil
	case r.Kind == types.REQUEST_KIND_RESHARE && types.IsAutoID(r.Id):
		return k.starved(ctx, r.Id, true, key.EnoughShares(r.Dealers(revoked)) == nil)
	}
	return "", nil
}

// ExportGenesis exports everything, as of the context's height.
func (k *Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params(ctx)
	if err != nil {
		return nil, err
	}
	gs := &types.GenesisState{Params: params, ExportHeight: sdk.UnwrapSDKContext(ctx).BlockHeight()}
	err = errors.Join(
		k.participants.Walk(ctx, nil, func(_ string, p types.Participant) (bool, error) {
			gs.Participants = append(gs.Participants, types.GenesisParticipant{Participant: p})
			return false, nil
		}),
		k.keys.Walk(ctx, nil, func(_ string, key types.Key) (bool, error) {
			gs.Keys = append(gs.Keys, key)
			return false, nil
		}),
		k.signatures.Walk(ctx, nil, func(_ string, s types.Signature) (bool, error) {
			gs.Signatures = append(gs.Signatures, s)
			return false, nil
		}),
		k.prunedSignatures.Walk(ctx, nil, func(id string, hash []byte) (bool, error) {
			gs.PrunedSignatures = append(gs.PrunedSignatures, types.PrunedSignature{Id: id, ContentHash: hash})
			return false, nil
		}),
		k.prunedRequests.Walk(ctx, nil, func(id requestKey, hash []byte) (bool, error) {
			gs.PrunedRequests = append(gs.PrunedRequests, types.PrunedRequest{Kind: types.RequestKind(id.K1()), Id: id.K2(), ContentHash: hash})
			return false, nil
		}),
		k.signedPlaces.Walk(ctx, nil, func(at collections.Pair[string, string], stored []byte) (bool, error) {
			p, err := types.StoredPlace(at.K1(), at.K2(), stored)
			gs.SignedPlaces = append(gs.SignedPlaces, p)
			return false, err
		}),
		k.reshares.Walk(ctx, nil, func(_ string, r types.Reshare) (bool, error) {
			gs.Reshares = append(gs.Reshares, r)
			return false, nil
		}),
		k.requests.Walk(ctx, nil, func(_ requestKey, r types.Request) (bool, error) {
			gs.Requests = append(gs.Requests, r)
			return false, nil
		}),
		k.condemnedRequests.Walk(ctx, nil, func(id requestKey, reason string) (bool, error) {
			gs.Condemned = append(gs.Condemned, types.CondemnedRequest{Kind: types.RequestKind(id.K1()), Id: id.K2(), Reason: reason})
			return false, nil
		}),
		k.attestations.Walk(ctx, nil, func(_ attestationKey, a types.StoredAttestation) (bool, error) {
			gs.Attestations = append(gs.Attestations, a)
			return false, nil
		}),
		k.faults.Walk(ctx, nil, func(_ faultKey, f types.Fault) (bool, error) {
			gs.Faults = append(gs.Faults, f)
			return false, nil
		}),
		k.absentees.Walk(ctx, nil, func(_ string, a types.Absentee) (bool, error) {
			gs.Absentees = append(gs.Absentees, a)
			return false, nil
		}),
		k.queuedHooks.Walk(ctx, nil, func(q queuedHook) (bool, error) {
			gs.QueuedHooks = append(gs.QueuedHooks, types.QueuedHook{Height: q.K1(), Hook: q.K2(), Id: q.K3(), Place: q.K4()})
			return false, nil
		}),
	)
	for i := range gs.Signatures {
		if err == nil {
			gs.Signatures[i], err = k.withRefusals(ctx, gs.Signatures[i])
		}
	}
	if err != nil {
		return nil, fmt.Errorf("export genesis: %w", err)
	}
	return gs, nil
}
