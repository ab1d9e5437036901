package keeper

import (
	"context"
	"errors"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// nextSize is how many the next committee of a key is to have: as many as now, as are safe,
// and, after a reshare that failed in this epoch, one more than must sign. In a committee of
// t+1 any one can keep the test of the new shares from its signature, and nobody can be
// blamed of it, since t at most would say so; in one of t+2 the others sign it.
func nextSize(params types.Params, key types.Key, safe int) int {
	size := max(len(key.Participants), safe)
	if key.FailedReshares > 0 {
		size = max(size, int(key.Threshold)+2)
	}
	return min(size, int(params.MaxParticipants))
}

// fittingSize is how many of that many there is room for beside those of the committee
// before who get no new share and must deal theirs all the same, since of these who stay
// fewer than t+1 have one. No fewer than t+1, of whom lineUp says that they are too many.
// Where a reshare failed in this epoch there is room for all who left with their share, as
// far as it goes that more are to get one than must sign: with no more of them than must
// deal any one that keeps silent ends each reshare, and nobody is to blame for it.
func (k *Keeper) fittingSize(ctx context.Context, key types.Key, stay []types.Member, size int) (int, error) {
	needed := int(key.Threshold) + 1
	dealers := max(needed-key.SharesOf(operatorsOf(stay)), 0)
	room := max(mpctypes.MaxMembers-dealers, needed)
	if dealers > 0 && key.FailedReshares > 0 {
		leavers, err := k.dealersBeside(ctx, key, operatorsOf(stay))
		if err != nil {
			return 0, err
		}
		room = min(room, max(mpctypes.MaxMembers-len(leavers), needed+1))
	}
	return min(size, room), nil
}

// dealersBeside lists the participants of a key who have a share and an identity and are
// none of these.
func (k *Keeper) dealersBeside(ctx context.Context, key types.Key, others []string) ([]types.Member, error) {
	var dealers []types.Member
	for _, operator := range key.Participants {
		if !key.HasShare(operator) || slices.Contains(others, operator) {
			continue
		}
		m, err := k.member(ctx, operator)
		switch {
		case err == nil:
			dealers = append(dealers, m)
		case !errors.Is(err, types.ErrUnregistered):
			return nil, err
		}
	}
	return dealers, nil
}

// nextCommittee is those of the able participants who came to the last reshares of the
// key, and the strongest others, up to a size. Those who did not come follow, with them
// newcomers that did not come to a reshare of another key; who was
// accused of that only until t+1 are there, whom one dead member would keep from a share
// for ever. No more than t of it are not participants: whatever made the others stay away,
// the key does not go to strangers alone.
func (k *Keeper) nextCommittee(ctx context.Context, key types.Key, able []types.Member, size int) ([]types.Member, error) {
	key, err := k.heeding(ctx, key)
	if err != nil {
		return nil, err
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	absent := func(operator string) bool { _, absent := key.Absentee(operator, height); return absent }
	participates := func(m types.Member) bool { return participates(key, m) }
	var stay, last []types.Member
	for _, m := range able {
		if absent(m.Operator) {
			last = append(last, m)
		} else {
			stay = append(stay, m)
		}
	}
	if size, err = k.fittingSize(ctx, key, stay, size); err != nil {
		return nil, err
	}
	members, passed, err := k.fillUp(ctx, stay, min(size, len(stay)+int(key.Threshold)), absent)
	if err != nil {
		return nil, err
	}
	last = append(last, slices.DeleteFunc(passed, participates)...)
	slices.SortStableFunc(last, func(a, b types.Member) int { return key.CompareAbsent(a.Operator, b.Operator, height) })
	var left []types.Member
	for _, m := range last {
		room := size
		if a, _ := key.Absentee(m.Operator, height); a.Accused {
			room = min(int(key.Threshold)+1, size)
		}
		if next := append(slices.Clone(members), m); len(next) <= room && strangers(key, next) <= int(key.Threshold) {
			members = next
		} else if participates(m) {
			left = append(left, m)
		}
	}
	if len(members) < len(able) {
		members = spare(key, members, left, size, height)
	}
	sortMembers(members)
	return members, nil
}

// spare adds participants who are accused, to a committee that would be smaller without
// them than the able participants are many: to be cut off during one reshare costs nobody
// its share where nobody takes the place. They have one more try. When that failed, too, the
// committee is made without them, however small: who is dead would keep the others from
// taking away the share of who left, and those who have none from getting one, for ever.
// Nobody is spared who ended a reshare itself, as it might do each time.
func spare(key types.Key, members, left []types.Member, size int, height int64) []types.Member {
	if key.FailedReshares > 1 {
		return members
	}
	for _, m := range left {
		if a, _ := key.Absentee(m.Operator, height); len(members) < size && !a.ByItself() {
			members = append(members, m)
		}
	}
	return members
}

// gains says whether the key is better off with a next committee: the share of a participant
// who is not able goes, one who has none gets one, or the committee has newcomers and is no
// smaller. Who is accused may have been cut off for a while: the module does not take
// the shares of some for nothing but that.
func gains(key types.Key, able, members []types.Member, lost bool) bool {
	missing := func(m types.Member) bool { return slices.Contains(key.MissingShares, m.Operator) }
	if len(able) < len(key.Participants) || lost && slices.ContainsFunc(members, missing) {
		return true
	}
	return len(members) >= len(key.Participants) && strangers(key, members) > 0
}

func participates(key types.Key, m types.Member) bool {
	_, participates := slices.BinarySearch(key.Participants, m.Operator)
	return participates
}

// strangers counts those who are no participants of a key.
func strangers(key types.Key, members []types.Member) (n int) {
	for _, m := range members {
		if !participates(key, m) {
			n++
		}
	}
	return n
}
