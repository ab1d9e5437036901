package keeper

import (
	"context"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// stageReshare names the session that got there first, and lets its shares sign a
// test before the key depends on them.
func (k *Keeper) stageReshare(ctx context.Context, r types.Request, key types.Key, a *mpctypes.Attestation) error {
	payload, err := r.ParsePayload(a.Payload, key)
	if err != nil {
		return err
	}
	reshare, err := k.Reshare(ctx, r.Id)
	if err != nil {
		return err
	}
	if err := k.closeRequest(ctx, r); err != nil {
		return err
	}
	if err := reshare.Stage(a, payload); err != nil {
		return err
	}
	if err := k.setReshare(ctx, reshare); err != nil {
		return err
	}
	key.NextSession = reshare.Session
	if err := k.setKey(ctx, key); err != nil {
		return err
	}
	return k.openTest(ctx, r, key, reshare)
}

// openTest asks for the signature that proves the new shares. It is nobody's but the
// module's: no hooks of whoever asked are told of it.
func (k *Keeper) openTest(ctx context.Context, r types.Request, key types.Key, reshare types.Reshare) error {
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	seed, err := testSeed(ctx)
	if err != nil {
		return err
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	s := types.Signature{
		Id: reshare.TestID(), KeyId: key.Id, Status: types.SIGNATURE_STATUS_PENDING, Owner: key.Owner,
		Epoch: reshare.Epoch, RequestedHeight: height, Test: true,
	}
	request := types.Request{
		Kind: types.REQUEST_KIND_SIGN, Id: s.Id, KeyId: key.Id, Algorithm: key.Algorithm,
		Threshold: reshare.Threshold, Epoch: reshare.Epoch, KeySession: reshare.Session, Members: r.Receivers(), Height: height,
		ExpiryHeight:  height + int64(params.SignLifetimeBlocks),
		AttemptBlocks: params.SignAttemptBlocks, StartTimeout: params.StartTimeout,
		Owner: s.Owner, Test: true, TestSeed: seed,
	}
	s.SetTestDigest(testDigest(ctx, request))
	request.Digest = s.Digest
	if err := k.checkUnasked(ctx, request); err != nil {
		return err
	}
	if err := k.setSignature(ctx, s); err != nil {
		return err
	}
	if err := k.openRequest(ctx, request); err != nil {
		return err
	}
	k.emit(ctx, &types.EventReshareTesting{
		ReshareId: reshare.Id, KeyId: key.Id, Owner: reshare.Owner, Epoch: reshare.Epoch,
		Session: hexOf(reshare.Session), SignatureId: s.Id, ExpiryHeight: request.ExpiryHeight,
	})
	return nil
}

// finishReshare lets the key go to the next epoch: its shares signed the test. From
// this block on it signs with them; what was asked before is signed with those of
// its epoch, which stay as long as that may take.
func (k *Keeper) finishReshare(ctx context.Context, id string) error {
	reshare, err := k.Reshare(ctx, id)
	if err != nil {
		return err
	}
	key, err := k.Key(ctx, reshare.KeyId)
	if err != nil {
		return err
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	if err := reshare.Finish(height); err != nil {
		return err
	}
	retire, err := k.switchRetireHeight(ctx, key)
	if err != nil {
		return err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	if err := key.Switch(reshare, height, retire, params.AutoResharePauseBlocks); err != nil {
		return err
	}
	if err := k.forgiveAbsentees(ctx, reshare.Participants); err != nil {
		return err
	}
	if err := k.setReshare(ctx, reshare); err != nil {
		return err
	}
	if err := k.setKey(ctx, key); err != nil {
		return err
	}
	k.emit(ctx, &types.EventReshareReady{
		ReshareId: reshare.Id, KeyId: key.Id, Owner: reshare.Owner, Epoch: key.Epoch,
		Session: hexOf(key.Session), RetireHeight: key.RetireHeight,
	})
	return k.runResultReshareHook(ctx, key, reshare)
}

// switchRetireHeight is the end of the shares that a key signs with until now: as
// that of any decision, and not before the last open request expires that is to sign
// with them. It reads the key's open requests, which max_pending bounds, all of a
// block's switches together.
func (k *Keeper) switchRetireHeight(ctx context.Context, key types.Key) (int64, error) {
	retire, err := k.retireHeight(ctx)
	if err != nil {
		return 0, err
	}
	ids, err := requestsOf(ctx, k.requestsByKey, key.Id)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if id.K1() != uint32(types.REQUEST_KIND_SIGN) {
			continue
		}
		r, open, err := k.request(ctx, id)
		if err != nil {
			return 0, err
		}
		if !open {
			return 0, fmt.Errorf("request %s of key %s is indexed and not there", id.K2(), key.Id)
		}
		retire = max(retire, r.ExpiryHeight)
	}
	return retire, nil
}
