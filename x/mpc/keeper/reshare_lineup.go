package keeper

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"

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
		return lineup{}, types.ErrNotOwner.Wrap(key.Belongs())
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
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	// Of who was accused by others an owner can find out more than the chain.
	return k.lineUp(ctx, key, receivers, false, func(operator string) bool {
		a, absent := key.Absentee(operator, height)
		return absent && a.ByItself()
	})
}

// lineUp puts the two committees together. Those of the old one need not be
// validators any more: their shares are all that is wanted of them. Some of it come last,
// and, if few shall be asked, only until t+1 are there who have a share to deal by what
// participants said; those of them that have none help least. Where one request cannot have all
// of the old committee, it has as many as it may, if t+1 are among them who have a share: see
// inTurn.
func (k *Keeper) lineUp(
	ctx context.Context, key types.Key, receivers []types.Member, few bool, last func(operator string) bool,
) (lineup, error) {
	l := lineup{members: slices.Clone(receivers), receivers: operatorsOf(receivers)}
	dealers, shares := 0, key.SharesOf(l.receivers)
	for _, m := range receivers {
		if participates(key, m) {
			dealers++
		}
	}
	beside, err := k.beside(ctx, key, l.receivers, last)
	if err != nil {
		return lineup{}, err
	}
	for _, d := range beside {
		enough := shares > int(key.Threshold)
		if few && enough && d.last {
			continue
		}
		if len(l.members) == mpctypes.MaxMembers {
			if enough || dealers > int(key.Threshold) && !d.share { // nobody else has one
				break
			}
			return lineup{}, types.ErrTooManyParticipants.Wrapf(
				"%d who are to get new shares of key %s, and as many others as %d need to deal, are more than the %d that one reshare may have; name fewer of those who have no share of it",
				len(receivers), key.Id, key.Threshold+1, mpctypes.MaxMembers)
		}
		l.members = append(l.members, d.member)
		dealers++
		if d.share {
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

// dealer is a participant of a key that may be asked to deal and gets no new share.
type dealer struct {
	member types.Member
	// share: it has one, by what participants said.
	share bool
	// last: others are asked first.
	last bool
}

// place orders dealers by how gladly they are asked: first those that have a share, of them
// and of the others some last.
func (d dealer) place() (place int) {
	if !d.share {
		place = 2
	}
	if d.last {
		place++
	}
	return place
}

func (d dealer) compare(other dealer) int { return cmp.Compare(d.place(), other.place()) }

// beside lists the participants of a key who have an identity and get no new share, by how
// gladly they are asked to deal. Who of them is bonded is looked up only where there is not
// room for all.
func (k *Keeper) beside(ctx context.Context, key types.Key, receivers []string, last func(operator string) bool) ([]dealer, error) {
	var list []dealer
	for _, operator := range key.Participants {
		if slices.Contains(receivers, operator) {
			continue
		}
		m, err := k.member(ctx, operator)
		if errors.Is(err, types.ErrUnregistered) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, dealer{member: m, share: key.HasShare(operator), last: last(operator)})
	}
	room := mpctypes.MaxMembers - len(receivers)
	if len(list) <= room {
		slices.SortStableFunc(list, dealer.compare)
		return list, nil
	}
	able, err := k.able(ctx, key)
	if err != nil {
		return nil, err
	}
	bonded := operatorsOf(able)
	away := func(d dealer) bool { return !slices.Contains(bonded, d.member.Operator) }
	// Their nodes are up, more likely than those of others.
	list = slices.Concat(slices.DeleteFunc(slices.Clone(list), away), slices.DeleteFunc(slices.Clone(list), func(d dealer) bool { return !away(d) }))
	slices.SortStableFunc(list, dealer.compare)
	failed, beyond := int(key.FailedReshares), 0
	if failed > types.MaxPauseDoublings { // which counts no further
		beyond = lot(key.Id, sdk.UnwrapSDKContext(ctx).BlockHeight())
	}
	return inTurn(list, room, failed, beyond), nil
}

// lot is a number that is another one for each key and in each block. The height itself would
// not do: what is asked for again comes after a pause, which may be a multiple of how many have
// their turn, so that the same would have it each time.
func lot(keyID string, height int64) int {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", keyID, height))
	return int(binary.BigEndian.Uint16(sum[:]))
}

// inTurn changes the order of the first place for which there is not room for all: after
// each reshare that failed in the epoch, as far as these are counted, those who had no room in it
// have their turn, and so many beyond. Nobody is blamed that keeps silent and was to get no share,
// and by the same order it would be asked each time. Who ends a reshare by revoking its identity,
// which counts no further than to one, is to blame: its place comes after those of others.
func inTurn(dealers []dealer, room, failed, beyond int) []dealer {
	first := 0
	for first < len(dealers) {
		end := first
		for end < len(dealers) && dealers[end].place() == dealers[first].place() {
			end++
		}
		if end > room {
			next := first + (failed*max(room-first, 0)+beyond)%(end-first)
			return slices.Concat(dealers[:first], dealers[next:end], dealers[first:next], dealers[end:])
		}
		first = end
	}
	return dealers
}
