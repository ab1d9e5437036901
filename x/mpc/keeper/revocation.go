package keeper

import (
	"context"
	"slices"

	mpctypes "github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// revocations finds members who revoked the identity that a request pinned. A revocation
// looks at all open reshares of a member, whose participants are often the same: each is
// read once.
type revocations struct {
	k    *Keeper
	read map[string]types.Participant
}

func (k *Keeper) revocations() revocations { return revocations{k, make(map[string]types.Participant)} }

// of lists the members of a request who revoked the identity that it pinned, ascending.
func (v revocations) of(ctx context.Context, r types.Request) (operators []string, err error) {
	for _, m := range r.Members {
		p, read := v.read[m.Operator]
		if !read {
			if p, err = v.k.Participant(ctx, m.Operator); err != nil {
				return nil, err
			}
			v.read[m.Operator] = p
		}
		if _, valid := p.Identity(m.IdentityVersion); !valid {
			operators = append(operators, m.Operator)
		}
	}
	return operators, nil
}

// endsBy says why an open request fails of somebody who revoked just now; empty if it goes
// on. All fail but reshares that the others can finish: one member of the committee before
// could end each of them for the fee of a transaction. A reshare that cannot be read fails,
// too.
func (v revocations) endsBy(operator string) func(context.Context, requestKey) mpctypes.Reason {
	return func(ctx context.Context, id requestKey) mpctypes.Reason {
		if id.K1() != uint32(types.REQUEST_KIND_RESHARE) {
			return mpctypes.ErrIdentityRevoked
		}
		reason, err := v.endsReshare(ctx, id, operator)
		if err != nil {
			v.k.unreadable(ctx, "reshare "+id.K2()+", a member of which revoked its identity", err)
			return mpctypes.ErrIdentityRevoked
		}
		return reason
	}
}

// endsReshare does so for a reshare: who of its members can neither be done without, nor
// deal, by this revocation.
func (v revocations) endsReshare(ctx context.Context, id requestKey, operator string) (mpctypes.Reason, error) {
	r, _, err := v.k.request(ctx, id)
	if err != nil {
		return "", err
	}
	revoked, err := v.of(ctx, r)
	if err != nil {
		return "", err
	}
	if !r.DoesWithout(revoked) {
		return mpctypes.ErrIdentityRevoked, nil
	}
	key, err := v.k.Key(ctx, r.KeyId)
	if err != nil {
		return "", err
	}
	before := slices.DeleteFunc(slices.Clone(revoked), func(o string) bool { return o == operator })
	return v.k.starved(ctx, r.Id, key.EnoughShares(r.Dealers(before)) == nil, key.EnoughShares(r.Dealers(revoked)) == nil)
}
