package relay

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sequencer-mpc/sequencer/x/settlement/types"
)

// What a node does not take for its gas no higher fee helps. Against too little the authority's
// gas_limit does, which the next attempt has. Against too much there is no other attempt: none has
// less gas than those before.

// gasRefusal is why a node does not take a transaction with the gas that it has.
type gasRefusal struct {
	answer error
	// low: the call needs more, whatever it does. Otherwise it is more than the other chain has
	// in a block or lets a transaction have, or costs more than the node lets anybody pay.
	low bool
}

func (g *gasRefusal) Error() string { return g.answer.Error() }

// refusedGas judges what a node says; nil if it is not of gas. What it does not know is taken
// for too low a fee, and the attempt that is asked for then has other gas as well.
func refusedGas(answer error) *gasRefusal {
	says := func(words ...string) bool {
		text := strings.ToLower(answer.Error())
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	switch {
	case says("intrinsic gas", "floor data gas"):
		return &gasRefusal{answer, true}
	case says("gas limit", "gaslimit", "exceeds the configured cap"):
		return &gasRefusal{answer, false}
	}
	return nil
}

// remedy is what the people may do for a transaction that has so much gas.
func (g *gasRefusal) remedy(t types.Transaction, has, now uint64) string {
	if g.low {
		return fmt.Sprintf("it has %d gas, and gas_limit is %d: the authority must set a higher one, which the next attempt has", has, now)
	}
	return fmt.Sprintf("it has %d gas, and gas_limit is %d: nothing is signed for its nonce with less. The authority sets a lower gas_limit, "+
		"moves %s to another key, deletes key %s and has its batches submitted again (%s); "+
		"where the words are of a cap of the node, its operator may raise that instead", has, now, purposeOf(t), t.KeyId, resubmit(t))
}

// otherGas asks for a signature with the gas of now where that is more than too little, and says
// what is to be done where it is not. The node may have taken what was sent before.
func (r *Relay) otherGas(ctx context.Context, t types.Transaction, a types.Attempt, g *gasRefusal, head uint64, next bool) (string, error) {
	said := fmt.Sprintf("not taken by the node: nonce %d, %s: %s", t.Nonce, a.Hash, g)
	if t.Current().Status == types.ATTEMPT_STATUS_SIGNING {
		return said + "; another attempt " + r.signature(ctx, t, head), nil
	}
	now, err := r.sequencer.GasLimit(ctx)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s; ask for gas_limit: %w", said, err)
	case !g.low || now <= a.GasLimit:
		return said + "; " + g.remedy(t, a.GasLimit, now), nil
	case !next:
		return said + "; waits for those before it, to be signed with other gas", nil
	}
	if err := r.bump(ctx, t); err != nil {
		return "", fmt.Errorf("%s; %w", said, err)
	}
	return fmt.Sprintf("%s; it has %d gas, asked for a signature with %d", said, a.GasLimit, now), nil
}
