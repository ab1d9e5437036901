package e2e

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	mpctypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// equivocate has a participant tell two members of a session different things, and
// sign both. The chain records the proof, and the others make the signature, and
// the next one, without it.
func (n *network) equivocate(ctx context.Context, key mpctypes.Key, i int) {
	t, culprit := n.t, n.Node(i)
	before := told(t, culprit)
	tell(t, culprit, twofold)
	// It leads the first attempt, so it is among those who sign.
	spoiled := one(ledBy(t, key, culprit.Info().Operator, "spoiled"))
	n.askSignatures(ctx, key.Id, spoiled)
	n.awaitSignatures(ctx, key, spoiled)
	lies := told(t, culprit)
	require.Greater(t, lies, before, "it told a lie, and the attempt that succeeded went without it")
	for id := range spoiled {
		n.proved(ctx, id, culprit.Info().Operator)
	}

	next := one(ledBy(t, key, n.Node((i+1)%len(key.Participants)).Info().Operator, "next"))
	n.askSignatures(ctx, key.Id, next)
	n.awaitSignatures(ctx, key, next)
	require.Equal(t, lies, told(t, culprit), "nobody took it again")
	tell(t, culprit, "")
}

// proved: the chain has a fault of a participant, of this request, by proof that was in
// the block, that told of it, and that all nodes took; one for each session. A machine that
// has other work may have it accused of its silence too.
func (n *network) proved(ctx context.Context, request, operator string) {
	t := n.t
	resp, err := n.requester.Query.Faults(ctx, &mpctypes.QueryFaultsRequest{Participant: operator})
	require.NoError(t, err)
	proofs := slices.DeleteFunc(resp.Faults, func(f mpctypes.Fault) bool { return f.Kind != mpctypes.FAULT_KIND_EQUIVOCATION })
	require.NotEmpty(t, proofs)
	sessions := make(map[string]bool)
	for _, f := range proofs {
		sessions[string(f.Session)] = true
	}
	require.Len(t, sessions, len(proofs))
	fault := proofs[0]
	require.Equal(t, string(types.ErrBroadcastDiffer), fault.Reason)
	require.Equal(t, mpctypes.REQUEST_KIND_SIGN, fault.RequestKind)
	require.Equal(t, request, fault.RequestId)
	n.shows(ctx, mpctypes.FAULT_KIND_EQUIVOCATION.String(), "query", "mpc", "faults", "--participant", operator)

	c, err := n.Node(0).RPC()
	require.NoError(t, err)
	block, err := c.Block(ctx, &fault.Height)
	require.NoError(t, err)
	require.NotEmpty(t, block.Block.Txs)
	results, err := mpctypes.DecodeBundle(block.Block.Txs[0], mpctypes.DefaultParams().BundleLimits())
	require.NoError(t, err)
	require.Len(t, results.Evidence, 1)
	evidence := results.Evidence[0]
	require.Equal(t, types.Operator(operator), evidence.Culprit())
	participant, err := n.requester.Query.Participant(ctx, &mpctypes.QueryParticipantRequest{Operator: operator})
	require.NoError(t, err)
	identity := participant.Participant.Identities[evidence.IdentityVersion()-1]
	require.NoError(t, evidence.Verify(n.Manifest().ChainID, identity.PublicKey))

	done, err := c.BlockResults(ctx, &fault.Height)
	require.NoError(t, err)
	want := map[string]string{
		"kind":         quoted(fault.Kind.String()),
		"participant":  quoted(operator),
		"reason":       quoted(fault.Reason),
		"request_kind": quoted(fault.RequestKind.String()),
		"request_id":   quoted(request),
		"session":      quoted(hex.EncodeToString(fault.Session)),
	}
	found := 0
	for _, event := range done.FinalizeBlockEvents {
		if event.Type != proto.MessageName(&mpctypes.EventFault{}) {
			continue
		}
		said := make(map[string]string)
		for _, a := range event.Attributes {
			said[a.Key] = a.Value
		}
		if said["kind"] != want["kind"] {
			continue
		}
		found++
		require.Subset(t, said, want)
	}
	require.Equal(t, 1, found)
	n.agree(ctx)
}

// quoted is a text as events have it.
func quoted(s string) string { return fmt.Sprintf("%q", s) }

// ledBy finds an id of a signature whose first attempt a participant leads.
func ledBy(t *testing.T, key mpctypes.Key, operator, prefix string) string {
	t.Helper()
	r := types.Request{Epoch: key.Epoch}
	for _, op := range key.Participants {
		r.Members = append(r.Members, types.Member{Operator: types.Operator(op)})
	}
	for i := range 1000 { // none of them in 4 of 1000 with 100 participants
		r.ID = types.RequestID{Kind: types.KindSign, ID: fmt.Sprintf("%s-%d", prefix, i)}
		if r.Initiator(0) == types.Operator(operator) {
			return r.ID.ID
		}
	}
	require.FailNow(t, "nothing that "+operator+" leads")
	return ""
}
