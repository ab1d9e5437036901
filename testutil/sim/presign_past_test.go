package sim_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// presignedPast is a past in which everybody keeps presignatures, and every message arrives
// twice. Somebody keeps all that was said for them.
type presignedPast struct {
	*past
	kept []keptWord
}

type keptWord struct {
	from, to *sim.Node // who signed it, and who heard it
	e        *wire.Envelope
}

func newPresignedPast(t *testing.T, seed uint64, target int) *presignedPast {
	t.Helper()
	p := &presignedPast{past: newPast(t, seed, func(p *xtypes.Params) { p.PresignTarget = uint32(target) })}
	plantKey(t, p.World, 2, p.Nodes...)
	p.Meddle = func(_, _ *sim.Node, m *wire.Message) sim.Verdict { return sim.Verdict{Twice: m.GetEnvelope() != nil} }
	signer := make(map[string]*sim.Node)
	for _, n := range p.Nodes {
		signer[string(n.Operator)] = n
	}
	p.Delivered = func(_, to *sim.Node, e *wire.Envelope) {
		if e.Header.RequestKind == uint32(types.KindPresign) && len(p.kept) < 20_000 {
			p.kept = append(p.kept, keptWord{signer[e.Header.From], to, e})
		}
	}
	require.True(t, p.Run(10*time.Minute, func() bool { return stocked(p.World, target) }), "%v", stock(p.World))
	return p
}

// sayAgain tells everybody once more what was ever said for presignatures.
func (p *presignedPast) sayAgain() {
	for i, word := range slices.Clone(p.kept) {
		later(p.World, time.Duration(i%500)*time.Millisecond, word.to, word.e, word.from)
	}
}

// used counts the presignatures that somebody was told a digest for.
func (p *presignedPast) used() (n int) {
	for _, node := range p.Nodes {
		n += p.ledger.Fixed(node.Operator)
	}
	return n
}

// TestRollbackOverPresignedSignature takes the chain back over a request that was, or is
// being, signed with a presignature. It is asked for again, and all that was said of
// presignatures before is said again: no presignature is used twice, and no other digest is
// signed.
func TestRollbackOverPresignedSignature(t *testing.T) {
	signed := func(p *presignedPast) bool { _, ok := p.Chain.Signature("s"); return ok }
	for name, begun := range map[string]func(*presignedPast) bool{
		"signed":        signed,
		"in the middle": func(p *presignedPast) bool { return p.used() > 0 },
	} {
		for _, same := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, the same digest %t", name, same), func(t *testing.T) {
				p := newPresignedPast(t, 61, 2)
				before := p.Chain.Height()
				p.Chain.Sign("s", "key", digestOf("one"))
				require.True(t, p.Run(time.Minute, func() bool { return begun(p) }))
				require.Positive(t, p.used(), "it was signed without a presignature")
				p.backTo(before)
				digest := "another"
				if same {
					digest = "one"
				}
				p.Chain.Sign("s", "key", digestOf(digest))
				p.sayAgain()
				p.blocks(2)
				p.sayAgain()
				require.True(t, p.Run(2*time.Minute, func() bool { return p.Chain.Open() == 0 }))
				require.Equal(t, same, signed(p))
				require.Empty(t, p.ledger.Broken())
				require.True(t, p.Run(10*time.Minute, func() bool { return stocked(p.World, 2) }), "%v", stock(p.World))
				p.sayAgain()
				p.blocks(3)
				p.sound(t, 0, p.Nodes...)
			})
		}
	}
}

// reconnects tells the others that the connection of a node is gone, and there again.
func reconnects(w *sim.World, n *sim.Node) {
	for _, other := range w.Nodes {
		if other != n && other.Up() {
			other.Core().HandleDisconnected(n.Operator)
			other.Core().HandleConnected(n.Operator)
		}
	}
}

// TestRollbackOfOneNodeWithPresignatures takes blocks back on one node alone while others
// use what they have with it, and again after they did.
func TestRollbackOfOneNodeWithPresignatures(t *testing.T) {
	for i := range 4 {
		p := newPresignedPast(t, 62, 2)
		n := p.Nodes[i]
		for round := range 3 {
			for _, leader := range p.Nodes {
				id := idsLedBy(p.World, types.KindSign, leader, 0, 3)[round]
				p.Chain.Sign(id, "key", digestOf(id))
			}
			p.blocks(int64(round)) // before, while and after they are used
			n.Rollback(3, 20*time.Millisecond)
			p.sayAgain()
			// Its old word that it parked, said again, passes for an answer of this life, and
			// keeps memory at its signers for an hour at most: so it is asked after that.
			p.Run(time.Second, func() bool { return false })
			reconnects(p.World, n)
			require.True(t, p.Run(2*time.Minute, func() bool { return p.Chain.Open() == 0 }))
			require.True(t, p.Run(10*time.Minute, func() bool { return stocked(p.World, 2) }), "%v", stock(p.World))
		}
		require.Positive(t, p.used())
		p.sound(t, 0, p.Nodes...)
	}
}

// TestOldDatabaseWithPresignatures gives a node back an older database of its own: it knows
// nothing of what it used since then, and has nothing to use it with.
func TestOldDatabaseWithPresignatures(t *testing.T) {
	p := newPresignedPast(t, 63, 2)
	n := p.Nodes[1]
	old := n.Store.Clone()
	for _, id := range idsLedBy(p.World, types.KindSign, p.Nodes[0], 0, 2) {
		p.Chain.Sign(id, "key", digestOf(id))
	}
	require.True(t, p.Run(time.Minute, func() bool { return p.used() > 0 && p.Chain.Open() == 0 }))
	n.Crash()
	n.PutBack(old)
	n.Start()
	reconnects(p.World, n)
	p.sayAgain()
	for _, id := range idsLedBy(p.World, types.KindSign, p.Nodes[0], 0, 5)[2:] {
		p.Chain.Sign(id, "key", digestOf(id))
		p.sayAgain()
		p.blocks(1)
	}
	require.True(t, p.Run(2*time.Minute, func() bool { return p.Chain.Open() == 0 }))
	p.sound(t, 0, p.Nodes...)
}
