package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"cosmossdk.io/collections"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// This file is what the engine of a node reads of committed state, with a query
// context, in its own types. What it returns is the caller's.
//
// All nodes read the same state. An entry that cannot be read, which only a mistake in
// the state can cause, is logged once and passed over: it must not keep all of them from all
// the rest.

// EngineRequests lists all open requests that take results, in the order in which
// nodes serve them: by height, then id.
func (k *Keeper) EngineRequests(ctx context.Context) ([]mpctypes.Request, error) {
	stored, err := k.waitingRequests(ctx)
	if err != nil {
		return nil, err
	}
	refused, err := k.refusedBy(ctx)
	if err != nil {
		return nil, err
	}
	// Many requests are for few keys, and a keygen's tells nothing yet.
	keys := make(map[string]types.Key)
	out := make([]mpctypes.Request, 0, len(stored))
	for _, r := range stored {
		key, read := keys[r.KeyId]
		if !read && r.NeedsKey() {
			if key, err = k.Key(ctx, r.KeyId); err != nil {
				k.unreadable(ctx, "key "+r.KeyId+" of an open request", err)
				continue
			}
			keys[r.KeyId] = key
		}
		request := r.ToEngine(key)
		if r.Kind == types.REQUEST_KIND_SIGN {
			request.Refused = refused[r.Id]
		}
		out = append(out, request)
	}
	slices.SortFunc(out, func(a, b mpctypes.Request) int {
		switch {
		case a.Before(&b):
			return -1
		case b.Before(&a):
			return 1
		}
		return 0
	})
	return out, nil
}

