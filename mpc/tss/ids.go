package tss

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/bnb-chain/tss-lib/v2/tss"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// roster ties the operators of one session to the party ids that the library
// knows them by. Ids are made afresh for each session: the library writes an
// index into them that depends on who takes part.
//
// The library orders parties by their key, which is a hash; everything of ours
// orders them by operator. index translates.
type roster struct {
	self types.Operator
	// operators ascend.
	operators []types.Operator
	ids       map[types.Operator]*tss.PartyID
	byKey     map[string]types.Operator
	sorted    tss.SortedPartyIDs
}

// partyKey is the point at which an operator's share is the value of the
// sharing polynomial: a hash of the session that made the key, modulo the
// group order.
func partyKey(keySession types.Context, op types.Operator) *big.Int {
	seed := types.PartyKeySeed(keySession, op)
	key := new(big.Int).SetBytes(seed[:])
	return key.Mod(key, groupOrder())
}

// groupOrder is q of secp256k1. The library keeps it in a shared variable;
// nobody may write to it.
func groupOrder() *big.Int { return tss.S256().Params().N }

// newRoster derives the party ids of these operators in a key's session.
func newRoster(keySession types.Context, self types.Operator, operators []types.Operator) (*roster, error) {
	if !slices.Contains(operators, self) {
		return nil, fmt.Errorf("%s is not one of the session's participants", self)
	}
	return makeRoster(keySession, self, operators)
}

// makeRoster derives the party ids of a committee that self need not be in.
func makeRoster(keySession types.Context, self types.Operator, operators []types.Operator) (*roster, error) {
	if err := checkOperators(operators); err != nil {
		return nil, err
	}
	r := &roster{
		self: self, operators: slices.Clone(operators),
		ids:   make(map[types.Operator]*tss.PartyID, len(operators)),
		byKey: make(map[string]types.Operator, len(operators)),
	}
	unsorted := make(tss.UnSortedPartyIDs, 0, len(operators))
	for _, op := range operators {
		key := partyKey(keySession, op)
		if key.Sign() == 0 {
			return nil, fmt.Errorf("party key of %s is zero", op)
		}
		id := tss.NewPartyID(string(op), string(op), key)
		if other, taken := r.byKey[string(id.Key)]; taken {
			return nil, fmt.Errorf("%s and %s have the same party key", other, op)
		}
		r.ids[op], r.byKey[string(id.Key)] = id, op
		unsorted = append(unsorted, id)
	}
	r.sorted = tss.SortPartyIDs(unsorted)
	return r, nil
}

// checkOperators wants 2 to types.MaxMembers operators that ascend strictly.
func checkOperators(operators []types.Operator) error {
	if len(operators) < 2 || len(operators) > types.MaxMembers {
		return fmt.Errorf("%d participants, a session has 2 to %d", len(operators), types.MaxMembers)
	}
	for i := 1; i < len(operators); i++ {
		if operators[i-1] >= operators[i] {
			return fmt.Errorf("participants do not ascend at %s", operators[i])
		}
	}
	return nil
}

// index is the library's position of an operator.
func (r *roster) index(op types.Operator) int { return r.ids[op].Index }

// operator finds who a party id of the library is.
func (r *roster) operator(id *tss.PartyID) (types.Operator, bool) {
	if id == nil || id.MessageWrapper_PartyID == nil {
		return "", false
	}
	op, ok := r.byKey[string(id.Key)]
	return op, ok
}

// peer returns the id of another member.
func (r *roster) peer(op types.Operator) (*tss.PartyID, bool) {
	if op == r.self {
		return nil, false
	}
	id, ok := r.ids[op]
	return id, ok
}

// parameters are what the library makes a party from.
func (r *roster) parameters(threshold, concurrency int) *tss.Parameters {
	p := tss.NewParameters(tss.S256(), tss.NewPeerContext(r.sorted), r.ids[r.self], len(r.sorted), threshold)
	p.SetConcurrency(concurrency)
	return p
}
