package keeper

import (
	"context"

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

// end says whether an open request of somebody who revoked fails. All do but reshares that
// the others can finish: one member of the committee before could end each of them for the
// fee of a transaction. A reshare that cannot be read fails, too.
func (v revocations) end(ctx context.Context, id requestKey) bool {
	if id.K1() != uint32(types.REQUEST_KIND_RESHARE) {
		return true
	}
	r, _, err := v.k.request(ctx, id)
	if err != nil {
		v.k.unreadable(ctx, "the request of reshare "+id.K2(), err)
		return true
	}
	revoked, err := v.of(ctx, r)
	if err != nil {
		v.k.unreadable(ctx, "a member of reshare "+id.K2(), err)
		return true
	}
	return !r.DoesWithout(revoked)
}