// waitingRequests lists the open requests but those that are going to fail.
func (k *Keeper) waitingRequests(ctx context.Context) ([]types.Request, error) {
	var list []types.Request
	condemned := make(map[mpctypes.RequestID]bool)
	err := errors.Join(
		eachReadable(ctx, k, "condemned request", k.condemnedRequests, func(id requestKey, _ string) {
			condemned[mpctypes.RequestID{Kind: mpctypes.RequestKind(id.K1()), ID: id.K2()}] = true
		}),
		eachReadable(ctx, k, "open request", k.requests, func(_ requestKey, r types.Request) {
			if !condemned[r.RequestID()] {
				list = append(list, r)
			}
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("list open requests: %w", err)
	}
	return list, nil
}

// EngineAttested lists the attempts at open requests of which the chain has
// attestations.
func (k *Keeper) EngineAttested(ctx context.Context) (map[mpctypes.AttestedAttempt]bool, error) {
	attested := make(map[mpctypes.AttestedAttempt]bool)
	err := eachReadable(ctx, k, "attested attempt", keySet[attemptKey](k.attestedAttempts), func(at attemptKey, _ collections.NoValue) {
		id := mpctypes.RequestID{Kind: mpctypes.RequestKind(at.K1()), ID: at.K2()}
		attested[mpctypes.AttestedAttempt{Request: id, Operator: mpctypes.Operator(at.K3()), Attempt: at.K4()}] = true
	})
	if err != nil {
		return nil, fmt.Errorf("list attested attempts: %w", err)
	}
	return attested, nil
}

// EngineKey reads a key; false if the chain does not know it. Of one that failed and was
// pruned it says that it is ERROR, and over: what was staged for it, by a node that was away
// for long, too, goes as it would have before.
func (k *Keeper) EngineKey(ctx context.Context, id mpctypes.KeyID) (mpctypes.Key, bool, error) {
	key, err := k.Key(ctx, string(id))
	if errors.Is(err, types.ErrUnknownKey) {
		return mpctypes.Key{}, false, nil
	}
	if errors.Is(err, types.ErrPruned) {
		return mpctypes.Key{ID: id, Status: mpctypes.KeyError}, true, nil
	}
	if err != nil {
		k.unreadable(ctx, "key "+string(id), err)
		return mpctypes.Key{}, false, nil
	}
	return key.ToEngine(), true, nil
}

// EngineUnacknowledged lists the DELETED keys that wait for an operator's word that it
// destroyed what it had, ascending. It reads no others.
func (k *Keeper) EngineUnacknowledged(ctx context.Context, op mpctypes.Operator) ([]mpctypes.KeyID, error) {
	var ids []mpctypes.KeyID
	owed := collections.NewPrefixedPairRange[string, string](string(op))
	err := k.awaitedAcks.Walk(ctx, owed, func(at ackKey) (bool, error) {
		ids = append(ids, mpctypes.KeyID(at.K2()))
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list keys that %s destroys: %w", op, err)
	}
	return ids, nil
}

// EngineKeysOf lists the READY keys that an operator is a participant of,
// ascending. It reads all READY keys.
func (k *Keeper) EngineKeysOf(ctx context.Context, op mpctypes.Operator) ([]mpctypes.Key, error) {
	var keys []mpctypes.Key
	err := k.keysOfStatus(ctx, types.KEY_STATUS_READY, func(key types.Key) {
		if slices.Contains(key.Participants, string(op)) {
			keys = append(keys, key.ToEngine())
		}
	})
	return keys, err
}

// EngineReadyKeys lists all READY keys, ascending.
func (k *Keeper) EngineReadyKeys(ctx context.Context) (keys []mpctypes.Key, err error) {
	err = k.keysOfStatus(ctx, types.KEY_STATUS_READY, func(key types.Key) { keys = append(keys, key.ToEngine()) })
	return keys, err
}

func (k *Keeper) keysOfStatus(ctx context.Context, status types.KeyStatus, visit func(types.Key)) error {
	it, err := k.keys.Indexes.status.MatchExact(ctx, uint32(status))
	if err != nil {
		return fmt.Errorf("list keys that are %s: %w", status, err)
	}
	ids, err := it.PrimaryKeys() // closes it
	if err != nil {
		return fmt.Errorf("list keys that are %s: %w", status, err)
	}
	for _, id := range ids {
		key, err := k.Key(ctx, id)
		if err != nil {
			k.unreadable(ctx, "key "+id, err)
			continue
		}
		visit(key)
	}
	return nil
}

// EngineProven reports that proof against a participant in a session was taken at any
// time.
func (k *Keeper) EngineProven(ctx context.Context, participant mpctypes.Operator, session mpctypes.Context) (bool, error) {
	f := types.Fault{Kind: types.FAULT_KIND_EQUIVOCATION, Participant: string(participant), Session: session[:]}
	known, err := k.faults.Has(ctx, faultKeyOf(f))
	if err != nil {
		return false, fmt.Errorf("look up proof against %s: %w", participant, err)
	}
	return known, nil
}

// EngineReshareEnded reports that a reshare was asked for and is over, whatever became of
// it, be it that it was pruned since, of which it says nothing else; false while it is open, and
// if nobody asked. Of one that cannot be read it says so, too: then a node keeps what the
// reshare made.
func (k *Keeper) EngineReshareEnded(ctx context.Context, id string) (mpctypes.EndedReshare, bool, error) {
	r, err := k.Reshare(ctx, id)
	switch {
	case errors.Is(err, types.ErrUnknownReshare):
		return mpctypes.EndedReshare{}, false, nil
	case errors.Is(err, types.ErrPruned):
		return mpctypes.EndedReshare{}, true, nil
	case err != nil:
		k.unreadable(ctx, "reshare "+id, err)
		return mpctypes.EndedReshare{}, false, nil
	}
	return mpctypes.EndedReshare{KeyID: mpctypes.KeyID(r.KeyId), RetireHeight: r.RetireHeight}, !r.Open(), nil
}

// EngineSignature reads a finished signature; false if there is none, none yet, or
// none any more.
func (k *Keeper) EngineSignature(ctx context.Context, id string) (mpctypes.SignatureResult, bool, error) {
	s, err := k.Signature(ctx, id)
	if errors.Is(err, types.ErrUnknownSignature) || errors.Is(err, types.ErrPruned) {
		return mpctypes.SignatureResult{}, false, nil
	}
	if err != nil || s.Status != types.SIGNATURE_STATUS_READY {
		return mpctypes.SignatureResult{}, false, err
	}
	return mpctypes.SignatureResult{RequestID: s.Id, R: s.R, S: s.S, V: s.V}, true, nil
}

// EnginePresignTarget is how many presignatures of each key a participant keeps.
func (k *Keeper) EnginePresignTarget(ctx context.Context) (int, error) {
	params, err := k.Params(ctx)
	return int(params.PresignTarget), err
}

// EngineFaultBlocks is for how many blocks after a decision proof of what was done for it
// is taken, as decidedLately says.
func (k *Keeper) EngineFaultBlocks(ctx context.Context) (int64, error) {
	params, err := k.Params(ctx)
	return int64(params.FaultBlocks), err
}

// EngineRosterChanges counts the writes of participants so far: as long as it is the
// same, so is what EngineRoster reads.
func (k *Keeper) EngineRosterChanges(ctx context.Context) (uint64, error) {
	count, err := k.participantChanges.Get(ctx)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return 0, fmt.Errorf("load the number of changes of participants: %w", err)
	}
	return count, nil
}

// EngineRoster reads everybody who ever registered.
func (k *Keeper) EngineRoster(ctx context.Context) (*mpctypes.Roster, error) {
	all := make(map[mpctypes.Operator][]mpctypes.Identity)
	err := eachReadable(ctx, k, "participant", k.participants, func(operator string, p types.Participant) {
		all[mpctypes.Operator(operator)] = p.ToEngine()
	})
	if err != nil {
		return nil, fmt.Errorf("list participants: %w", err)
	}
	return mpctypes.NewRoster(all), nil
}

// EngineOperatorOf is the participant whose validator signs blocks with the key of a
// consensus address; false if there is none, or if it revoked its identity.
func (k *Keeper) EngineOperatorOf(ctx context.Context, consensus []byte) (op mpctypes.Operator, found bool, err error) {
	var participants []types.Participant
	err = eachReadable(ctx, k, "participant", k.participants, func(_ string, p types.Participant) {
		participants = append(participants, p)
	})
	if err != nil {
		return "", false, fmt.Errorf("list participants: %w", err)
	}
	for _, p := range participants {
		address, err := k.validatorCodec.StringToBytes(p.Operator)
		if err != nil {
			return "", false, fmt.Errorf("read the operator %s: %w", p.Operator, err)
		}
		v, err := k.staking.Validator(ctx, address)
		if err != nil {
			continue // no validator any more
		}
		if signs, err := v.GetConsAddr(); err != nil || !bytes.Equal(signs, consensus) {
			continue
		}
		if _, current := p.Current(); current {
			return mpctypes.Operator(p.Operator), true, nil
		}
	}
	return "", false, nil
}

// EngineFaults lists the faults that count.
func (k *Keeper) EngineFaults(ctx context.Context) ([]mpctypes.Fault, error) {
	var list []mpctypes.Fault
	err := eachReadable(ctx, k, "fault", keySet[lapseKey](k.faultLapses), func(at lapseKey, _ collections.NoValue) {
		f, err := k.faults.Get(ctx, collections.Join(at.K2(), at.K3()))
		if err != nil {
			k.unreadable(ctx, "a fault of "+at.K2(), err)
			return
		}
		list = append(list, f.ToEngine())
	})
	if err != nil {
		return nil, fmt.Errorf("list faults: %w", err)
	}
	return list, nil
}

// keySet is a set read as a map.
type keySet[K any] = collections.Map[K, collections.NoValue]

// eachReadable visits the entries of a map.
func eachReadable[K, V any](ctx context.Context, k *Keeper, what string, entries collections.Map[K, V], visit func(K, V)) error {
	it, err := entries.Iterate(ctx, nil)
	if err != nil {
		return err
	}
	for ; it.Valid(); it.Next() {
		key, err := it.Key()
		if err != nil {
			k.unreadable(ctx, "the name of a "+what, err)
			continue
		}
		value, err := it.Value()
		if err != nil {
			k.unreadable(ctx, what+" "+entries.KeyCodec().Stringify(key), err)
			continue
		}
		visit(key, value)
	}
	return it.Close()
}
