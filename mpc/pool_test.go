package mpc

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

var poolEpoch = time.Unix(1_700_000_000, 0).UTC()

func attestation(kind types.RequestKind, id string, op types.Operator, attempt uint32) types.Attestation {
	return types.Attestation{Request: types.RequestID{Kind: kind, ID: id}, Operator: op, Attempt: attempt, IdentityVersion: 1}
}

// names lists results as "kind/id operator attempt" and "id".
func names(r types.Results) []string {
	var list []string
	for _, a := range r.Attestations {
		list = append(list, fmt.Sprintf("%s %s %d", a.Request, a.Operator, a.Attempt))
	}
	for _, s := range r.Signatures {
		list = append(list, s.RequestID)
	}
	for _, e := range r.Evidence {
		list = append(list, fmt.Sprintf("%s %s proved", e.Request(), e.Culprit()))
	}
	for _, a := range r.Accusations {
		list = append(list, fmt.Sprintf("%s by %s", a.Accused, a.Operator))
	}
	return list
}

// evidence has the shape of some, against an operator in a sign request.
func evidence(id string, culprit types.Operator) types.Evidence {
	h := &wire.Header{
		RequestKind: uint32(types.KindSign), RequestId: id, From: string(culprit), Context: append(make([]byte, 32-len(id)), id...),
	}
	return types.Evidence{First: &wire.Envelope{Header: h}, Second: &wire.Envelope{Header: h}}
}

// TestPoolFaults: one proof for each session and participant, one accusation of
// the same two.
func TestPoolFaults(t *testing.T) {
	p := newPool()
	for _, e := range []types.Evidence{evidence("s2", "op-1"), evidence("s1", "op-2"), evidence("s1", "op-1"), evidence("s1", "op-2")} {
		p.addEvidence(e, poolEpoch)
		require.True(t, p.evidence.has(&e))
	}
	for _, a := range []types.Accusation{
		{Request: types.RequestID{ID: "b"}, Accused: "op-1", Operator: "op-2"}, {Request: types.RequestID{ID: "a"}, Accused: "op-1", Operator: "op-2"},
		{Request: types.RequestID{ID: "a"}, Accused: "op-1", Operator: "op-1"}, {Request: types.RequestID{ID: "a"}, Accused: "op-0", Operator: "op-9"},
	} {
		p.addAccusation(a, poolEpoch)
		require.True(t, p.hasAccusation(&a))
	}
	require.Equal(t, []string{
		"sign/s1 op-1 proved", "sign/s2 op-1 proved", "sign/s1 op-2 proved", "op-0 by op-9", "op-1 by op-1", "op-1 by op-2",
	}, names(fresh(p)))
}

// TestPoolOrder: whatever came first, results stand in canonical order, each
// once.
func TestPoolOrder(t *testing.T) {
	in := []types.Attestation{
		attestation(types.KindDelete, "a", "op-1", 0),
		attestation(types.KindKeygen, "b", "op-1", 0),
		attestation(types.KindKeygen, "a", "op-2", 0),
		attestation(types.KindKeygen, "a", "op-1", 10),
		attestation(types.KindKeygen, "a", "op-1", 9),
		attestation(types.KindKeygen, "a", "op-2", 0),
	}
	for _, reverse := range []bool{false, true} {
		p := newPool()
		if reverse {
			slices.Reverse(in)
		}
		for _, a := range in {
			p.addAttestation(a, poolEpoch)
			require.True(t, p.hasAttestation(&a))
		}
		for _, id := range []string{"s2", "s10", "s2"} {
			p.addSignature(types.SignatureResult{RequestID: id}, poolEpoch)
			require.True(t, p.hasSignature(id))
		}
		require.Equal(t, []string{
			"keygen/a op-1 9", "keygen/a op-1 10", "keygen/a op-2 0", "keygen/b op-1 0", "delete/a op-1 0", "s10", "s2",
		}, names(fresh(p)))
		require.Equal(t, 7, p.size())
		require.Equal(t, []types.KeyID{"a"}, p.unpinned())
		require.Equal(t, "s2", p.signature("s2").GetSignature().RequestId)
		require.Nil(t, p.signature("s3"))
	}
}

// TestPoolIdentities: a word under a new identity does not replace the old one.
func TestPoolIdentities(t *testing.T) {
	p := newPool()
	a := attestation(types.KindDelete, "a", "op-1", 0)
	p.addAttestation(a, poolEpoch)
	a.IdentityVersion = 2
	require.False(t, p.hasAttestation(&a))
	p.addAttestation(a, poolEpoch)
	require.Equal(t, 2, p.size())
}

