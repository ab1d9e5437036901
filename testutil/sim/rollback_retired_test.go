package sim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc"
	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/sim"
	xtypes "github.com/sequencer-mpc/sequencer/x/mpc/types"
)

// TestRollbackOverRetiredEpoch begins the chain again before a reshare whose old shares are
// destroyed everywhere: nobody has one of the epoch that the chain is back at. The reshare
// is asked for again under its id, which cannot come off. Nobody destroys what is left of
// the key for that, and it signs again on a chain that has it as it was.
func TestRollbackOverRetiredEpoch(t *testing.T) {
	for name, fails := range map[string]func(*past){
		"cancelled":        func(p *past) { p.Chain.CancelReshare("r") },
		"failed by itself": func(*past) {},
		"never asked, for the chain has the key as it was": nil,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPast(t, 56)
			plantKey(t, p.World, 1, p.Nodes[:3]...)
			asked := p.Chain.Height()
			p.Chain.Reshare("r", "key", 1, p.Nodes[1:]...)
			require.True(t, p.Run(2*time.Minute, func() bool { return reshared(p.World, "r")() && promoted(p.World, 1, p.Nodes[1:]...) }))
			retired(t, p.World)
			holdsEpoch(t, p.World, 1, p.Nodes[1:]...)
			made, _ := p.Chain.Key("key")
			head, err := p.Chain.Fixture.Keeper.ExportGenesis(p.Chain.Fixture.Ctx)
			require.NoError(t, err)

			asItWas := func(gs *xtypes.GenesisState) { keyOf(gs, head, "key", "r") }
			p.backTo(asked)
			if fails == nil {
				p.Chain.Reborn("mpc-test-2", asItWas)
				p.sound(t, 1, lastThree(p)...)
				return
			}
			p.Chain.Reborn("mpc-test-2")
			p.Chain.Reshare("r", "key", 1, p.Nodes[1:]...)
			fails(p)
			require.True(t, p.Run(5*time.Minute, func() bool { return p.Chain.ReshareStatus("r") == xtypes.RESHARE_STATUS_ERROR }))
			retired(t, p.World)
			p.blocks(5)
			key, _ := p.Chain.Key("key")
			require.Zero(t, key.Epoch)
			require.Positive(t, key.StagedRetireHeight)
			for i, n := range lastThree(p) {
				require.True(t, keeps(t, n, made.Session), "%s destroyed one of the last shares of the key", n.Operator)
				why := mpc.WithheldNext
				if i == 2 { // a newcomer, which should have none of the epoch before
					why = mpc.WithheldUnasked
				}
				withheld := n.Core().Status().Withheld
				require.Len(t, withheld, 1)
				require.Equal(t, why, withheld[0].Why)
				require.True(t, p.told(n, "why="+string(why)))
			}

			p.Chain.Reborn("mpc-test-3", asItWas)
			p.sound(t, 1, lastThree(p)...)
			for _, n := range lastThree(p) {
				require.Empty(t, n.Core().Status().Withheld)
			}
			require.Empty(t, p.Chain.Errors)
		})
	}
}

// keyOf makes a key in one export what it is in another one, decided by then at the latest:
// its entry, that of the reshare that began its epoch, and that of the signature which
// tested it.
func keyOf(gs, from *xtypes.GenesisState, id, reshare string) {
	gs.Keys = slices.DeleteFunc(gs.Keys, func(k xtypes.Key) bool { return k.Id == id })
	gs.Reshares = slices.DeleteFunc(gs.Reshares, func(r xtypes.Reshare) bool { return r.Id == reshare })
	for _, k := range from.Keys {
		if k.Id == id {
			k.DecidedHeight = min(k.DecidedHeight, gs.ExportHeight)
			gs.Keys = append(gs.Keys, k)
		}
	}
	for _, r := range from.Reshares {
		if r.Id == reshare {
			r.RequestedHeight, r.DecidedHeight = min(r.RequestedHeight, gs.ExportHeight), min(r.DecidedHeight, gs.ExportHeight)
			gs.Reshares = append(gs.Reshares, r)
			gs.Signatures = slices.DeleteFunc(gs.Signatures, func(s xtypes.Signature) bool { return s.Id == r.TestID() })
			test := from.Signatures[slices.IndexFunc(from.Signatures, func(s xtypes.Signature) bool { return s.Id == r.TestID() })]
			test.RequestedHeight, test.DecidedHeight = min(test.RequestedHeight, gs.ExportHeight), min(test.DecidedHeight, gs.ExportHeight)
			gs.Signatures = append(gs.Signatures, test)
		}
	}
}

