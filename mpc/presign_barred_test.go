package mpc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/session"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/mpc/wire"
)

// newStocked is op-00 with two presignatures that it owns and made with op-01, who takes part
// in whatever it is asked for.
func newStocked(t *testing.T) *busySigner {
	p, cfg, _ := newPair(t)
	b := &busySigner{partner: p, cfg: cfg, joined: make(map[types.Hash]bool), uses: make(map[string]wire.Consume)}
	p.core.opts.Transport = b
	p.commit()
	for range 100 {
		if st := p.core.Status().Presignatures; len(st) == 1 && st[0].Ready == 2 {
			return b
		}
		b.pass()
	}
	require.Fail(t, "not stocked", "%v", p.core.Status().Presignatures)
	return nil
}

// TestNoStockWithLiars: what this node has with a member that it uses none with is no stock. It
// is given up with the next block, and made anew without that member.
func TestNoStockWithLiars(t *testing.T) {
	for name, catch := range map[string]func(b *busySigner){
		"caught by this node":     func(b *busySigner) { b.core.liars["op-01"] = b.now.Add(liarFor) },
		"the chain has the proof": func(b *busySigner) { b.view.Faults = []types.Fault{{Participant: "op-01"}} },
	} {
		t.Run(name, func(t *testing.T) {
			b := newStocked(t)
			catch(b)
			b.commit()
			require.Empty(t, b.core.sessions)
			require.Empty(t, b.core.Status().Presignatures)
			require.Equal(t, 2, b.core.wasteOf("op-01").count)
			for range 10 { // beyond the pause
				b.pass()
				b.commit()
			}
			require.Len(t, b.core.sessions, 1, "others are made")
			require.Equal(t, session.Preparing, b.core.ordered()[0].Phase(), "op-01 is ready, and nobody else")
			b.settle()
			for _, s := range b.all[:2] {
				require.Equal(t, session.Ended, s.Phase(), "its signer does not know")
			}
		})
	}
}

// TestNotReadyWithSuspects: what is not used for a while, since a signer is suspected, is not
// ready for as long, and kept.
func TestNotReadyWithSuspects(t *testing.T) {
	b := newStocked(t)
	b.core.suspect([]types.Operator{"op-01"}, b.now)
	b.commit()
	require.Equal(t, []PresignStatus{{KeyID: "key", Parked: 2}}, b.core.Status().Presignatures)
	b.now = b.now.Add(suspectFor)
	require.Equal(t, []PresignStatus{{KeyID: "key", Parked: 2, Ready: 2}}, b.core.Status().Presignatures)
}

// TestNoneWhereLiarsAreNeeded: none are made of a key that cannot do without members with whom
// none would be used.
func TestNoneWhereLiarsAreNeeded(t *testing.T) {
	p := newPresigner(t)
	p.start()
	for _, op := range p.ops[1:] {
		require.NotNil(t, p.core.neediest(p.now), "somebody is left beside %s", op)
		p.core.liars[op] = p.now.Add(time.Hour)
	}
	require.Nil(t, p.core.neediest(p.now))
}
