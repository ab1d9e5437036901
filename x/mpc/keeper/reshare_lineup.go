package keeper

import (
	"context"
	"errors"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// lineup is who takes part in a reshare.
type lineup struct {
	// members of both committees with their current identities, ascending: of the new
	// one all, of the old one those who did not revoke theirs.
	members []types.Member
	// receivers are the new committee, ascending.
	receivers []string
}

// mayReshare says whether someone may ask for a reshare of a key now, and who would
// take part.
func (k *Keeper) mayReshare(
	ctx context.Context, p types.Params, key types.Key, owner, module string, threshold uint32, named []string,
) (lineup, error) {
	if key.Owner != owner && !k.isAuthority(ctx, owner) {
		return lineup{}, types.ErrNotOwner.Wrapf("key %s belongs to %s", key.Id, key.Owner)
	}
	if err := key.CanReshare(); err != nil {
		return lineup{}, err
	}
	if err := k.mayAsk(ctx, p, owner, module); err != nil {
		return lineup{}, err
	}
	receivers, err := k.keygenMembers(ctx, p, threshold, named)
	if err != nil {
		return lineup{}, err
	}
	return k.lineUp(ctx, key, receivers, func(string) bool { return false })
}

// lineUp puts the two committees together. Those of the old one need not be
// validators any more: their shares are all that is wanted of them. Some of it come last,
// and only until t+1 are there to deal.
func (k *Keeper) lineUp(ctx context.Context, key types.Key, receivers []types.Member, last func(operator string) bool) (lineup, error) {
	l := lineup{members: receivers, receivers: operatorsOf(receivers)}
	pinned := make(map[string]bool, len(receivers))
	for _, m := range receivers {
		pinned[m.Operator] = true
	}
	dealers := 0
	old := slices.Clone(key.Participants)
	slices.SortStableFunc(old, func(a, b string) int { return compareBool(last(a) && !pinned[a], last(b) && !pinned[b]) })
	for _, operator := range old {
		if pinned[operator] {
			dealers++
			continue
		}
		if last(operator) && dealers > int(key.Threshold) {
			break
		}
		m, err := k.member(ctx, operator)
		if errors.Is(err, types.ErrUnregistered) {
			continue
		}
		if err != nil {
			return lineup{}, err
		}
		l.members = append(l.members, m)
		dealers++
	}
	switch {
	case dealers <= int(key.Threshold):
		return lineup{}, types.ErrTooFewParticipants.Wrapf("key %s needs %d of its participants to deal their shares anew, %d have an identity",
			key.Id, key.Threshold+1, dealers)
	case len(l.members) > mpctypes.MaxMembers:
		return lineup{}, types.ErrTooManyParticipants.Wrapf("both committees together have %d members, at most %d are possible",
			len(l.members), mpctypes.MaxMembers)
	}
	sortMembers(l.members)
	return l, nil
}

// compareBool orders what is not before what is.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