// TestPoolBackoff: each result is told at once, then after 2, 4, 8, 16 and every
// 30 seconds.
func TestPoolBackoff(t *testing.T) {
	p := newPool()
	p.addSignature(types.SignatureResult{RequestID: "s1"}, poolEpoch)
	p.addSignature(types.SignatureResult{RequestID: "s2"}, poolEpoch.Add(time.Second))
	told := make(map[string][]int)
	for second := range 130 {
		p.flush(poolEpoch.Add(time.Duration(second)*time.Second), func(g *wire.Gossip) {
			id := g.GetSignature().RequestId
			told[id] = append(told[id], second)
		})
	}
	require.Equal(t, []int{0, 2, 6, 14, 30, 60, 90, 120}, told["s1"])
	require.Equal(t, []int{1, 3, 7, 15, 31, 61, 91, 121}, told["s2"])
}

func TestPoolPrune(t *testing.T) {
	p := newPool()
	for _, op := range []types.Operator{"op-1", "op-2"} {
		p.addAttestation(attestation(types.KindKeygen, "a", op, 0), poolEpoch)
		p.addSignature(types.SignatureResult{RequestID: string(op)}, poolEpoch)
	}
	p.addEvidence(evidence("s1", "op-1"), poolEpoch)
	p.addEvidence(evidence("s1", "op-2"), poolEpoch)
	p.addAccusation(types.Accusation{Accused: "op-1", Operator: "op-2"}, poolEpoch)
	p.addAccusation(types.Accusation{Accused: "op-2", Operator: "op-1"}, poolEpoch)
	p.prune(wanted{
		attestation: func(a *types.Attestation) bool { return a.Operator == "op-2" },
		signature:   func(s *types.SignatureResult) bool { return s.RequestID == "op-1" },
		evidence:    func(e *types.Evidence) bool { return e.Culprit() == "op-1" },
		accusation:  func(a *types.Accusation) bool { return a.Accused == "op-1" },
	})
	require.Equal(t, []string{"keygen/a op-2 0", "op-1", "sign/s1 op-1 proved", "op-1 by op-2"}, names(fresh(p)))
	told := 0
	p.flush(poolEpoch, func(*wire.Gossip) { told++ })
	require.Equal(t, 4, told, "what was pruned is not told")
}

// fresh are the results after what was just done.
func fresh(p *pool) types.Results {
	p.publish()
	return p.results()
}

// TestPoolListsOnce: thousands of results that come at once are sorted once, and
// not each time one is added, told or looked at.
func TestPoolListsOnce(t *testing.T) {
	p := newPool()
	sorted := 0
	order := p.attestations.order
	p.attestations.order = func(a, b *types.Attestation) int {
		sorted++
		return order(a, b)
	}
	const many = 1000
	for i := range many {
		p.addAttestation(attestation(types.KindDelete, fmt.Sprint("key-", i), "op-1", 0), poolEpoch)
	}
	require.Zero(t, sorted)
	require.Len(t, fresh(p).Attestations, many)
	require.Less(t, sorted, 20*many)
	sorted = 0
	require.Len(t, fresh(p).Attestations, many)
	p.addSignature(types.SignatureResult{RequestID: "s1"}, poolEpoch)
	require.Len(t, fresh(p).Signatures, 1)
	p.flush(poolEpoch.Add(-time.Second), func(*wire.Gossip) {})
	require.Zero(t, sorted, "nothing of them changed, nothing is due")
}

// TestPoolSnapshot: what a proposer holds never changes under its hands, and
// what it does to it changes nothing here.
func TestPoolSnapshot(t *testing.T) {
	p := newPool()
	require.Empty(t, names(fresh(p)))
	p.addAttestation(attestation(types.KindKeygen, "a", "op-1", 0), poolEpoch)
	p.addSignature(types.SignatureResult{RequestID: "s1"}, poolEpoch)
	want := []string{"keygen/a op-1 0", "s1"}
	first := fresh(p)
	p.addAttestation(attestation(types.KindKeygen, "a", "op-0", 0), poolEpoch)
	p.prune(wanted{
		attestation: func(*types.Attestation) bool { return true },
		signature:   func(*types.SignatureResult) bool { return false },
	})
	require.Equal(t, want, names(first))

	second := fresh(p)
	require.Equal(t, []string{"keygen/a op-0 0", "keygen/a op-1 0"}, names(second))
	second.Attestations[0].Operator = "somebody"
	_ = append(second.Attestations[:1], attestation(types.KindKeygen, "z", "op-9", 0))
	require.Equal(t, []string{"keygen/a op-0 0", "keygen/a op-1 0"}, names(fresh(p)))
}
