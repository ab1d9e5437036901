package keeper

import (
	"context"

	"cosmossdk.io/collections"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// A reshare that too few can deal stands in the way of the next one until it expires, and
// of the module's own it takes one of few places. So it fails as soon as t or fewer are left
// who did not revoke the identity that it pinned and, by what participants said, have a
// share of the key. Who would have to say so to end it could keep it from its end by silence.
//
// A participant may take back that its share is missing. What fails by its word is asked
// for again then: of a reshare nothing is left but staged shares. Of a signature there is
// more, which is why no request for one fails by what is said of shares: it may exist though
// it failed, its id is bound to its digest for ever, and a share that was said to be missing
// signs all the same.

// starved is the reason for which a reshare fails by what was said or revoked just now: it
// could be dealt before, and cannot now. An owner may ask for one all the same when
// too few are known to have a share; that one goes on, whoever else loses its share. So does
// one of which somebody attested a new share: it was dealt, and may be finished without the
// old ones.
func (k *Keeper) starved(ctx context.Context, id string, could, can bool) (mpctypes.Reason, error) {
	if !could || can {
		return "", nil
	}
	attested, err := k.attestedReshare(ctx, id)
	if err != nil || len(attested) > 0 {
		return "", err
	}
	return mpctypes.ErrTooFewSigners, nil
}

// openDealers lists who may deal for the open reshare of a key, ascending, whether it has a
// share or not; nobody if there is none, or all of the new committee have theirs. One that
// cannot be read keeps nobody from saying what it has to.
func (k *Keeper) openDealers(ctx context.Context, key types.Key) []string {
	if key.ReshareId == "" {
		return nil
	}
	r, open, err := k.request(ctx, reshareRequest(key.ReshareId))
	if err != nil {
		k.unreadable(ctx, "the request of reshare "+key.ReshareId, err)
		return nil
	}
	if !open {
		return nil
	}
	revoked, err := k.revocations().of(ctx, r)
	if err != nil {
		k.unreadable(ctx, "a member of reshare "+key.ReshareId, err)
		return nil
	}
	return r.Dealers(revoked)
}

func reshareRequest(id string) requestKey {
	return collections.Join(uint32(types.REQUEST_KIND_RESHARE), id)
}