// TestSharesLostRightAfterSwitch: all but one of the new committee lose their databases before
// the old shares go, and say so. Who has one of before keeps it, and a chain that has the key
// as it was before the reshare signs with those. So it does where the key was deleted as soon as
// it was reshared, which keeps everybody from saying anything for as long as the old shares were
// to stay, and that is taken back in the last block in which it can be.
func TestSharesLostRightAfterSwitch(t *testing.T) {
	for name, deleted := range map[string]bool{"READY": false, "DELETING until the last block": true} {
		t.Run(name, func(t *testing.T) {
			p := newPast(t, 57)
			p.Chain.ChangeParams(func(p *xtypes.Params) { p.RetireBlocks = 200 })
			a, b, c, d := p.Nodes[0], p.Nodes[1], p.Nodes[2], p.Nodes[3]
			plantKey(t, p.World, 1, a, b)
			before, err := p.Chain.Fixture.Keeper.ExportGenesis(p.Chain.Fixture.Ctx)
			require.NoError(t, err)
			old, _ := p.Chain.Key("key")
			p.Chain.Reshare("r", "key", 1, b, c, d)
			require.True(t, p.Run(2*time.Minute, func() bool { return reshared(p.World, "r")() && promoted(p.World, 1, b, c, d) }))
			if deleted {
				p.Chain.Delete("key")
				require.True(t, p.Run(time.Minute, is(p.World, types.KeyDeleting)))
			}
			for _, n := range []*sim.Node{c, d} {
				n.LoseStore()
				n.Start()
			}
			missing := func() int { key, _ := p.Chain.Key("key"); return len(key.MissingShares) }
			if deleted {
				undeleteAtLast(t, p)
				require.Zero(t, missing())
			}
			require.True(t, p.Run(3*time.Minute, func() bool { return missing() == 2 }))
			key, _ := p.Chain.Key("key")
			require.Less(t, p.Chain.Height(), key.RetireHeight)
			retired(t, p.World)
			for _, n := range []*sim.Node{a, b} {
				require.True(t, keeps(t, n, old.Session), "%s destroyed one of the last shares of the key", n.Operator)
				withheld := n.Core().Status().Withheld
				require.Len(t, withheld, 1)
				require.Equal(t, mpc.WithheldEarlier, withheld[0].Why)
				require.True(t, p.told(n, "why=previous_epoch"))
			}

			p.Chain.Reborn("mpc-test-2", func(gs *xtypes.GenesisState) {
				gs.Keys = slices.DeleteFunc(gs.Keys, func(k xtypes.Key) bool { return k.Id == "key" })
				gs.Keys = append(gs.Keys, before.Keys...)
				test := ""
				gs.Reshares = slices.DeleteFunc(gs.Reshares, func(r xtypes.Reshare) bool { test = r.TestID(); return true })
				gs.Signatures = slices.DeleteFunc(gs.Signatures, func(s xtypes.Signature) bool { return s.Id == test })
				require.NoError(t, gs.Validate())
			})
			p.sound(t, 0, a, b)
			require.Empty(t, p.Chain.Errors)
		})
	}
}

// undeleteAtLast takes the deletion of the key back in the block in which it would be
// DELETED. By then the epoch before is over.
func undeleteAtLast(t *testing.T, p *past) {
	t.Helper()
	end, _ := p.Chain.Key("key")
	require.True(t, p.Run(10*time.Minute, func() bool { return p.Chain.Height() == end.RetireHeight-1 }))
	require.LessOrEqual(t, end.EndOf(0), p.Chain.Height())
	p.Chain.Undelete("key")
	require.True(t, p.Run(time.Minute, is(p.World, types.KeyReady)))
	require.Equal(t, end.RetireHeight, p.Chain.Height())
}
