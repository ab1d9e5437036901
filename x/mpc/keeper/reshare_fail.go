package keeper

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// failReshare makes an open reshare ERROR; its request, or that of its test, is
// closed already. The key goes on as it is.
func (k *Keeper) failReshare(ctx context.Context, id string, reason mpctypes.Reason, absent []types.Absentee) error {
	reshare, err := k.Reshare(ctx, id)
	if err != nil {
		return err
	}
	key, err := k.Key(ctx, reshare.KeyId)
	if err != nil {
		return err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	retire := height + int64(params.RetireBlocks)
	if err := reshare.Fail(reason, height, retire); err != nil {
		return err
	}
	key.DropReshare(retire)
	able, err := k.able(ctx, key)
	if err != nil {
		return err
	}
	key.FailAutoReshare(reshare, absent, operatorsOf(able), height, params.AutoResharePauseBlocks)
	if params.AutoReshare && reshare.Auto {
		if err := k.noteAbsentees(ctx, key, absent); err != nil {
			return err
		}
	}
	if err := k.setReshare(ctx, reshare); err != nil {
		return err
	}
	if err := k.setKey(ctx, key); err != nil {
		return err
	}
	k.emit(ctx, &types.EventReshareFailed{ReshareId: reshare.Id, KeyId: key.Id, Owner: reshare.Owner, Reason: reshare.Reason})
	if err := k.reportFailures(ctx, key, reshare, absent, len(able)); err != nil {
		return err
	}
	k.runReshareHook(ctx, reshare, "AfterReshareFailed", func(ctx context.Context, h types.ReshareHooks) error {
		return h.AfterReshareFailed(ctx, reshare)
	})
	return nil
}

// reportFailures tells that a reshare which the module asked for expired, if it was not
// the first one in this epoch: by itself the module does not get any further. So it tells
// that somebody ended one by revoking its identity, and that too few were left to deal it,
// unless that was told when the last of them said that its share is missing.
func (k *Keeper) reportFailures(ctx context.Context, key types.Key, reshare types.Reshare, absent []types.Absentee, able int) error {
	reason := mpctypes.Reason(reshare.Reason)
	expired, revoked := reason == mpctypes.ErrExpired && key.FailedReshares > 1, reason == mpctypes.ErrIdentityRevoked
	starved := reason == mpctypes.ErrTooFewSigners && key.SharesLeft() > int(key.Threshold)
	if !reshare.Auto || !expired && !revoked && !starved {
		return nil
	}
	who := "too few were left to deal the last one"
	if !starved {
		var err error
		if who, err = k.whoFailed(ctx, reshare, absent); err != nil {
			return err
		}
	}
	k.emitEndangered(ctx, key, able, fmt.Errorf("%d reshares of this epoch failed, and %s: %w: %s", key.FailedReshares, who, reason, reason.Remedy()))
	return nil
}

// whoFailed says in words who kept a reshare from its end. Where nobody is blamed of its test
// it names whom more than half of the others accuse, which may be a lie: an owner can find
// out more than the chain.
func (k *Keeper) whoFailed(ctx context.Context, reshare types.Reshare, absent []types.Absentee) (string, error) {
	tested := len(reshare.Session) > 0
	did := "did not come to the last one"
	if tested {
		did = "kept the test of the last one from its signature"
	}
	var blamed []string
	for _, a := range absent {
		if a.Accused {
			blamed = append(blamed, a.Operator)
		}
	}
	if len(blamed) > 0 {
		return strings.Join(blamed, ", ") + " " + did, nil
	}
	who := "nobody is blamed who " + did
	if !tested {
		return who, nil
	}
	test, err := k.Signature(ctx, reshare.TestID())
	if err != nil {
		return "", err
	}
	suspects, err := k.suspectsOf(ctx, reshare, test.RequestedHeight)
	if err != nil {
		return "", err
	}
	for _, s := range suspects {
		if others := len(suspects) - 1; 2*len(s.Accusers) > others {
			who += fmt.Sprintf("; %d of the %d others accuse %s", len(s.Accusers), others, s.Operator)
		}
	}
	return who, nil
}

// absentFrom lists who did not come to a reshare that expired before all of its committee
// had a share, who kept its test from the signature, and who of its members revoked the
// identity, which ended the reshare or its test, or took from it one of too few shares; nobody,
// if the request is none of the two or fails for another reason.
func (k *Keeper) absentFrom(ctx context.Context, r types.Request, reason mpctypes.Reason) ([]types.Absentee, error) {
	switch {
	case reason == mpctypes.ErrIdentityRevoked && (r.Kind == types.REQUEST_KIND_RESHARE || r.Test):
		return k.revoked(ctx, r)
	case reason == mpctypes.ErrTooFewSigners && r.Kind == types.REQUEST_KIND_RESHARE:
		return k.tookShares(ctx, r)
	case reason == mpctypes.ErrExpired && r.Kind == types.REQUEST_KIND_RESHARE:
		return k.missed(ctx, r)
	case reason == mpctypes.ErrExpired && r.Test:
		return k.withheld(ctx, r)
	}
	return nil, nil
}

// revoked lists the members of a request who revoked the identity that it pinned. They did
// so themselves, whatever for: nobody else's word is needed to do without them.
func (k *Keeper) revoked(ctx context.Context, r types.Request) ([]types.Absentee, error) {
	operators, err := k.revocations().of(ctx, r)
	if err != nil {
		return nil, err
	}
	absent := make([]types.Absentee, len(operators))
	for i, operator := range operators {
		absent[i] = types.AccusedByItself(operator)
	}
	return absent, nil
}

// tookShares lists those of them who had a share of the key, as far as is known. Who said that
// it has none took nothing from the reshare by revoking, as it would not have if it had not.
func (k *Keeper) tookShares(ctx context.Context, r types.Request) ([]types.Absentee, error) {
	absent, err := k.revoked(ctx, r)
	if err != nil {
		return nil, err
	}
	key, err := k.Key(ctx, r.KeyId)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(absent, func(a types.Absentee) bool { return !key.HasShare(a.Operator) }), nil
}

// missed lists who did not come to a reshare; of the first that fails in an epoch not those
// who accuse another one of it.
func (k *Keeper) missed(ctx context.Context, r types.Request) ([]types.Absentee, error) {
	reshare, err := k.Reshare(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	said, err := k.saidOfReshare(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	suspects, err := k.suspectsOf(ctx, reshare, atAnyTime)
	if err != nil {
		return nil, err
	}
	key, err := k.Key(ctx, reshare.KeyId)
	if err != nil {
		return nil, err
	}
	return reshare.Absent(reshare.Came(said), suspects, key.FailedReshares > 0), nil
}

// withheld lists who kept the test of a reshare from the signature. What its committee said
// of each other before the test, as over an attempt that failed, says nothing of that.
func (k *Keeper) withheld(ctx context.Context, r types.Request) ([]types.Absentee, error) {
	reshare, err := k.Reshare(ctx, types.ReshareOfTest(r.Id))
	if err != nil {
		return nil, err
	}
	suspects, err := k.suspectsOf(ctx, reshare, r.Height)
	if err != nil {
		return nil, err
	}
	return reshare.Withheld(suspects), nil
}

// suspectsOf are the new committee of a reshare, and who of it accuses each, of something
// that was recorded after a height. It looks for at most 64 accusations of each of 64.
func (k *Keeper) suspectsOf(ctx context.Context, reshare types.Reshare, since int64) ([]types.Suspect, error) {
	suspects := make([]types.Suspect, len(reshare.Participants))
	for i, operator := range reshare.Participants {
		accusers, err := k.accusersOf(ctx, operator, reshare.Participants, since)
		if err != nil {
			return nil, err
		}
		suspects[i] = types.Suspect{Operator: operator, Accusers: accusers}
	}
	return suspects, nil
}

// saidOfReshare lists who attested each session and payload of an open reshare. Its
// attestations go when it is tested.
func (k *Keeper) saidOfReshare(ctx context.Context, id string) (map[string][]string, error) {
	said := make(map[string][]string)
	of := collections.NewSuperPrefixedQuadRange[uint32, string, []byte, string](uint32(types.REQUEST_KIND_RESHARE), id)
	err := k.attestations.Walk(ctx, of, func(_ attestationKey, s types.StoredAttestation) (bool, error) {
		word := string(s.Session) + string(s.Payload)
		said[word] = append(said[word], s.Operator)
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list who attested reshare %s: %w", id, err)
	}
	return said, nil
}

// attestedReshare lists who attested something for an open reshare, ascending. Its
// attestations go when it is tested.
func (k *Keeper) attestedReshare(ctx context.Context, id string) ([]string, error) {
	var operators []string
	of := collections.NewSuperPrefixedQuadRange[uint32, string, string, uint32](uint32(types.REQUEST_KIND_RESHARE), id)
	err := k.attestedAttempts.Walk(ctx, of, func(at attemptKey) (bool, error) {
		if n := len(operators); n == 0 || operators[n-1] != at.K3() { // they come by operator
			operators = append(operators, at.K3())
		}
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list who attested reshare %s: %w", id, err)
	}
	return operators, nil
}
