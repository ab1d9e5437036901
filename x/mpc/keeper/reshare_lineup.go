package keeper

import (
	"cmp"
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
// and only until t+1 are there who have a share to deal by what participants said; those of
// them that have none help least. Where one request cannot have all of the old committee, it
// has as many as it may, if t+1 are among them who have a share.
func (k *Keeper) lineUp(ctx context.Context, key types.Key, receivers []types.Member, last func(operator string) bool) (lineup, error) {
	l := lineup{members: slices.Clone(receivers), receivers: operatorsOf(receivers)}
	dealers, shares := 0, key.SharesOf(l.receivers)
	for _, m := range receivers {
		if participates(key, m) {
			dealers++
		}
	}
	for _, operator := range byUse(key, last) {
		enough := shares > int(key.Threshold)
		if slices.Contains(l.receivers, operator) || enough && last(operator) {
			continue
		}
		m, err := k.member(ctx, operator)
		if errors.Is(err, types.ErrUnregistered) {
			continue
		}
		if err != nil {
			return lineup{}, err
		}
		if len(l.members) == mpctypes.MaxMembers {
			if enough || dealers > int(key.Threshold) && !key.HasShare(operator) { // nobody else has one
				break
			}
			return lineup{}, types.ErrTooManyParticipants.Wrapf(
				"%d who are to get new shares of key %s, and as many others as %d need to deal, are more than the %d that one reshare may have; name fewer of those who have no share of it",
				len(receivers), key.Id, key.Threshold+1, mpctypes.MaxMembers)
		}
		l.members = append(l.members, m)
		dealers++
		if key.HasShare(operator) {
			shares++
		}
	}
	if dealers <= int(key.Threshold) {
		return lineup{}, types.ErrTooFewParticipants.Wrapf("key %s needs %d of its participants to deal their shares anew, %d have an identity",
			key.Id, key.Threshold+1, dealers)
	}
	sortMembers(l.members)
	return l, nil
}

// byUse orders the participants of a key by how gladly they are asked to deal: first those
// that have a share, of them and of the others some last.
func byUse(key types.Key, last func(operator string) bool) []string {
	place := func(operator string) (place int) {
		if !key.HasShare(operator) {
			place = 2
		}
		if last(operator) {
			place++
		}
		return place
	}
	old := slices.Clone(key.Participants)
	slices.SortStableFunc(old, func(a, b string) int { return cmp.Compare(place(a), place(b)) })
	return old
}
