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
// them that have none help least.
func (k *Keeper) lineUp(ctx context.Context, key types.Key, receivers []types.Member, last func(operator string) bool) (lineup, error) {
	l := lineup{members: receivers, receivers: operatorsOf(receivers)}
	pinned := make(map[string]bool, len(receivers))
	for _, m := range receivers {
		pinned[m.Operator] = true
	}
	dealers, shares := 0, 0
	count := func(operator string) {
		dealers++
		if key.HasShare(operator) {
			shares++
		}
	}
	for _, operator := range byUse(key, func(operator string) bool { return last(operator) && !pinned[operator] }) {
		if pinned[operator] {
			count(operator)
			continue
		}
		if last(operator) && shares > int(key.Threshold) {
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
		count(operator)
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

// byUse orders the participants of a key by how gladly they are asked to deal: some come
// last, of these those that have no share.
func byUse(key types.Key, last func(operator string) bool) []string {
	place := func(operator string) int {
		switch {
		case !last(operator):
			return 0
		case key.HasShare(operator):
			return 1
		}
		return 2
	}
	old := slices.Clone(key.Participants)
	slices.SortStableFunc(old, func(a, b string) int { return cmp.Compare(place(a), place(b)) })
	return old
}
